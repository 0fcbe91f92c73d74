using System.Globalization;

namespace Gradus.Text.Tokenizers.Chat;

/// <summary>The functions every template may call.</summary>
internal static class Functions
{
    /// <summary>Names Jinja has and Gradus refuses: they reach into the interpreter or make text at random.</summary>
    public static readonly HashSet<string> Refused = new(["cycler", "joiner", "lipsum", "self", "super"], StringComparer.Ordinal);

    public static readonly Dictionary<string, ChatValue> All = new(StringComparer.Ordinal)
    {
        ["range"] = new CallableValue("range", Range),
        ["dict"] = new CallableValue("dict", (r, a) => Dict(r, a)),
        ["namespace"] = new CallableValue("namespace", (r, a) => new NamespaceValue(Dict(r, a))),
        ["raise_exception"] = new CallableValue("raise_exception", (r, a) => throw new TemplateFault(PythonText.Str(r, a.Bind("raise_exception", ["message"]).Need(0, "raise_exception")).Text) { OfTemplate = true }),
        ["strftime_now"] = new CallableValue("strftime_now", (r, a) => new TextValue(Time(r.Now(), TextMethods.Text(a.Bind("strftime_now", ["format"]).Need(0, "strftime_now"))))),
    };

    private static ListValue Range(Render render, Arguments a)
    {
        var (start, stop, step) = a.Values.Length switch
        {
            1 => (0L, Whole(a.Values[0]), 1L),
            2 => (Whole(a.Values[0]), Whole(a.Values[1]), 1L),
            3 => (Whole(a.Values[0]), Whole(a.Values[1]), Whole(a.Values[2])),
            _ => throw new TemplateFault("range() takes one to three whole numbers"),
        };
        if (step == 0)
            throw new TemplateFault("range(): the step cannot be 0");
        var count = step > 0 ? stop <= start ? 0 : (((Int128)stop - start - 1) / step) + 1 : stop >= start ? 0 : (((Int128)start - stop - 1) / -(Int128)step) + 1;
        if (count > render.Budget.Limits.RangeLength)
            throw new TemplateFault(string.Create(CultureInfo.InvariantCulture, $"range() of {count} items; {render.Budget.Limits.RangeLength} is the limit"));
        render.Budget.Take((long)count * 32);
        var items = new List<ChatValue>((int)count);
        for (var i = 0; i < (int)count; i++)
            items.Add(IntValue.Of(start + (i * step)));
        return new ListValue(items);
    }

    private static long Whole(ChatValue value) => Python.TryInt(value, out var number) ? number : throw new TemplateFault($"range() takes whole numbers, not '{Python.Defined(value).TypeName}'");

    private static DictValue Dict(Render render, Arguments a)
    {
        var dict = a.Values switch
        {
            [] => new DictValue(),
            [DictValue from] => Methods.Copy(render, from),
            [ListValue pairs] => Pairs(render, pairs),
            _ => throw new TemplateFault("a dictionary, pairs or name=value is expected"),
        };
        foreach (var (name, value) in a.Named)
            dict.Set(new TextValue(name), value, render);
        return dict;
    }

    private static DictValue Pairs(Render render, ListValue pairs)
    {
        var dict = new DictValue();
        foreach (var pair in pairs.Items)
            dict.Set(pair is ListValue { Items: [var key, _] } ? key : throw new TemplateFault("dict() takes pairs"), ((ListValue)pair).Items[1], render);
        return dict;
    }

    private static string Time(DateTimeOffset now, string format)
    {
        var built = new System.Text.StringBuilder();
        for (var i = 0; i < format.Length; i++)
        {
            if (format[i] != '%' || i + 1 == format.Length)
            {
                built.Append(format[i]);
                continue;
            }

            var bare = format[++i] == '-' && i + 1 < format.Length; // %-d: without the leading zero
            if (bare)
                i++;
            string Number(int value, int width) => value.ToString(bare ? "0" : new string('0', width), CultureInfo.InvariantCulture);
            string Shown(string pattern) => now.ToString(pattern, CultureInfo.InvariantCulture);
            built.Append(format[i] switch
            {
                'Y' => Number(now.Year, 4),
                'y' => Number(now.Year % 100, 2),
                'm' => Number(now.Month, 2),
                'd' => Number(now.Day, 2),
                'e' => bare ? Number(now.Day, 1) : now.Day.ToString(CultureInfo.InvariantCulture).PadLeft(2),
                'H' => Number(now.Hour, 2),
                'I' => Number((now.Hour + 11) % 12 + 1, 2),
                'M' => Number(now.Minute, 2),
                'S' => Number(now.Second, 2),
                'j' => Number(now.DayOfYear, 3),
                'f' => Shown("ffffff"),
                'B' => Shown("MMMM"),
                'b' or 'h' => Shown("MMM"),
                'A' => Shown("dddd"),
                'a' => Shown("ddd"),
                'p' => now.Hour < 12 ? "AM" : "PM",
                'u' => (now.DayOfWeek == DayOfWeek.Sunday ? 7 : (int)now.DayOfWeek).ToString(CultureInfo.InvariantCulture),
                'w' => ((int)now.DayOfWeek).ToString(CultureInfo.InvariantCulture),
                'F' => Shown("yyyy-MM-dd"),
                'T' => Shown("HH:mm:ss"),
                'D' => Shown("MM/dd/yy"),
                'R' => Shown("HH:mm"),
                'c' => Shown("ddd MMM ") + now.Day.ToString(CultureInfo.InvariantCulture).PadLeft(2) + Shown(" HH:mm:ss yyyy"),
                'x' => Shown("MM/dd/yy"),
                'X' => Shown("HH:mm:ss"),
                'Z' or 'z' => "", // Python's clock here knows no zone
                'n' => "\n",
                't' => "\t",
                '%' => "%",
                var c => throw new TemplateFault($"strftime_now(): '%{c}' is not known"),
            });
        }

        return built.ToString();
    }
}

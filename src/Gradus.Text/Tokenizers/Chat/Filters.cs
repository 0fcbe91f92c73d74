using System.Globalization;

namespace Gradus.Text.Tokenizers.Chat;

/// <summary>What stands behind <c>|</c>: name, names of its arguments (null: any), and what it does.</summary>
internal sealed record Filter(string Name, string[]? Parameters, Func<Render, ChatValue, Arguments, ChatValue> Run)
{
    public ChatValue Apply(Render render, ChatValue input, Arguments arguments) => Run(render, input, Parameters is null ? arguments : arguments.Bind(Name, Parameters));
}

/// <summary>The filters of Jinja that give text and numbers; those of lists are in <see cref="ListFilters"/>.</summary>
internal static class Filters
{
    public static readonly Dictionary<string, Filter> All = Table();

    private static Dictionary<string, Filter> Table()
    {
        var all = new Dictionary<string, Filter>(StringComparer.Ordinal);
        void Add(string names, string[]? parameters, Func<Render, ChatValue, Arguments, ChatValue> run)
        {
            foreach (var name in names.Split(' '))
                all.Add(name, new(name, parameters, run));
        }

        Add("trim", ["chars"], (r, v, a) => TextMethods.Strip(r, PythonText.Str(r, v), a.At(0), left: true, right: true));
        Add("upper", [], (r, v, _) => TextMethods.Cased(r, PythonText.Str(r, v), TextMethods.Upper));
        Add("lower", [], (r, v, _) => TextMethods.Cased(r, PythonText.Str(r, v), TextMethods.Lower));
        Add("capitalize", [], (r, v, _) => TextMethods.Cased(r, PythonText.Str(r, v), TextMethods.Capitalize));
        Add("title", [], (r, v, _) => TextMethods.Cased(r, PythonText.Str(r, v), Title));
        Add("string", [], (r, v, _) => PythonText.Str(r, v));
        Add("safe", [], (r, v, _) => PythonText.Str(r, v));
        Add("escape e forceescape", [], (r, v, _) => Escape(r, PythonText.Str(r, v)));
        Add("replace", ["old", "new", "count"], (r, v, a) => TextMethods.Replace(r, PythonText.Str(r, v), PythonText.Str(r, a.Need(0, "replace")), PythonText.Str(r, a.Need(1, "replace")), a.At(2)));
        Add("format", null, (r, v, a) => Formatting.Percent(r, PythonText.Str(r, v), a.Named.Length > 0 ? Named(a, r) : new ListValue([.. a.Values], isTuple: true)));
        Add("indent", ["width", "first", "blank"], Indent);
        Add("center", ["width"], (r, v, a) => TextMethods.Centered(r, PythonText.Str(r, v), a.At(0) is { } w ? Python.Index(w, "a width") : 80, " "));
        Add("truncate", ["length", "killwords", "end", "leeway"], Truncate);
        Add("wordcount", [], (r, v, _) => WordCount(r, PythonText.Str(r, v).Text));
        Add("tojson", ["ensure_ascii", "indent", "separators", "sort_keys"], (r, v, a) => PythonText.Json(r, v, Layout(r, a)));
        Add("int", ["default", "base"], ToInt);
        Add("float", ["default"], (r, v, a) => Python.TryNumber(v, out var n) ? new FloatValue(n)
            : v is TextValue t && ParseFloat(t.Text) is { } parsed ? new FloatValue(parsed) : a.At(0) ?? new FloatValue(0));
        Add("abs", [], (_, v, _) => v is FloatValue f ? new FloatValue(Math.Abs(f.Value)) : Python.TryInt(v, out var i) ? IntValue.Of(i < 0 ? checked(-Math.Max(i, -long.MaxValue)) : i) : throw new TemplateFault($"|abs needs a number, not '{v.TypeName}'"));
        Add("round", ["precision", "method"], Round);
        Add("default d", ["default_value", "boolean"], (_, v, a) => v is UndefinedValue || ((a.At(1)?.Truth ?? false) && !v.Truth) ? a.At(0) ?? TextValue.Empty : v);
        Add("attr", ["name"], (r, v, a) => v is DictValue && Methods.Find(v, TextMethods.Text(a.Need(0, "attr"))) is null && !TextMethods.Text(a.Need(0, "attr")).StartsWith("__", StringComparison.Ordinal)
            ? new UndefinedValue($"'dict object' has no attribute '{TextMethods.Text(a.Need(0, "attr"))}'") : Python.Attribute(r, v, TextMethods.Text(a.Need(0, "attr"))));
        foreach (var filter in ListFilters.All)
            all.Add(filter.Name, filter);
        return all;
    }

    private static DictValue Named(Arguments a, Render render)
    {
        if (a.Values.Length > 0)
            throw new TemplateFault("|format takes values by place or by name, not both");
        var dict = new DictValue();
        foreach (var (name, value) in a.Named)
            dict.Set(new TextValue(name), value, render);
        return dict;
    }

    private static JsonLayout Layout(Render render, Arguments a)
    {
        if (a.Values.Length == 0)
            return JsonLayout.OneLine;
        var indent = a.At(1) switch
        {
            null or NoneValue => null,
            TextValue text => text.Text,
            { } width => new string(' ', Math.Clamp(Python.Index(width, "an indent"), 0, 100)),
        };
        var (comma, colon) = (indent is null ? ", " : ",", ": ");
        if (a.At(2) is ListValue { Items: [TextValue c, TextValue d] })
            (comma, colon) = (c.Text, d.Text);
        render.Budget.Step();
        return new(indent, comma, colon, a.At(3)?.Truth ?? false, a.At(0)?.Truth ?? false);
    }

    private static TextValue Escape(Render render, TextValue text)
    {
        var built = new TextBuilder(render.Budget);
        for (var i = 0; i < text.Text.Length; i++)
        {
            var replaced = text.Text[i] switch { '&' => "&amp;", '<' => "&lt;", '>' => "&gt;", '\'' => "&#39;", '"' => "&#34;", _ => null };
            var start = built.Length;
            if (replaced is null)
            {
                built.Append(text, i, i + 1);
                continue;
            }

            built.Append(replaced);
            built.MarkSince(start, Mark.Slice(text.Marks, i, i + 1));
        }

        return built.ToText();
    }

    // Words begin behind spaces, hyphens and opening brackets; the rest of them is lower case.
    private static string Title(string text)
    {
        static bool Divides(char c) => CodePoints.IsSpace(c) || c is '-' or '(' or '{' or '[' or '<';
        var built = new System.Text.StringBuilder(text.Length);
        for (var i = 0; i < text.Length;)
        {
            if (Divides(text[i]))
            {
                built.Append(text[i++]);
                continue;
            }

            var first = TextMethods.FirstUpper(text, i, out var rest);
            var end = rest;
            while (end < text.Length && !Divides(text[end]))
                end++;
            built.Append(first == "Ss" ? "SS" : first).Append(TextMethods.Lower(text[rest..end]));
            i = end;
        }

        return built.ToString();
    }

    private static TextValue Indent(Render render, ChatValue value, Arguments a)
    {
        var text = PythonText.Str(render, value);
        var by = a.At(0) switch { null => new string(' ', 4), TextValue t => t.Text, { } width => new string(' ', Math.Clamp(Python.Index(width, "a width"), 0, 10_000)) };
        var (first, blank) = (a.At(1)?.Truth ?? false, a.At(2)?.Truth ?? false);
        // The text ends with a new line more, as Jinja has it: its own last line break survives.
        var lines = Splitting.Lines(render, Arithmetic.Concat(render, text, new TextValue("\n")), keepEnds: false).ToList();
        var built = new TextBuilder(render.Budget);
        for (var i = 0; i < lines.Count; i++)
        {
            render.Budget.Step();
            if (i > 0)
                built.Append('\n');
            if (i == 0 ? first : blank || lines[i].Text.Length > 0)
                built.Append(by);
            built.Append(lines[i]);
        }

        return built.ToText();
    }

    private static TextValue Truncate(Render render, ChatValue value, Arguments a)
    {
        var text = PythonText.Str(render, value);
        var (length, end, leeway) = (a.At(0) is { } l ? Python.Index(l, "a length") : 255, a.At(2) is { } e ? PythonText.Str(render, e) : new TextValue("..."), a.At(3) is { } w and not NoneValue ? Python.Index(w, "a leeway") : 5);
        if (length < CodePoints.Count(end.Text))
            throw new TemplateFault($"|truncate needs a length of at least {CodePoints.Count(end.Text)}");
        render.Budget.Scan(text.Text.Length);
        if (CodePoints.Count(text.Text) <= length + (long)leeway)
            return text;
        var cut = text.Slice(0, CodePoints.Starts(text.Text)[length - CodePoints.Count(end.Text)]);
        if (!(a.At(1)?.Truth ?? false) && cut.Text.LastIndexOf(' ') is >= 0 and var space)
            cut = cut.Slice(0, space);
        return Arithmetic.Concat(render, cut, end);
    }

    private static IntValue WordCount(Render render, string text)
    {
        render.Budget.Scan(text.Length * 4L);
        var (count, inWord) = (0, false);
        foreach (var rune in text.EnumerateRunes())
        {
            var word = System.Text.Rune.IsLetterOrDigit(rune) || rune.Value == '_';
            count += word && !inWord ? 1 : 0;
            inWord = word;
        }

        return IntValue.Of(count);
    }

    private static ChatValue ToInt(Render render, ChatValue value, Arguments a)
    {
        var number = a.At(1) is { } b ? Python.Index(b, "a base") : 10;
        if (value is TextValue text)
        {
            var digits = text.Text.Trim().Replace("_", "", StringComparison.Ordinal);
            if (number == 10 && long.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole))
                return IntValue.Of(whole);
            if (number is 2 or 8 or 16)
                try
                {
                    var negative = digits.StartsWith('-');
                    var bare = digits.TrimStart('+', '-');
                    bare = bare.Length > 2 && bare[0] == '0' && char.ToLowerInvariant(bare[1]) == (number == 2 ? 'b' : number == 8 ? 'o' : 'x') ? bare[2..] : bare;
                    if (bare.Length > 0)
                        return IntValue.Of((negative ? -1 : 1) * Convert.ToInt64(bare, number));
                }
                catch (Exception e) when (e is FormatException or OverflowException or ArgumentException)
                {
                    return a.At(0) ?? IntValue.Of(0);
                }

            return ParseFloat(text.Text) is > -9e18 and < 9e18 and var f ? IntValue.Of((long)f) : a.At(0) ?? IntValue.Of(0);
        }

        if (Python.TryInt(value, out var i))
            return IntValue.Of(i);
        return value is FloatValue { Value: > -9e18 and < 9e18 } real ? IntValue.Of((long)real.Value) : a.At(0) ?? IntValue.Of(0);
    }

    private static double? ParseFloat(string text) => text.Trim().ToLowerInvariant().Replace("_", "", StringComparison.Ordinal) switch
    {
        "nan" => double.NaN,
        "inf" or "infinity" or "+inf" => double.PositiveInfinity,
        "-inf" or "-infinity" => double.NegativeInfinity,
        var t => double.TryParse(t, NumberStyles.Float & ~NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out var n) ? n : null,
    };

    private static ChatValue Round(Render render, ChatValue value, Arguments a)
    {
        var places = a.At(0) is { } p ? Math.Clamp(Python.Index(p, "a precision"), -300, 300) : 0;
        var method = a.At(1) is { } m ? TextMethods.Text(m) : "common";
        if (!Python.TryNumber(value, out var number))
            throw new TemplateFault($"|round needs a number, not '{Python.Defined(value).TypeName}'");
        var scale = Math.Pow(10, places);
        switch (method)
        {
            case "ceil": return new FloatValue(Math.Ceiling(number * scale) / scale);
            case "floor": return new FloatValue(Math.Floor(number * scale) / scale);
            case "common": break;
            default: throw new TemplateFault("|round: method must be common, ceil or floor");
        }

        if (Python.TryInt(value, out var whole) && places >= 0)
            return IntValue.Of(whole);
        render.Budget.Step();
        var scaled = number * scale;
        double rounded;
        if (places is < 0 or > 15 || Math.Abs(scaled) > 1e15 || scaled - Math.Floor(scaled) == 0.5)
            rounded = Math.Round(scaled, MidpointRounding.ToEven) / scale;
        else // decided on the exact value, not on the scaled one
            rounded = double.Parse(number.ToString("F" + places.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        return value is FloatValue ? new FloatValue(rounded) : IntValue.Of((long)rounded);
    }
}

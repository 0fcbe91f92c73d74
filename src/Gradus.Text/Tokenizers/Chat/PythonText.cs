using System.Globalization;
using System.Text;

namespace Gradus.Text.Tokenizers.Chat;

/// <summary>How Python prints values (<c>str</c>, <c>repr</c>, <c>json.dumps</c>). Strings inside keep the marks of where they came from.</summary>
internal static class PythonText
{
    public static TextValue Str(Render render, ChatValue value) => value switch
    {
        TextValue text => text,
        UndefinedValue => TextValue.Empty,
        IntValue { Value: >= 0 and < 10 } small => new TextValue(((char)('0' + small.Value)).ToString()),
        _ => Repr(render, value),
    };

    public static TextValue Repr(Render render, ChatValue value)
    {
        var built = new TextBuilder(render.Budget);
        WriteRepr(render, built, value);
        return built.ToText();
    }

    public static TextValue Json(Render render, ChatValue value, JsonLayout layout)
    {
        var built = new TextBuilder(render.Budget);
        WriteJson(render, built, value, layout, 0);
        return built.ToText();
    }

    public static string Float(double value)
    {
        if (double.IsNaN(value))
            return "nan";
        if (double.IsInfinity(value))
            return value > 0 ? "inf" : "-inf";
        // .NET finds the shortest digits that read back as the same number, as Python does; where the point goes differs.
        var text = value.ToString("E16", CultureInfo.InvariantCulture);
        var shortest = value.ToString("R", CultureInfo.InvariantCulture);
        var exponent = int.Parse(text.AsSpan(text.IndexOf('E', StringComparison.Ordinal) + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        var mantissa = shortest.Split('E')[0].TrimStart('-').Replace(".", "", StringComparison.Ordinal).TrimStart('0').TrimEnd('0');
        if (mantissa.Length == 0)
            mantissa = "0";
        if (shortest.Contains('E', StringComparison.Ordinal))
            exponent = int.Parse(shortest.AsSpan(shortest.IndexOf('E', StringComparison.Ordinal) + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        var sign = double.IsNegative(value) ? "-" : "";
        if (value == 0)
            return sign + "0.0";
        if (exponent is < -4 or >= 16)
            return $"{sign}{mantissa[0]}{(mantissa.Length > 1 ? "." + mantissa[1..] : "")}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent).ToString("00", CultureInfo.InvariantCulture)}";
        if (exponent < 0)
            return $"{sign}0.{new string('0', -exponent - 1)}{mantissa}";
        return mantissa.Length <= exponent + 1
            ? $"{sign}{mantissa}{new string('0', exponent + 1 - mantissa.Length)}.0"
            : $"{sign}{mantissa[..(exponent + 1)]}.{mantissa[(exponent + 1)..]}";
    }

    private static void WriteRepr(Render render, TextBuilder built, ChatValue value)
    {
        render.Budget.Step();
        switch (value)
        {
            case TextValue text:
                var start = built.Length;
                Quoted(built, text.Text);
                built.MarkSince(start, text.Marks);
                break;
            case NoneValue: built.Append("None"); break;
            case BoolValue b: built.Append(b.Value ? "True" : "False"); break;
            case IntValue i: built.Append(i.Value.ToString(CultureInfo.InvariantCulture)); break;
            case FloatValue f: built.Append(f.Digits ?? Float(f.Value)); break;
            case UndefinedValue: built.Append("Undefined"); break;
            case ListValue list:
                Many(render, built, list.IsTuple ? "(" : "[", list.Items, list.IsTuple ? list.Items.Count == 1 ? ",)" : ")" : "]", item => WriteRepr(render, built, item));
                break;
            case DictValue dict:
                WriteDict(render, built, dict);
                break;
            case NamespaceValue space:
                built.Append("<Namespace ");
                WriteDict(render, built, space.Names);
                built.Append(">");
                break;
            default: built.Append($"<{value.TypeName}>"); break;
        }
    }

    private static void WriteDict(Render render, TextBuilder built, DictValue dict) => Many(render, built, "{", dict.Entries, "}", entry =>
    {
        WriteRepr(render, built, entry.Key);
        built.Append(": ");
        WriteRepr(render, built, entry.Value);
    });

    private static void Many<T>(Render render, TextBuilder built, string open, List<T> items, string close, Action<T> write)
    {
        render.Budget.Enter();
        built.Append(open);
        for (var i = 0; i < items.Count; i++)
        {
            if (i > 0)
                built.Append(", ");
            write(items[i]);
        }

        built.Append(close);
        render.Budget.Leave();
    }

    private static void Quoted(TextBuilder built, string text)
    {
        var quote = text.Contains('\'', StringComparison.Ordinal) && !text.Contains('"', StringComparison.Ordinal) ? '"' : '\'';
        built.Append(quote);
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c == quote || c == '\\')
            {
                built.Append('\\');
                built.Append(c);
            }
            else if (c is '\n' or '\r' or '\t')
            {
                built.Append(c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t");
            }
            else if (c is >= ' ' and < '\x7f')
            {
                built.Append(c);
            }
            else if (Rune.TryGetRuneAt(text, i, out var rune))
            {
                if (IsPrintable(rune))
                    built.Append(text.AsSpan(i, rune.Utf16SequenceLength));
                else
                    built.Append(rune.Value <= 0xff ? $"\\x{rune.Value:x2}" : rune.Value <= 0xffff ? $"\\u{rune.Value:x4}" : $"\\U{rune.Value:x8}");
                i += rune.Utf16SequenceLength - 1;
            }
            else
            {
                built.Append($"\\u{(int)c:x4}");
            }
        }

        built.Append(quote);
    }

    private static bool IsPrintable(Rune rune) => Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate
        or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.SpaceSeparator);

    private static void WriteJson(Render render, TextBuilder built, ChatValue value, JsonLayout layout, int level)
    {
        render.Budget.Step();
        switch (value)
        {
            case TextValue text: JsonString(built, text, layout); break;
            case NoneValue: built.Append("null"); break;
            case BoolValue b: built.Append(b.Value ? "true" : "false"); break;
            case IntValue i: built.Append(i.Value.ToString(CultureInfo.InvariantCulture)); break;
            case FloatValue f: built.Append(f.Digits ?? JsonFloat(f.Value)); break;
            case ListValue list:
                JsonMany(render, built, '[', list.Items, ']', layout, level, item => WriteJson(render, built, item, layout, level + 1));
                break;
            case DictValue dict:
                var entries = dict.Entries;
                if (layout.SortKeys)
                    entries = Ordering.Sorted(render, entries, e => e.Key, reverse: false);
                JsonMany(render, built, '{', entries, '}', layout, level, entry =>
                {
                    if (entry.Key is TextValue key)
                    {
                        JsonString(built, key, layout);
                    }
                    else if (entry.Key is ListValue)
                    {
                        throw new TemplateFault("a tuple is no key in JSON");
                    }
                    else
                    {
                        built.Append('"');
                        WriteJson(render, built, entry.Key, layout, level);
                        built.Append('"');
                    }

                    built.Append(layout.Colon);
                    WriteJson(render, built, entry.Value, layout, level + 1);
                });
                break;
            case UndefinedValue undefined:
                throw undefined.Fault();
            default:
                throw new TemplateFault($"a {value.TypeName} cannot be written as JSON");
        }
    }

    private static void JsonMany<T>(Render render, TextBuilder built, char open, List<T> items, char close, JsonLayout layout, int level, Action<T> write)
    {
        render.Budget.Enter();
        built.Append(open);
        for (var i = 0; i < items.Count; i++)
        {
            if (i > 0)
                built.Append(layout.Comma);
            NewLine(built, layout, level + 1);
            write(items[i]);
        }

        if (items.Count > 0)
            NewLine(built, layout, level);
        built.Append(close);
        render.Budget.Leave();
    }

    private static void NewLine(TextBuilder built, JsonLayout layout, int level)
    {
        if (layout.Indent is not { } indent)
            return;
        built.Append('\n');
        for (var i = 0; i < level; i++)
            built.Append(indent);
    }

    private static void JsonString(TextBuilder built, TextValue text, JsonLayout layout)
    {
        var start = built.Length;
        built.Append('"');
        foreach (var c in text.Text)
            switch (c)
            {
                case '"': built.Append("\\\""); break;
                case '\\': built.Append("\\\\"); break;
                case '\n': built.Append("\\n"); break;
                case '\r': built.Append("\\r"); break;
                case '\t': built.Append("\\t"); break;
                case '\b': built.Append("\\b"); break;
                case '\f': built.Append("\\f"); break;
                default:
                    if (c < ' ' || (layout.EnsureAscii && c > '\x7f'))
                        built.Append($"\\u{(int)c:x4}");
                    else
                        built.Append(c);
                    break;
            }

        built.Append('"');
        built.MarkSince(start, text.Marks);
    }

    private static string JsonFloat(double value) => double.IsNaN(value) ? "NaN" : double.IsInfinity(value) ? value > 0 ? "Infinity" : "-Infinity" : Float(value);
}

/// <summary>What <c>tojson</c> is asked for.</summary>
/// <param name="Indent">The white space of a level, or null for one line.</param>
/// <param name="Comma">Between items.</param>
/// <param name="Colon">Between key and value.</param>
/// <param name="SortKeys">Keys in order.</param>
/// <param name="EnsureAscii">Everything else as <c>\u</c> escapes.</param>
internal sealed record JsonLayout(string? Indent, string Comma, string Colon, bool SortKeys, bool EnsureAscii)
{
    public static readonly JsonLayout OneLine = new(null, ", ", ": ", false, false);
}

using System.Globalization;

namespace Gradus.Text.Tokenizers.Chat;

/// <summary>Python's two ways to fill in a pattern: <c>'%s'|format(x)</c> and <c>'{}'.format(x)</c>.</summary>
internal static class Formatting
{
    private const int MaxWidth = 10_000;

    public static TextValue Percent(Render render, TextValue pattern, ChatValue values)
    {
        var (built, text, next) = (new TextBuilder(render.Budget), pattern.Text, 0);
        var tuple = values is ListValue { IsTuple: true } t ? t : null;
        ChatValue Next() => tuple is null
            ? next++ == 0 ? values : throw new TemplateFault("not enough arguments for the format string")
            : next < tuple.Items.Count ? tuple.Items[next++] : throw new TemplateFault("not enough arguments for the format string");
        for (var i = 0; i < text.Length; i++)
        {
            render.Budget.Step();
            if (text[i] != '%')
            {
                var end = text.IndexOf('%', i) is >= 0 and var found ? found : text.Length;
                built.Append(pattern, i, end);
                i = end - 1;
                continue;
            }

            char At(int at) => at < text.Length ? text[at] : throw new TemplateFault("the format string ends inside a placeholder");
            i++;
            if (At(i) == '%')
            {
                built.Append('%');
                continue;
            }

            ChatValue? value = null;
            if (text[i] == '(')
            {
                var close = text.IndexOf(')', i);
                if (close < 0 || values is not DictValue dict)
                    throw new TemplateFault(close < 0 ? "the format string ends inside a placeholder" : "the format string names its values; it needs a dictionary");
                value = dict.Find(text[(i + 1)..close]) ?? throw new TemplateFault($"the format string names '{text[(i + 1)..close]}', which is not there");
                (i, next) = (close + 1, 1);
            }

            var flags = "";
            while (At(i) is '-' or '+' or ' ' or '0' or '#')
                flags += text[i++];
            int Count()
            {
                if (At(i) == '*')
                {
                    i++;
                    return Bounded(Python.Index(Next(), "a width"));
                }

                var start = i;
                while (char.IsAsciiDigit(At(i)))
                    i++;
                return i == start ? 0 : Bounded(int.TryParse(text.AsSpan(start, i - start), NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : int.MaxValue);
            }

            var width = Count();
            int? precision = null;
            if (At(i) == '.')
            {
                i++;
                precision = Count();
            }

            value ??= Next();
            var kind = At(i);
            var spec = new Spec(flags.Contains('0', StringComparison.Ordinal) && kind is not ('s' or 'r' or 'a' or 'c') ? '0' : ' ', flags.Contains('-', StringComparison.Ordinal) ? '<' : '>',
                flags.Contains('+', StringComparison.Ordinal) ? '+' : flags.Contains(' ', StringComparison.Ordinal) ? ' ' : '-', flags.Contains('#', StringComparison.Ordinal), width, false, precision, kind);
            Pad(built, Converted(render, value, spec), spec, value);
        }

        if (tuple is not null && next < tuple.Items.Count || tuple is null && next == 0 && values is not (DictValue or ListValue or UndefinedValue))
            throw new TemplateFault("not all arguments were converted by the format string");
        return built.ToText();
    }

    public static TextValue Braces(Render render, TextValue pattern, Arguments arguments)
    {
        var (built, text, next) = (new TextBuilder(render.Budget), pattern.Text, 0);
        for (var i = 0; i < text.Length; i++)
        {
            render.Budget.Step();
            if (text[i] is '{' or '}' && i + 1 < text.Length && text[i + 1] == text[i])
            {
                built.Append(pattern, i, ++i);
                continue;
            }

            if (text[i] == '}')
                throw new TemplateFault("a single '}' in a format string");
            if (text[i] != '{')
            {
                built.Append(pattern, i, i + 1);
                continue;
            }

            var close = text.IndexOf('}', i);
            if (close < 0)
                throw new TemplateFault("a single '{' in a format string");
            var field = text[(i + 1)..close];
            i = close;
            var colon = field.IndexOf(':', StringComparison.Ordinal);
            var (name, spec) = colon < 0 ? (field, "") : (field[..colon], field[(colon + 1)..]);
            var repr = name.EndsWith("!r", StringComparison.Ordinal);
            name = repr || name.EndsWith("!s", StringComparison.Ordinal) ? name[..^2] : name;
            if (name.AsSpan().IndexOfAny(".[!{") >= 0 || spec.Contains('{', StringComparison.Ordinal))
                throw TemplateFault.NotAllowed($"'{{{field}}}' in a format string");
            var value = name.Length == 0 ? arguments.At(next++)
                : int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var place) ? arguments.At(place)
                : arguments.Named.FirstOrDefault(n => n.Key == name).Value;
            if (value is null)
                throw new TemplateFault($"the format string asks for '{{{name}}}', which was not given");
            if (repr)
                value = PythonText.Repr(render, value);
            var parsed = Spec.Parse(spec);
            Pad(built, Converted(render, value, parsed), parsed, value);
        }

        return built.ToText();
    }

    private static int Bounded(int width) => width is >= 0 and <= MaxWidth ? width : throw new TemplateFault($"a width of {width} in a format string; {MaxWidth} is the limit");

    private static TextValue Converted(Render render, ChatValue value, Spec spec)
    {
        switch (spec.Kind)
        {
            case 's' or 'r' or 'a' or '\0' when spec.Kind != '\0' || value is not (IntValue or FloatValue or BoolValue):
                var text = spec.Kind is 's' or '\0' ? PythonText.Str(render, value) : PythonText.Repr(render, value);
                return spec.Precision is { } most && most < CodePoints.Count(text.Text) ? text.Slice(0, CodePoints.Starts(text.Text)[most]) : text;
            case 'c':
                return value is TextValue one ? one : new(char.ConvertFromUtf32((int)Math.Clamp(Whole(value), 0, 0xd7ff)));
            case 'd' or 'i' or 'u' or 'x' or 'X' or 'o' or 'b' or '\0' when value is not FloatValue || spec.Kind != '\0':
                var whole = Whole(value);
                var digits = spec.Kind switch
                {
                    'x' or 'X' => ((ulong)Math.Abs(whole)).ToString(spec.Kind == 'x' ? "x" : "X", CultureInfo.InvariantCulture),
                    'o' => Convert.ToString(Math.Abs(whole), 8),
                    'b' => Convert.ToString(Math.Abs(whole), 2),
                    _ => Math.Abs(whole).ToString(spec.Comma ? "#,0" : "0", CultureInfo.InvariantCulture),
                };
                var prefix = spec.Alternate ? spec.Kind switch { 'x' => "0x", 'X' => "0X", 'o' => "0o", 'b' => "0b", _ => "" } : "";
                return new(Sign(whole < 0, spec) + prefix + digits.PadLeft(Math.Min(MaxWidth, spec.Precision ?? 0), '0'));
            default:
                if (!Python.TryNumber(value, out var number))
                    throw new TemplateFault($"'{spec.Kind}' in a format string needs a number, not '{value.TypeName}'");
                return new(Sign(double.IsNegative(number), spec) + Magnitude(Math.Abs(number), spec));
        }
    }

    private static string Magnitude(double number, Spec spec)
    {
        var places = spec.Precision ?? 6;
        if (!double.IsFinite(number))
            return PythonText.Float(number);
        switch (spec.Kind)
        {
            case 'f' or 'F': return number.ToString((spec.Comma ? "N" : "F") + places.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
            case '%': return (number * 100).ToString("F" + places.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture) + "%";
            case 'e' or 'E':
                var text = number.ToString("E" + places.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
                var at = text.IndexOf('E', StringComparison.Ordinal);
                return text[..at] + spec.Kind + text[at + 1] + int.Parse(text.AsSpan(at + 2), NumberStyles.None, CultureInfo.InvariantCulture).ToString("00", CultureInfo.InvariantCulture);
            case 'g' or 'G' or '\0':
                if (spec.Kind == '\0' && spec.Precision is null)
                    return PythonText.Float(number);
                places = Math.Clamp(places, 1, 17);
                var scientific = number.ToString("E" + (places - 1).ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
                var exponent = int.Parse(scientific.AsSpan(scientific.IndexOf('E', StringComparison.Ordinal) + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
                if (exponent < -4 || exponent >= places)
                    return scientific[..scientific.IndexOf('E', StringComparison.Ordinal)].TrimEnd('0').TrimEnd('.') + (spec.Kind == 'G' ? "E" : "e") + (exponent < 0 ? "-" : "+") + Math.Abs(exponent).ToString("00", CultureInfo.InvariantCulture);
                var plain = number.ToString("F" + (places - 1 - exponent).ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
                return plain.Contains('.', StringComparison.Ordinal) ? plain.TrimEnd('0').TrimEnd('.') : plain;
            default: throw new TemplateFault($"'{spec.Kind}' is no format");
        }
    }

    private static string Sign(bool negative, Spec spec) => negative ? "-" : spec.Sign == '+' ? "+" : spec.Sign == ' ' ? " " : "";

    private static long Whole(ChatValue value) => Python.TryInt(value, out var whole) ? whole
        : value is FloatValue { Value: > -9e18 and < 9e18 } f ? (long)f.Value
        : throw new TemplateFault($"a format string needs a whole number, not '{value.TypeName}'");

    private static void Pad(TextBuilder built, TextValue text, Spec spec, ChatValue value)
    {
        var missing = spec.Width - CodePoints.Count(text.Text);
        var align = spec.Align != '\0' ? spec.Align : value is IntValue or FloatValue or BoolValue ? '>' : '<';
        var signed = spec.Fill == '0' && align is '>' or '=' && text.Text.Length > 0 && text.Text[0] is '-' or '+' or ' ';
        var before = missing <= 0 ? 0 : align switch { '<' => 0, '^' => missing / 2, _ => missing };
        if (signed)
            built.Append(text, 0, 1);
        for (var i = 0; i < before; i++)
            built.Append(spec.Fill);
        built.Append(text, signed ? 1 : 0, text.Text.Length);
        for (var i = 0; i < missing - before; i++)
            built.Append(spec.Fill);
    }

    /// <summary>Python's format specification.</summary>
    private sealed record Spec(char Fill, char Align, char Sign, bool Alternate, int Width, bool Comma, int? Precision, char Kind)
    {
        public static Spec Parse(string text)
        {
            var (i, fill, align, sign) = (0, ' ', '\0', '-');
            if (text.Length > 1 && text[1] is '<' or '>' or '^' or '=')
                (fill, align, i) = (text[0], text[1], 2);
            else if (text.Length > 0 && text[0] is '<' or '>' or '^' or '=')
                (align, i) = (text[0], 1);
            if (i < text.Length && text[i] is '+' or '-' or ' ')
                sign = text[i++];
            var alternate = i < text.Length && text[i] == '#';
            i += alternate ? 1 : 0;
            if (i < text.Length && text[i] == '0' && align == '\0')
                (fill, align) = ('0', '=');
            var width = Number(text, ref i) ?? 0;
            var comma = i < text.Length && text[i] is ',' or '_';
            i += comma ? 1 : 0;
            int? precision = null;
            if (i < text.Length && text[i] == '.')
            {
                i++;
                precision = Number(text, ref i) ?? throw new TemplateFault($"'{text}' is no format");
            }

            var kind = i < text.Length ? text[i++] : '\0';
            return i == text.Length ? new(fill, align, sign, alternate, Bounded(width), comma, precision is { } p ? Bounded(p) : null, kind) : throw new TemplateFault($"'{text}' is no format");
        }

        private static int? Number(string text, ref int i)
        {
            var start = i;
            while (i < text.Length && char.IsAsciiDigit(text[i]))
                i++;
            return i == start ? null : int.TryParse(text.AsSpan(start, i - start), NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : int.MaxValue;
        }
    }
}

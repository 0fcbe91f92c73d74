using System.Globalization;
using System.Text;

namespace Gradus.Text.Tokenizers.Chat;

internal enum TokenKind
{
    Data,
    BlockBegin,
    BlockEnd,
    OutputBegin,
    OutputEnd,
    Name,
    Text,
    Whole,
    Real,
    Sign,
    End,
}

/// <summary>A token of a template.</summary>
internal readonly record struct TemplateToken(TokenKind Kind, string Text, int At)
{
    public bool Is(TokenKind kind, string text) => Kind == kind && Text == text;

    public override string ToString() => Kind switch
    {
        TokenKind.End => "the end of the template",
        TokenKind.BlockEnd => "'%}'",
        TokenKind.OutputEnd => "'}}'",
        TokenKind.Data => "text",
        TokenKind.BlockBegin => "'{%'",
        TokenKind.OutputBegin => "'{{'",
        _ => $"'{(Text.Length > 40 ? Text[..40] + "…" : Text)}'",
    };
}

/// <summary>
/// Cuts a template into tokens, with Jinja's rules of white space as Hugging Face sets them: the line break behind a block goes
/// (<c>trim_blocks</c>), the indentation before one goes (<c>lstrip_blocks</c>), <c>-</c> takes all, <c>+</c> leaves all.
/// </summary>
internal sealed class TemplateLexer(string source)
{
    private readonly List<TemplateToken> _tokens = [];
    private int _at;
    private bool _atLineStart = true;

    public static string Normalised(string source)
    {
        var text = source.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        return text.EndsWith('\n') ? text[..^1] : text;
    }

    public List<TemplateToken> Tokens()
    {
        while (_at < source.Length)
            Outside();
        _tokens.Add(new(TokenKind.End, "", source.Length));
        return _tokens;
    }

    private void Outside()
    {
        var tag = _at;
        do
            tag = source.IndexOf('{', tag);
        while (tag >= 0 && !(tag + 1 < source.Length && source[tag + 1] is '{' or '%' or '#') && ++tag < source.Length);
        if (tag < 0 || tag >= source.Length)
        {
            Data(_at, source.Length);
            _at = source.Length;
            return;
        }

        var kind = source[tag + 1];
        var control = tag + 2 < source.Length && source[tag + 2] is '-' or '+' ? source[tag + 2] : ' ';
        Data(_at, Cut(_at, tag, control, strips: kind != '{'));
        var inside = tag + (control == ' ' ? 2 : 3);
        switch (kind)
        {
            case '#':
                var end = source.IndexOf("#}", inside, StringComparison.Ordinal);
                if (end < 0)
                    throw new TemplateFault("a comment '{#' is never closed", tag);
                _at = After(end > inside || source[end - 1] is '-' or '+' ? end - 1 : end, "#}", tag);
                break;
            case '%' when RawBegin(inside) is >= 0 and var body:
                Raw(body, tag);
                break;
            default:
                _tokens.Add(new(kind == '%' ? TokenKind.BlockBegin : TokenKind.OutputBegin, "", tag));
                _at = inside;
                Inside(kind == '%', tag);
                break;
        }
    }

    /// <summary>Where the text before a tag ends.</summary>
    private int Cut(int start, int end, char control, bool strips)
    {
        if (control == '-')
        {
            while (end > start && CodePoints.IsSpace(source[end - 1]))
                end--;
            return end;
        }

        if (control == '+' || !strips)
            return end;
        var line = end;
        while (line > start && source[line - 1] != '\n')
            line--;
        if (line == start && !_atLineStart)
            return end;
        for (var i = line; i < end; i++)
            if (!CodePoints.IsSpace(source[i]))
                return end;
        return line;
    }

    /// <summary>Where the template goes on behind a tag's end; <paramref name="at"/> is its sign, or the end itself when it has none.</summary>
    private int After(int at, string end, int tag)
    {
        var control = source[at];
        if (control is '-' or '+' && source.AsSpan(at + 1).StartsWith(end))
        {
            at += 3;
            while (control == '-' && at < source.Length && CodePoints.IsSpace(source[at]))
                at++;
        }
        else
        {
            at = source.IndexOf(end, at, StringComparison.Ordinal) + 2;
            if (at < source.Length && source[at] == '\n' && end != "}}")
                at++;
        }

        _atLineStart = at > tag && source[at - 1] == '\n';
        return at;
    }

    private int SkipSpace(int at)
    {
        while (at < source.Length && CodePoints.IsSpace(source[at]))
            at++;
        return at;
    }

    private int RawBegin(int at)
    {
        at = SkipSpace(at);
        if (!source.AsSpan(at).StartsWith("raw"))
            return -1;
        at = SkipSpace(at + 3);
        if (source.AsSpan(at).StartsWith("%}"))
            return at + 2;
        return source.AsSpan(at).StartsWith("-%}") ? SkipSpace(at + 3) : -1;
    }

    private void Raw(int body, int tag)
    {
        _atLineStart = source[body - 1] == '\n';
        for (var at = source.IndexOf("{%", body, StringComparison.Ordinal); at >= 0; at = source.IndexOf("{%", at + 2, StringComparison.Ordinal))
        {
            var control = at + 2 < source.Length && source[at + 2] is '-' or '+' ? source[at + 2] : ' ';
            var inside = SkipSpace(at + (control == ' ' ? 2 : 3));
            if (!source.AsSpan(inside).StartsWith("endraw"))
                continue;
            inside = SkipSpace(inside + 6);
            if (!source.AsSpan(inside).StartsWith("%}") && !source.AsSpan(inside).StartsWith("-%}") && !source.AsSpan(inside).StartsWith("+%}"))
                continue;
            Data(body, Cut(body, at, control, strips: true));
            _at = After(inside, "%}", tag);
            return;
        }

        throw new TemplateFault("'{% raw %}' is never closed by '{% endraw %}'", tag);
    }

    private void Data(int start, int end)
    {
        if (end > start)
            _tokens.Add(new(TokenKind.Data, source[start..end], start));
    }

    private void Inside(bool block, int tag)
    {
        var (open, end) = (new Stack<char>(), block ? "%}" : "}}");
        while (true)
        {
            _at = SkipSpace(_at);
            if (_at >= source.Length)
                throw new TemplateFault($"'{(block ? "{%" : "{{")}' is never closed by '{end}'", tag);
            if (open.Count == 0)
            {
                var rest = source.AsSpan(_at);
                if (rest.StartsWith(end) || (rest[0] == '-' && rest[1..].StartsWith(end)) || (block && rest[0] == '+' && rest[1..].StartsWith(end)))
                {
                    _tokens.Add(new(block ? TokenKind.BlockEnd : TokenKind.OutputEnd, "", _at));
                    _at = After(_at, end, tag);
                    return;
                }
            }

            var (c, start) = (source[_at], _at);
            if (c is '\'' or '"')
            {
                _tokens.Add(new(TokenKind.Text, String(c), start));
            }
            else if (char.IsAsciiDigit(c))
            {
                Number();
            }
            else if (c == '_' || char.IsLetter(c) || char.IsSurrogate(c))
            {
                while (_at < source.Length && (source[_at] == '_' || char.IsLetterOrDigit(source[_at]) || char.IsSurrogate(source[_at]) || char.GetUnicodeCategory(source[_at]) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark))
                    _at++;
                _tokens.Add(new(TokenKind.Name, source[start.._at], start));
            }
            else
            {
                Sign(open);
            }
        }
    }

    private void Sign(Stack<char> open)
    {
        var sign = SignAt(_at) ?? throw new TemplateFault($"unexpected character '{source[_at]}'", _at);
        if (sign is "(" or "[" or "{")
            open.Push(sign == "(" ? ')' : sign == "[" ? ']' : '}');
        else if (sign is ")" or "]" or "}" && (open.Count == 0 || open.Pop() != sign[0]))
            throw new TemplateFault($"'{sign}' closes nothing that is open", _at);
        _tokens.Add(new(TokenKind.Sign, sign, _at));
        _at += sign.Length;
    }

    private string? SignAt(int at)
    {
        var next = at + 1 < source.Length ? source[at + 1] : '\0';
        return source[at] switch
        {
            '/' => next == '/' ? "//" : "/",
            '*' => next == '*' ? "**" : "*",
            '=' => next == '=' ? "==" : "=",
            '!' => next == '=' ? "!=" : null,
            '>' => next == '=' ? ">=" : ">",
            '<' => next == '=' ? "<=" : "<",
            '+' => "+", '-' => "-", '%' => "%", '~' => "~", '.' => ".", ':' => ":", '|' => "|", ',' => ",", ';' => ";",
            '[' => "[", ']' => "]", '(' => "(", ')' => ")", '{' => "{", '}' => "}",
            _ => null,
        };
    }

    private void Number()
    {
        var (start, afterDot) = (_at, _at > 0 && source[_at - 1] == '.');
        void Digits(Func<char, bool> digit)
        {
            while (_at < source.Length && (digit(source[_at]) || (source[_at] == '_' && _at + 1 < source.Length && digit(source[_at + 1]))))
                _at++;
        }

        char At(int at) => at < source.Length ? char.ToLowerInvariant(source[at]) : '\0';
        if (source[_at] == '0' && At(_at + 1) is 'x' or 'o' or 'b' && char.IsAsciiHexDigit(At(_at + 2)))
        {
            var radix = At(_at + 1) switch { 'x' => 16, 'o' => 8, _ => 2 };
            _at += 2;
            Digits(c => char.IsAsciiHexDigit(c) && Convert.ToInt32(c.ToString(), 16) < radix);
            Whole(start, source[(start + 2).._at].Replace("_", "", StringComparison.Ordinal), radix);
            return;
        }

        Digits(char.IsAsciiDigit);
        var real = false;
        if (!afterDot && At(_at) == '.' && char.IsAsciiDigit(At(_at + 1)))
        {
            real = true;
            _at++;
            Digits(char.IsAsciiDigit);
        }

        if (!afterDot && At(_at) == 'e' && (char.IsAsciiDigit(At(_at + 1)) || (At(_at + 1) is '+' or '-' && char.IsAsciiDigit(At(_at + 2)))))
        {
            real = true;
            _at += 2;
            Digits(char.IsAsciiDigit);
        }

        var text = source[start.._at].Replace("_", "", StringComparison.Ordinal);
        if (real)
            _tokens.Add(new(TokenKind.Real, text, start));
        else
            Whole(start, text, 10);
    }

    private void Whole(int start, string digits, int radix)
    {
        try
        {
            var number = radix == 10 ? long.Parse(digits, NumberStyles.None, CultureInfo.InvariantCulture) : Convert.ToInt64(digits, radix);
            _tokens.Add(new(TokenKind.Whole, number.ToString(CultureInfo.InvariantCulture), start));
        }
        catch (Exception e) when (e is OverflowException or FormatException or ArgumentException)
        {
            throw new TemplateFault("a whole number of more than 64 bits", start);
        }
    }

    private string String(char quote)
    {
        var (start, built) = (_at++, (StringBuilder?)null);
        var from = _at;
        while (true)
        {
            if (_at >= source.Length)
                throw new TemplateFault("a string is never closed", start);
            var c = source[_at];
            if (c == quote)
                break;
            if (c != '\\')
            {
                _at++;
                continue;
            }

            built ??= new();
            built.Append(source, from, _at - from);
            Escape(built, start);
            from = _at;
        }

        var text = built is null ? source[from.._at] : built.Append(source, from, _at - from).ToString();
        _at++;
        return text;
    }

    // Python's escapes; a backslash before anything else stays.
    private void Escape(StringBuilder built, int start)
    {
        if (++_at >= source.Length)
            throw new TemplateFault("a string is never closed", start);
        var c = source[_at++];
        if (c is 'x' or 'u' or 'U')
        {
            var length = c == 'x' ? 2 : c == 'u' ? 4 : 8;
            if (_at + length > source.Length || !uint.TryParse(source.AsSpan(_at, length), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code) || code > 0x10ffff)
                throw new TemplateFault($"'\\{c}' in a string needs {length} hexadecimal digits", _at - 2);
            _at += length;
            built.Append(code <= 0xffff ? ((char)code).ToString() : char.ConvertFromUtf32((int)code));
            return;
        }

        if (c is >= '0' and <= '7')
        {
            var code = c - '0';
            for (var i = 0; i < 2 && _at < source.Length && source[_at] is >= '0' and <= '7'; i++)
                code = (code * 8) + source[_at++] - '0';
            built.Append((char)code);
            return;
        }

        var plain = c switch { 'n' => "\n", 't' => "\t", 'r' => "\r", '\\' => "\\", '\'' => "'", '"' => "\"", 'a' => "\a", 'b' => "\b", 'f' => "\f", 'v' => "\v", '\n' => "", _ => null };
        built.Append(plain ?? "\\" + c);
    }
}

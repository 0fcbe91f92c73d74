using System.Globalization;
using System.Text;

namespace Gradus.Text.Tokenizers.Patterns;

/// <summary>A part of a pattern in .NET's syntax: text, or a set that is written out once all sets are known.</summary>
internal readonly record struct PatternPart(string? Text, SetPart? Set);

/// <summary>A set of characters in a pattern.</summary>
/// <param name="Set">Which.</param>
/// <param name="Net">What .NET writes between brackets for it, if it can, without the negation.</param>
/// <param name="Negated">Whether .NET is to negate <paramref name="Net"/>.</param>
internal sealed record SetPart(CodeSet Set, string? Net, bool Negated);

/// <summary>
/// Reads a regular expression as Hugging Face's library means it (Oniguruma, Ruby's syntax, over code points) into parts for .NET's engine:
/// possessive quantifiers, sets in sets, POSIX classes and scripts, which .NET lacks, are written in other words.
/// </summary>
internal sealed partial class PatternReader(string pattern)
{
    private const int MaxDepth = 200;

    private readonly List<PatternPart> _parts = [];
    private readonly Stack<(bool IgnoreCase, bool DotAll, bool Extended)> _saved = new();
    private bool _ignoreCase, _dotAll, _extended;
    private int _at, _depth;

    /// <exception cref="FormatException">What is wrong, and where.</exception>
    public List<PatternPart> Read()
    {
        Alternatives();
        if (_at < pattern.Length)
            throw Wrong("a ')' without '('");
        return _parts;
    }

    private bool More => _at < pattern.Length;

    private FormatException Wrong(string what) => new(string.Create(CultureInfo.InvariantCulture, $"{what} at character {_at + 1}"));

    private bool Take(string text)
    {
        if (!pattern.AsSpan(_at).StartsWith(text, StringComparison.Ordinal))
            return false;
        _at += text.Length;
        return true;
    }

    private void Emit(string text) => _parts.Add(new(text, null));

    private void Emit(CodeSet set, string? net, bool negated = false) => _parts.Add(new(null, new(set, net, negated)));

    private void Alternatives()
    {
        if (++_depth > MaxDepth)
            throw Wrong("groups are nested too deep");
        while (More && pattern[_at] != ')')
        {
            if (Take("|"))
                Emit("|");
            else
                Quantified();
        }

        _depth--;
    }

    private void Quantified()
    {
        if (_extended && (char.IsWhiteSpace(pattern[_at]) || pattern[_at] == '#'))
        {
            var comment = pattern[_at] == '#';
            while (More && (comment ? pattern[_at] != '\n' : char.IsWhiteSpace(pattern[_at])))
                _at++;
            return;
        }

        var start = _parts.Count;
        Atom();
        if (_parts.Count == start)
            return;
        while (More && Quantifier() is { } quantifier)
        {
            if (Take("+") && quantifier[0] != '{') // possessive: what it took it does not give back
            {
                _parts.Insert(start, new("(?>", null));
                Emit(quantifier + ")");
            }
            else
            {
                if (_at > 0 && pattern[_at - 1] == '+' && quantifier[0] == '{')
                    _at--; // {n,m}+ repeats a repetition, in Ruby's syntax
                Emit(quantifier + (Take("?") ? "?" : ""));
            }

            if (More && "*+?{".Contains(pattern[_at], StringComparison.Ordinal)) // a quantifier of a quantifier
            {
                _parts.Insert(start, new("(?:", null));
                Emit(")");
            }
        }
    }

    private string? Quantifier()
    {
        if (pattern[_at] is '*' or '+' or '?')
            return pattern[_at++].ToString();
        if (pattern[_at] != '{')
            return null;
        var end = pattern.IndexOf('}', _at);
        if (end < 0)
            return null;
        var bounds = pattern[(_at + 1)..end].Split(',');
        if (bounds.Length > 2 || !bounds.All(b => b.All(char.IsAsciiDigit)) || bounds.All(b => b.Length == 0))
            return null;
        _at = end + 1;
        var least = bounds[0].Length == 0 ? "0" : bounds[0];
        return bounds.Length == 1 ? $"{{{least}}}" : $"{{{least},{bounds[1]}}}";
    }

    private void Atom()
    {
        var c = pattern[_at];
        switch (c)
        {
            case '(':
                _at++;
                Group();
                break;
            case '[':
                _at++;
                var (set, net, negated) = Brackets();
                Emit(_ignoreCase ? (negated ? set.Complement().InEveryCase().Complement() : set.InEveryCase()) : set, _ignoreCase ? null : net, negated);
                break;
            case '.':
                _at++;
                Emit(_dotAll ? "[\\s\\S]" : "[^\\n]");
                break;
            case '^':
                _at++;
                Emit("(?:\\A|(?m:^)(?!\\z))"); // not behind a line feed that ends the text
                break;
            case '$':
                _at++;
                Emit("(?m:$)");
                break;
            case '\\':
                _at++;
                Escape();
                break;
            default:
                Rune.TryGetRuneAt(pattern, _at, out var rune);
                _at += Math.Max(1, rune.Utf16SequenceLength);
                Literal(rune.Value);
                break;
        }
    }

    private void Literal(int c)
    {
        var set = CodeSet.Range(c, c);
        var cased = _ignoreCase ? set.InEveryCase() : set;
        if (c < 0x10000 && cased.Ranges is [var (first, last)] && first == last)
            Emit(Escaped(c));
        else
            Emit(cased, null);
    }

    private static string Escaped(int c) => c is < 0x80 and > 0x20 && char.IsAsciiLetterOrDigit((char)c) ? ((char)c).ToString() : string.Create(CultureInfo.InvariantCulture, $"\\u{c:X4}");

    private void Group()
    {
        _saved.Push((_ignoreCase, _dotAll, _extended));
        if (Take("?#"))
        {
            while (More && pattern[_at] != ')')
                _at++;
        }
        else if (More && pattern[_at] == '?')
        {
            string[] openings = ["?:", "?=", "?!", "?>", "?<=", "?<!"];
            if (Array.Find(openings, Take) is { } opening)
            {
                Emit("(" + opening);
                Alternatives();
                Emit(")");
            }
            else if (Take("?<") || Take("?'"))
            {
                var end = pattern.AsSpan(_at).IndexOfAny('>', '\'');
                if (end <= 0)
                    throw Wrong("a group's name does not end");
                Emit($"(?<{pattern[_at..(_at + end)]}>");
                _at += end + 1;
                Alternatives();
                Emit(")");
            }
            else if (Options())
            {
                (_ignoreCase, _dotAll, _extended) = _saved.Pop();
                return;
            }
        }
        else
        {
            Emit("(");
            Alternatives();
            Emit(")");
        }

        if (!Take(")"))
            throw Wrong("a '(' without ')'");
        (_ignoreCase, _dotAll, _extended) = _saved.Pop();
    }

    /// <summary><c>(?i:…)</c>, or <c>(?i)</c>, which holds up to the end of the group round it: then true, and that end is not read yet.</summary>
    private bool Options()
    {
        _at++;
        var on = true;
        for (; More && pattern[_at] is not (':' or ')'); _at++)
            switch (pattern[_at])
            {
                case '-': on = false; break;
                case 'i': _ignoreCase = on; break;
                case 'm' or 's': _dotAll = on; break;
                case 'x': _extended = on; break;
                default: throw Wrong($"the group '(?{pattern[_at]}' is not known");
            }

        if (Take(":"))
        {
            Emit("(?:");
            Alternatives();
            Emit(")");
            return false;
        }

        if (!Take(")"))
            throw Wrong("options without ')'");
        Emit("(?:");
        Alternatives();
        Emit(")");
        return true;
    }
}

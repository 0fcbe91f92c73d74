using System.Globalization;
using System.Text;

namespace Gradus.Text.Tokenizers.Patterns;

/// <summary>Escapes and bracketed sets.</summary>
internal sealed partial class PatternReader
{
    private void Escape()
    {
        if (!More)
            throw Wrong("a '\\' at the end");
        var c = pattern[_at];
        if (c is 'w' or 'W')
        {
            _at++;
            Emit(c == 'w' ? SetNames.WordAlone : SetNames.WordAlone.Complement(), null);
            return;
        }

        if (SetEscape() is { } set)
        {
            Emit(set.Set, set.Net, set.Negated);
            return;
        }

        switch (c)
        {
            case 'A' or 'z' or 'Z' or 'G':
                _at++;
                Emit("\\" + c);
                break;
            case 'b' or 'B':
                _at++;
                WordBorder(c == 'b');
                break;
            case 'R':
                _at++;
                Emit("(?>\\r\\n|[\\n-\\r\\u0085\\u2028\\u2029])");
                break;
            case >= '1' and <= '9':
                _at++;
                Emit("\\" + c);
                break;
            case 'K' or 'X' or 'k' or 'g' or 'y' or 'Y' or 'O' or 'N':
                throw Wrong($"'\\{c}' is not supported");
            default:
                Literal(CharacterEscape());
                break;
        }
    }

    private void WordBorder(bool at)
    {
        string[] texts = at ? ["(?:(?<=", ")(?!", ")|(?<!", ")(?=", "))"] : ["(?:(?<=", ")(?=", ")|(?<!", ")(?!", "))"];
        for (var i = 0; i < texts.Length; i++)
        {
            Emit(texts[i]);
            if (i + 1 < texts.Length)
                Emit(SetNames.WordAlone, null);
        }
    }

    /// <summary>Reads an escape that stands for a set; null, and nothing is read, for any other.</summary>
    private SetPart? SetEscape()
    {
        var c = pattern[_at];
        SetPart? set = c switch
        {
            's' => new(SetNames.Space, "\\s", false),
            'S' => new(SetNames.Space.Complement(), "\\s", true),
            'd' => new(CodeSet.Category(UnicodeCategory.DecimalDigitNumber), "\\d", false),
            'D' => new(CodeSet.Category(UnicodeCategory.DecimalDigitNumber).Complement(), "\\d", true),
            'w' => new(SetNames.Word, null, false),
            'W' => new(SetNames.Word.Complement(), null, false),
            'h' => new(SetNames.Find("xdigit")!.Value.Set, null, false),
            'H' => new(SetNames.Find("xdigit")!.Value.Set.Complement(), null, false),
            _ => null,
        };
        if (set is not null)
        {
            _at++;
            return set;
        }

        if (c is not ('p' or 'P'))
            return null;
        _at++;
        var negated = c == 'P';
        string name;
        if (Take("{"))
        {
            negated ^= Take("^");
            var end = pattern.IndexOf('}', _at);
            if (end < 0)
                throw Wrong("a property's name does not end");
            name = pattern[_at..end];
            _at = end + 1;
        }
        else
        {
            name = More ? pattern[_at++].ToString() : "";
        }

        if (SetNames.Find(name) is not var (found, net) || found is null)
            throw Wrong($"the property '{name}' is not known");
        return new(negated ? found.Complement() : found, net, negated);
    }

    private int CharacterEscape()
    {
        var c = pattern[_at++];
        switch (c)
        {
            case 'n': return '\n';
            case 't': return '\t';
            case 'r': return '\r';
            case 'f': return '\f';
            case 'v': return '\v';
            case 'a': return 7;
            case 'e': return 27;
            case '0': return 0;
            case 'u': return Hex(4, 4);
            case 'U': return Hex(8, 8);
            case 'x':
                if (!Take("{"))
                    return Hex(1, 2);
                var value = Hex(1, 8);
                return Take("}") ? value : throw Wrong("a character's number does not end");
            default:
                _at--;
                Rune.TryGetRuneAt(pattern, _at, out var rune);
                _at += Math.Max(1, rune.Utf16SequenceLength);
                return rune.Value;
        }
    }

    private int Hex(int least, int most)
    {
        var start = _at;
        while (More && _at - start < most && char.IsAsciiHexDigit(pattern[_at]))
            _at++;
        return _at - start >= least && int.TryParse(pattern.AsSpan(start, _at - start), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value) && Rune.IsValid(value)
            ? value
            : throw Wrong("a character's number is expected");
    }

    /// <summary>What stands behind a '[': a set of characters, ranges, escapes, named classes, sets in sets, and <c>&amp;&amp;</c> between sets.</summary>
    private (CodeSet Set, string? Net, bool Negated) Brackets()
    {
        if (++_depth > MaxDepth)
            throw Wrong("sets are nested too deep");
        var negated = Take("^");
        var set = CodeSet.Empty;
        var net = new StringBuilder();
        var plain = true; // .NET can write it as it stands
        CodeSet? left = null; // what stands before &&
        for (var first = true; !Take("]") || (first && Put(']')); first = false)
        {
            if (!More)
                throw Wrong("a '[' without ']'");
            if (Take("&&"))
            {
                left = left is null ? set : left.Intersect(set);
                (set, plain) = (CodeSet.Empty, false);
            }
            else if (Take("[:"))
            {
                var not = Take("^");
                var end = pattern.IndexOf(":]", _at, StringComparison.Ordinal);
                var named = end < 0 ? null : SetNames.Find(pattern[_at..end]);
                if (named is null)
                    throw Wrong("a class such as [:alpha:] is expected");
                _at = end + 2;
                set = set.Union(not ? named.Value.Set.Complement() : named.Value.Set);
                plain = false;
            }
            else if (Take("["))
            {
                set = set.Union(Brackets().Set);
                plain = false;
            }
            else
            {
                Item(ref set, net, ref plain);
            }
        }

        _depth--;
        if (left is not null)
            set = left.Intersect(set);
        return (negated ? set.Complement() : set, plain ? net.ToString() : null, negated);

        bool Put(char c)
        {
            set = set.Union(CodeSet.Range(c, c));
            net.Append(Escaped(c));
            return true;
        }
    }

    private void Item(ref CodeSet set, StringBuilder net, ref bool plain)
    {
        if (Take("\\"))
        {
            if (!More)
                throw Wrong("a '\\' at the end");
            if (SetEscape() is { } escape)
            {
                set = set.Union(escape.Set);
                plain &= escape is { Net: not null, Negated: false };
                net.Append(escape.Net);
                return;
            }

            _at--;
        }

        var first = Character();
        var last = first;
        if (_at + 1 < pattern.Length && pattern[_at] == '-' && pattern[_at + 1] != ']')
        {
            var back = _at++;
            if (pattern[_at] == '[' || (pattern[_at] == '\\' && _at + 1 < pattern.Length && "sSdDwWhHpP".Contains(pattern[_at + 1], StringComparison.Ordinal)))
                _at = back; // a '-' before a set is a '-'
            else
                last = Character();
        }

        if (last < first)
            throw Wrong("a range runs backwards");
        set = set.Union(CodeSet.Range(first, last));
        if (last >= 0x10000)
            plain = false;
        else
            net.Append(Escaped(first)).Append(last > first ? "-" + Escaped(last) : "");
    }

    private int Character()
    {
        if (Take("\\"))
            return pattern[_at] == 'b' && _at++ >= 0 ? 8 : CharacterEscape();
        if (!Rune.TryGetRuneAt(pattern, _at, out var rune))
            throw Wrong("half a character");
        _at += rune.Utf16SequenceLength;
        return rune.Value;
    }
}

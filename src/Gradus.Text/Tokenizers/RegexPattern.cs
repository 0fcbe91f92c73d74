using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Gradus.Foundation.Files;
using Gradus.Text.Tokenizers.Patterns;

namespace Gradus.Text.Tokenizers;

/// <summary>A regular expression as <c>tokenizer.json</c> files hold them, run by the framework's engine under a time limit.</summary>
/// <remarks>
/// The engine sees UTF-16 units, the references see code points. So every character beyond U+FFFF is shown to it as one unit of those that
/// no text has, the surrogates: one unit for all characters that are in the same sets of the pattern. Then a set means the same to both.
/// </remarks>
internal sealed class RegexPattern : CutPattern
{
    private const int FirstStandIn = 0xD800, LastStandIn = 0xDFFF;
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(3);

    private readonly string _pattern;
    private readonly Lazy<Regex> _regex;
    private readonly int[] _borders; // from each of these code points on, characters beyond U+FFFF have …
    private readonly char[] _standIns; // … this one

    private RegexPattern(string pattern, string translated, int[] borders, char[] standIns)
    {
        (_pattern, _borders, _standIns) = (pattern, borders, standIns);
        _regex = new(() => new Regex(translated, RegexOptions.CultureInvariant | RegexOptions.Compiled, s_limit));
    }

    /// <param name="pattern">The expression.</param>
    /// <param name="where">File and field, for the error.</param>
    /// <exception cref="UserException">The expression is malformed or uses what no engine here can do.</exception>
    public static RegexPattern Make(string pattern, string where)
    {
        try
        {
            var parts = new PatternReader(pattern).Read();
            var (borders, standIns) = StandIns(parts);
            var text = string.Concat(parts.Select(p => p.Text ?? Write(p.Set!, borders, standIns)));
            _ = new Regex(text, RegexOptions.CultureInvariant, s_limit); // malformed ones are told now, not when first used
            return new(pattern, text, borders, standIns);
        }
        catch (Exception e) when (e is FormatException or ArgumentException)
        {
            throw new UserException($"{where}: cannot read the pattern {pattern}: {e.Message}", e);
        }
    }

    public override void Find(ReadOnlySpan<byte> text, List<PatternMatch> found)
    {
        if (text.IsEmpty)
        {
            found.Add(new(0, 0, false));
            return;
        }

        var chars = new char[text.Length];
        var starts = new int[text.Length + 1]; // the byte where each character starts
        var count = 0;
        for (var at = 0; at < text.Length; count++)
        {
            starts[count] = at;
            if (text[at] < 0x80)
            {
                chars[count] = (char)text[at++];
                continue;
            }

            Rune.DecodeFromUtf8(text[at..], out var rune, out var length);
            chars[count] = rune.IsBmp ? (char)rune.Value : StandIn(rune.Value);
            at += length;
        }

        starts[count] = text.Length;
        var done = 0;
        var last = -1; // where the last match ended: an empty one there is none
        try
        {
            foreach (var match in _regex.Value.EnumerateMatches(chars.AsSpan(0, count)))
            {
                if (match.Length == 0 && match.Index == last)
                    continue;
                Between(starts[done], starts[match.Index], found);
                last = done = match.Index + match.Length;
                found.Add(new(starts[match.Index], starts[done], true));
            }
        }
        catch (RegexMatchTimeoutException e)
        {
            throw new UserException($"the tokenizer's pattern {_pattern} took more than {s_limit.TotalSeconds:0} s on one text of {text.Length} bytes: simplify the pattern or cut the text", e);
        }

        Between(starts[done], text.Length, found);
    }

    private char StandIn(int c)
    {
        var at = Array.BinarySearch(_borders, c);
        return _standIns[at >= 0 ? at : ~at - 1];
    }

    /// <summary>Cuts the characters beyond U+FFFF where any set begins or ends; stretches that are in the same sets share a stand-in.</summary>
    private static (int[] Borders, char[] StandIns) StandIns(List<PatternPart> parts)
    {
        CodeSet[] sets = [.. parts.Where(p => p.Set is not null).Select(p => p.Set!.Set).Distinct()];
        int[] borders = [.. sets.SelectMany(s => s.Ranges).SelectMany(r => new[] { r.First, r.Last + 1 }).Append(0x10000).Where(c => c is >= 0x10000 and <= CodeSet.Last).Distinct().Order()];
        var kinds = new Dictionary<string, char>(StringComparer.Ordinal);
        var standIns = new char[borders.Length];
        for (var i = 0; i < borders.Length; i++)
        {
            var kind = string.Create(sets.Length, (sets, borders[i]), (text, s) =>
            {
                for (var k = 0; k < text.Length; k++)
                    text[k] = s.sets[k].Contains(s.Item2) ? '1' : '0';
            });
            if (!kinds.TryGetValue(kind, out standIns[i]))
                kinds.Add(kind, standIns[i] = FirstStandIn + kinds.Count <= LastStandIn ? (char)(FirstStandIn + kinds.Count) : throw new FormatException("the pattern has too many sets"));
        }

        return (borders, standIns);
    }

    private static string Write(SetPart part, int[] borders, char[] standIns)
    {
        var text = new StringBuilder("[");
        if (part.Net is not null)
        {
            text.Append(part.Negated ? "^" : "").Append(part.Net);
            AddStandIns(text, borders, standIns, c => part.Set.Contains(c) != part.Negated);
            return text.Length > 1 + (part.Negated ? 1 : 0) ? text.Append(']').ToString() : part.Negated ? "[\\s\\S]" : "(?!)";
        }

        foreach (var (first, last) in part.Set.Ranges)
        {
            Add(text, first, Math.Min(last, FirstStandIn - 1));
            Add(text, Math.Max(first, LastStandIn + 1), Math.Min(last, 0xFFFF));
        }

        AddStandIns(text, borders, standIns, part.Set.Contains);
        return text.Length > 1 ? text.Append(']').ToString() : "(?!)"; // an empty set matches nothing
    }

    private static void AddStandIns(StringBuilder text, int[] borders, char[] standIns, Func<int, bool> contains)
    {
        foreach (var c in standIns.Where((_, i) => contains(borders[i])).Distinct())
            Add(text, c, c);
    }

    private static void Add(StringBuilder text, int first, int last)
    {
        if (first <= last)
            text.Append(CultureInfo.InvariantCulture, $"\\u{first:X4}-\\u{last:X4}");
    }
}

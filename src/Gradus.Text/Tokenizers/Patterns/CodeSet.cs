using System.Globalization;
using System.Text;

namespace Gradus.Text.Tokenizers.Patterns;

/// <summary>A set of code points: sorted ranges, both ends included.</summary>
internal sealed class CodeSet
{
    public const int Last = 0x10FFFF;

    private static readonly CodeSet?[] s_categories = new CodeSet?[30];

    private CodeSet(List<(int First, int Last)> ranges) => Ranges = ranges;

    public static CodeSet Empty { get; } = new([]);

    public static CodeSet All { get; } = Range(0, Last);

    public IReadOnlyList<(int First, int Last)> Ranges { get; }

    public static CodeSet Range(int first, int last) => new([(first, last)]);

    public static CodeSet Where(Func<int, bool> contains)
    {
        List<(int, int)> ranges = [];
        var start = -1;
        for (var c = 0; c <= Last + 1; c++)
        {
            var inside = c <= Last && contains(c);
            if (inside && start < 0)
                start = c;
            if (!inside && start >= 0)
            {
                ranges.Add((start, c - 1));
                start = -1;
            }
        }

        return new(ranges);
    }

    public static CodeSet Category(UnicodeCategory category) =>
        s_categories[(int)category] ??= Where(c => CharUnicodeInfo.GetUnicodeCategory(c) == category); // two threads may make it twice: same content

    public CodeSet Union(CodeSet other)
    {
        List<(int First, int Last)> merged = [];
        foreach (var (first, last) in Ranges.Concat(other.Ranges).OrderBy(r => r.First))
        {
            if (merged.Count > 0 && first <= merged[^1].Last + 1)
                merged[^1] = (merged[^1].First, Math.Max(merged[^1].Last, last));
            else
                merged.Add((first, last));
        }

        return new(merged);
    }

    public CodeSet Complement()
    {
        List<(int, int)> gaps = [];
        var from = 0;
        foreach (var (first, last) in Ranges)
        {
            if (first > from)
                gaps.Add((from, first - 1));
            from = last + 1;
        }

        if (from <= Last)
            gaps.Add((from, Last));
        return new(gaps);
    }

    public CodeSet Intersect(CodeSet other) => Complement().Union(other.Complement()).Complement();

    public bool Contains(int c)
    {
        int low = 0, high = Ranges.Count - 1;
        while (low <= high)
        {
            var middle = (low + high) / 2;
            if (c > Ranges[middle].Last)
                low = middle + 1;
            else if (c < Ranges[middle].First)
                high = middle - 1;
            else
                return true;
        }

        return false;
    }

    /// <summary>The set and the other cases of its characters. Sets of thousands of characters, such as all letters, have them already.</summary>
    public CodeSet InEveryCase()
    {
        var result = this;
        if (Ranges.Sum(r => r.Last - r.First + 1) > 2000)
            return result;
        foreach (var (first, last) in Ranges)
            for (var c = first; c <= last; c++)
            {
                if (!Rune.IsValid(c))
                    continue;
                var upper = Rune.ToUpperInvariant(new Rune(c)).Value;
                var lower = UnicodeData.ToLower(c);
                result = result.Union(Range(upper, upper)).Union(Range(lower, lower));
                if (c is 's' or 'S')
                    result = result.Union(Range(0x17F, 0x17F)); // long s
                if (c is 'k' or 'K')
                    result = result.Union(Range(0x212A, 0x212A)); // Kelvin
            }

        return result;
    }
}

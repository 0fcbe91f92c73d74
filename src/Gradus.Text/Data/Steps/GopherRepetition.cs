using Gradus.Foundation.Kernels;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Data.Steps;

/// <summary>The repetition rules of MassiveText (Rae et al., 2021, table A1), with their thresholds.</summary>
/// <remarks>
/// A line, paragraph or n-gram is a duplicate from its second occurrence on. Characters in overlapping duplicate n-grams count once. The
/// most frequent n-gram is taken with its longest form where several are equally frequent; one that occurs once is not repetition.
/// </remarks>
[Component("gopher-repetition")]
public sealed record GopherRepetition : LocalStep, IValidated
{
    /// <summary>Greatest share of lines that are duplicates.</summary>
    [AtLeast(0)]
    [AtMost(1)]
    public double MaxDuplicateLines { get; init; } = 0.3;

    /// <summary>Greatest share of paragraphs that are duplicates.</summary>
    [AtLeast(0)]
    [AtMost(1)]
    public double MaxDuplicateParagraphs { get; init; } = 0.3;

    /// <summary>Greatest share of characters in duplicate lines.</summary>
    [AtLeast(0)]
    [AtMost(1)]
    public double MaxDuplicateLineCharacters { get; init; } = 0.2;

    /// <summary>Greatest share of characters in duplicate paragraphs.</summary>
    [AtLeast(0)]
    [AtMost(1)]
    public double MaxDuplicateParagraphCharacters { get; init; } = 0.2;

    /// <summary>Greatest share of characters in the most frequent 2-gram, 3-gram, 4-gram.</summary>
    [AtLeast(0)]
    [AtMost(1)]
    public IReadOnlyList<double> MaxTopNGrams { get; init; } = [0.20, 0.18, 0.16];

    /// <summary>Greatest share of characters in duplicate 5-grams, 6-grams … 10-grams.</summary>
    [AtLeast(0)]
    [AtMost(1)]
    public IReadOnlyList<double> MaxDuplicateNGrams { get; init; } = [0.15, 0.14, 0.13, 0.12, 0.11, 0.10];

    public override IDocumentStep Build() => new Step(this);

    public IEnumerable<(string Key, string Message)> Problems()
    {
        if (MaxTopNGrams.Count > 4)
            yield return (nameof(MaxTopNGrams), "has more than four numbers; they are for 2-grams, 3-grams and so on");
        if (MaxDuplicateNGrams.Count > 16)
            yield return (nameof(MaxDuplicateNGrams), "has more than sixteen numbers; they are for 5-grams, 6-grams and so on");
    }

    private sealed class Step(GopherRepetition o) : IDocumentStep
    {
        private readonly HashTally _tally = new();
        private WordSpan[] _words = new WordSpan[1024];
        private int _count;

        public void Apply(Draft draft)
        {
            var shape = draft.Shape;
            if (Duplicates(shape.Lines, o.MaxDuplicateLines, o.MaxDuplicateLineCharacters, shape.Characters) is { } line)
            {
                draft.Drop(line.Characters ? "duplicate-line-characters" : "duplicate-lines", Figure.Of(line.Share));
                return;
            }

            if (Duplicates(shape.Paragraphs, o.MaxDuplicateParagraphs, o.MaxDuplicateParagraphCharacters, shape.Characters) is { } paragraph)
            {
                draft.Drop(paragraph.Characters ? "duplicate-paragraph-characters" : "duplicate-paragraphs", Figure.Of(paragraph.Share));
                return;
            }

            Words(shape);
            for (var i = 0; i < o.MaxTopNGrams.Count; i++)
            {
                var (count, length) = Top(i + 2);
                var share = count < 2 ? 0 : (double)count * length / Math.Max(1, shape.Characters);
                if (share > o.MaxTopNGrams[i])
                {
                    draft.Drop(FormattableString.Invariant($"top-{i + 2}-gram"), Figure.Of(share));
                    return;
                }

                // A longer n-gram is no more frequent than the shorter one at its start: often that settles the rest.
                if (count < 2 || (double)count * Longest(o.MaxTopNGrams.Count + 1) / Math.Max(1, shape.Characters) <= Least(o.MaxTopNGrams, i + 1))
                    break;
            }

            for (var i = 0; i < o.MaxDuplicateNGrams.Count; i++)
            {
                var share = (double)Covered(i + 5) / Math.Max(1, shape.Characters);
                if (share > o.MaxDuplicateNGrams[i])
                {
                    draft.Drop(FormattableString.Invariant($"duplicate-{i + 5}-grams"), Figure.Of(share));
                    return;
                }

                // What duplicate n-grams cover is at least what longer ones cover.
                if (share <= Least(o.MaxDuplicateNGrams, i + 1))
                    break;
            }
        }

        private (double Share, bool Characters)? Duplicates(ReadOnlySpan<LineSpan> lines, double maxShare, double maxCharacters, int all)
        {
            if (lines.Length < 2)
                return null;
            _tally.Clear(lines.Length);
            var (duplicates, characters) = (0, 0L);
            foreach (var line in lines)
            {
                if (_tally.Add(line.Hash) == 1)
                    continue;
                duplicates++;
                characters += line.Characters;
            }

            if (duplicates > maxShare * lines.Length)
                return ((double)duplicates / lines.Length, false);
            return characters > maxCharacters * all ? ((double)characters / all, true) : null;
        }

        private void Words(TextShape shape)
        {
            if (_words.Length < shape.Words)
                _words = new WordSpan[Math.Max(shape.Words, 2 * _words.Length)];
            _count = 0;
            foreach (var run in shape.Runs)
                if (run.Length > 0)
                    _words[_count++] = run;
        }

        private ulong Gram(int at, int n)
        {
            var hash = 0UL;
            for (var i = 0; i < n; i++)
                hash = unchecked(hash * 0x9E3779B97F4A7C15 + _words[at + i].Hash);
            return Hash64.Mix(hash);
        }

        /// <summary>Characters of an n-gram, its words joined by single spaces.</summary>
        private int LengthOf(int at, int n)
        {
            var length = n - 1;
            for (var i = 0; i < n; i++)
                length += _words[at + i].Characters;
            return length;
        }

        private int Longest(int n)
        {
            var longest = 0;
            for (var i = 0; i < _count; i++)
                longest = Math.Max(longest, _words[i].Characters);
            return n * (longest + 1);
        }

        private static double Least(IReadOnlyList<double> limits, int from)
        {
            var least = double.PositiveInfinity;
            for (var i = from; i < limits.Count; i++)
                least = Math.Min(least, limits[i]);
            return least;
        }

        private (int Count, int Length) Top(int n)
        {
            _tally.Clear(_count);
            var (best, length) = (0, 0);
            for (var at = 0; at + n <= _count; at++)
            {
                var count = _tally.Add(Gram(at, n));
                if (count < best || count == 1 && best > 0)
                    continue;
                (length, best) = (count > best ? LengthOf(at, n) : Math.Max(length, LengthOf(at, n)), count);
            }

            return (best, length);
        }

        /// <summary>Characters of the words inside n-grams that occurred before, and of the spaces between them.</summary>
        private long Covered(int n)
        {
            _tally.Clear(_count);
            var (covered, until) = (0L, 0);
            for (var at = 0; at + n <= _count; at++)
            {
                if (_tally.Add(Gram(at, n)) == 1)
                    continue;
                for (var i = Math.Max(at, until); i < at + n; i++)
                    covered += _words[i].Characters + (i > at ? 1 : 0);
                until = at + n;
            }

            return covered;
        }
    }
}

/// <summary>Counts 64-bit hashes: open addressing, cleared in no time, grown when needed.</summary>
internal sealed class HashTally
{
    private ulong[] _keys = new ulong[1 << 10];
    private int[] _counts = new int[1 << 10];
    private int[] _rounds = new int[1 << 10];
    private int _round, _mask = (1 << 10) - 1;

    /// <summary>Forgets everything and makes room.</summary>
    public void Clear(int expected)
    {
        if (_keys.Length < 2L * expected)
        {
            var size = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)(2 * expected));
            (_keys, _counts, _rounds, _round, _mask) = (new ulong[size], new int[size], new int[size], 0, size - 1);
        }

        _round++;
    }

    /// <summary>How often this hash has been added, this time included.</summary>
    public int Add(ulong hash)
    {
        for (var at = (int)hash & _mask; ; at = (at + 1) & _mask)
        {
            if (_rounds[at] != _round)
            {
                (_rounds[at], _keys[at], _counts[at]) = (_round, hash, 1);
                return 1;
            }

            if (_keys[at] == hash)
                return ++_counts[at];
        }
    }
}

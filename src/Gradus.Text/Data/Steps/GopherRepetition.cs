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
        private ulong[] _hashes = new ulong[1024]; // of the words
        private int[] _lengths = new int[1024]; // in characters
        private int _count, _longest;

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
            if (_hashes.Length < shape.Words)
                (_hashes, _lengths) = (new ulong[2 * shape.Words], new int[2 * shape.Words]);
            (_count, _longest) = (0, 0);
            foreach (ref readonly var run in shape.Runs)
            {
                if (run.Length == 0)
                    continue;
                (_hashes[_count], _lengths[_count]) = (run.Hash, run.Characters);
                _longest = Math.Max(_longest, run.Characters);
                _count++;
            }
        }

        /// <summary>Characters of an n-gram, its words joined by single spaces.</summary>
        private int LengthOf(int at, int n)
        {
            var length = n - 1;
            for (var i = 0; i < n; i++)
                length += _lengths[at + i];
            return length;
        }

        private int Longest(int n) => n * (_longest + 1);

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
            var grams = new Grams(_hashes.AsSpan(0, _count), n);
            for (var at = 0; grams.Next(out var gram); at++)
            {
                var count = _tally.Add(gram);
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
            var grams = new Grams(_hashes.AsSpan(0, _count), n);
            for (var at = 0; grams.Next(out var gram); at++)
            {
                if (!_tally.Seen(gram))
                    continue;
                for (var i = Math.Max(at, until); i < at + n; i++)
                    covered += _lengths[i] + (i > at ? 1 : 0);
                until = at + n;
            }

            return covered;
        }
    }

    /// <summary>The hashes of all n-grams, one after the other: a polynomial of the words' hashes, of which one goes and one comes.</summary>
    private ref struct Grams
    {
        private const ulong Base = 0x9E3779B97F4A7C15;

        private readonly ReadOnlySpan<ulong> _words;
        private readonly int _n;
        private readonly ulong _first = 1; // what the first word of an n-gram is multiplied by
        private ulong _hash;
        private int _next;

        public Grams(ReadOnlySpan<ulong> words, int n)
        {
            _words = words;
            _n = n;
            for (; _next < n - 1 && _next < words.Length; _next++)
                (_first, _hash) = unchecked((_first * Base, _hash * Base + words[_next]));
        }

        public bool Next(out ulong gram)
        {
            gram = 0;
            if (_next >= _words.Length)
                return false;
            var whole = unchecked(_hash * Base + _words[_next++]);
            _hash = unchecked(whole - _first * _words[_next - _n]);
            gram = Hash64.Mix(whole);
            return true;
        }
    }
}

/// <summary>Counts 64-bit hashes: open addressing, in room for what is expected and no more, so that little is cleared.</summary>
internal sealed class HashTally
{
    private ulong[] _keys = new ulong[1 << 10]; // 0 is an empty place
    private int[] _more = new int[1 << 10]; // how often besides the first time
    private int _mask = (1 << 10) - 1;

    /// <summary>Forgets everything and makes room.</summary>
    public void Clear(int expected)
    {
        var size = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(8, 2 * expected));
        if (_keys.Length < size)
            (_keys, _more) = (new ulong[size], new int[size]);
        Array.Clear(_keys, 0, size);
        Array.Clear(_more, 0, size);
        _mask = size - 1;
    }

    /// <summary>How often this hash has been added, this time included.</summary>
    public int Add(ulong hash) => Place(hash) is >= 0 and var at ? 1 + ++_more[at] : 1;

    /// <summary>Whether this hash has been added before; it has now.</summary>
    public bool Seen(ulong hash) => Place(hash) >= 0;

    /// <summary>Where it stands, or -1 when it had to be put there.</summary>
    private int Place(ulong hash)
    {
        hash = Math.Max(1, hash);
        var keys = _keys;
        for (var at = (int)hash & _mask; ; at = (at + 1) & _mask)
        {
            if (keys[at] == 0)
            {
                keys[at] = hash;
                return -1;
            }

            if (keys[at] == hash)
                return at;
        }
    }
}

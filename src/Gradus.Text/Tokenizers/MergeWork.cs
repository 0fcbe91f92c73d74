using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Gradus.Text.Tokenizers;

/// <summary>
/// The merging itself, with the scratch it needs: repeatedly joins the pair of lowest rank, the leftmost among equals, until no pair
/// merges. One per thread. Short pieces take a scan over an array, long ones a tree of minima, so n symbols cost O(n log n).
/// </summary>
internal sealed class MergeWork(MergeTable merges)
{
    private const int ShortPiece = 96;
    private const int KeptCapacity = 1 << 16;

    private readonly int[] _ranks = new int[ShortPiece];
    private readonly int[] _results = new int[ShortPiece];
    private readonly byte[] _previous = new byte[ShortPiece + 1];
    private readonly byte[] _next = new byte[ShortPiece + 1];
    private LongScratch? _long;

    /// <summary>Nodes visited and symbols joined so far: what grows with the length of a text, for tests of how it grows.</summary>
    public long Steps { get; private set; }

    /// <summary>Merges the symbols in place; returns how many are left.</summary>
    /// <param name="symbols">The piece.</param>
    /// <param name="stopAt">Stops when only so many are left.</param>
    public int Merge(Span<int> symbols, int stopAt = 1) => Merge(symbols, [], stopAt);

    /// <summary>The same, and keeps of <paramref name="starts"/> (empty, or one for each symbol) those of the symbols that are left.</summary>
    public int Merge(Span<int> symbols, Span<int> starts, int stopAt = 1)
    {
        if (symbols.Length <= ShortPiece)
            return MergeShort(symbols, starts, stopAt);
        var scratch = _long is { } kept && kept.Capacity >= symbols.Length ? kept : new LongScratch(Math.Max(1024, symbols.Length));
        _long = scratch.Capacity <= KeptCapacity ? scratch : null; // a text of one huge piece should not pin its scratch for ever
        var count = scratch.Merge(symbols, starts, merges, stopAt);
        Steps += scratch.Visited;
        return count;
    }

    /// <summary>A linked list of symbols whose ranks stay where they are, eight to a vector: the lowest is found without branches.</summary>
    private int MergeShort(Span<int> symbols, Span<int> starts, int stopAt)
    {
        var count = symbols.Length;
        if (count < 2)
            return count;
        var (ranks, results, previous, next) = (_ranks, _results, _previous, _next);
        var padded = (count + 7) & ~7;
        for (var i = 0; i + 1 < count; i++)
        {
            ranks[i] = merges.Rank(symbols[i], symbols[i + 1], out results[i]);
            next[i] = (byte)(i + 1);
            previous[i + 1] = (byte)i;
        }

        next[count - 1] = (byte)count;
        ranks.AsSpan(count - 1, padded - count + 1).Fill(MergeTable.NoMerge);
        var left = count;
        while (left > stopAt)
        {
            var at = Lowest(ranks, padded);
            if (ranks[at] == MergeTable.NoMerge)
                break;
            left--;
            symbols[at] = results[at];
            var gone = next[at];
            ranks[gone] = MergeTable.NoMerge;
            var after = next[gone];
            next[at] = after;
            previous[after] = (byte)at;
            ranks[at] = after < count ? merges.Rank(symbols[at], symbols[after], out results[at]) : MergeTable.NoMerge;
            if (at > 0)
            {
                var before = previous[at];
                ranks[before] = merges.Rank(symbols[before], symbols[at], out results[before]);
            }
        }

        Steps += (count - left + 1) * (padded / 8);
        for (int to = 1, from = next[0]; to < left; to++, from = next[from])
        {
            symbols[to] = symbols[from];
            if (!starts.IsEmpty)
                starts[to] = starts[from];
        }

        return left;
    }

    /// <summary>The leftmost of the lowest ranks.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Lowest(int[] ranks, int padded)
    {
        ref var first = ref MemoryMarshal.GetArrayDataReference(ranks);
        var lowest = Vector256.LoadUnsafe(ref first);
        for (var i = 8; i < padded; i += 8)
            lowest = Vector256.Min(lowest, Vector256.LoadUnsafe(ref first, (nuint)i));
        var four = Vector128.Min(lowest.GetLower(), lowest.GetUpper());
        four = Vector128.Min(four, Vector128.Shuffle(four, Vector128.Create(2, 3, 0, 1)));
        four = Vector128.Min(four, Vector128.Shuffle(four, Vector128.Create(1, 0, 3, 2)));
        var wanted = Vector256.Create(four, four);
        for (var i = 0; ; i += 8)
        {
            var here = Vector256.Equals(Vector256.LoadUnsafe(ref first, (nuint)i), wanted).ExtractMostSignificantBits();
            if (here != 0)
                return i + BitOperations.TrailingZeroCount(here);
        }
    }

    /// <summary>
    /// A doubly linked list of symbols, and over the ranks of its pairs a tree whose nodes hold the minimum of 16 children: one cache
    /// line a node. The next merge is found by walking down, a changed rank is carried up until a node's minimum stays. Text is merged
    /// roughly from left to right, so unlike a heap's the paths stay in the cache: twice the text takes twice the time.
    /// </summary>
    private sealed class LongScratch(int capacity)
    {
        private readonly int[] _previous = new int[capacity];
        private readonly int[] _next = new int[capacity];
        private readonly int[] _nodes = new int[Layout(capacity, new int[9], out _)];
        private readonly int[] _starts = new int[9]; // where each level begins; level 0 holds the ranks themselves
        private int _top;

        public int Capacity => capacity;

        /// <summary>Nodes that the last piece took.</summary>
        public long Visited { get; private set; }

        public int Merge(Span<int> symbols, Span<int> starts, MergeTable merges, int stopAt)
        {
            var count = symbols.Length;
            Visited = count;
            Build(symbols, merges);
            for (var left = count; left > stopAt && Lowest() is >= 0 and var at; left--)
            {
                var gone = _next[at];
                var after = _next[gone];
                merges.Rank(symbols[at], symbols[gone], out symbols[at]);
                _next[at] = after;
                if (after < count)
                    _previous[after] = at;
                Set(gone, MergeTable.NoMerge);
                Set(at, after < count ? merges.Rank(symbols[at], symbols[after], out _) : MergeTable.NoMerge);
                var before = _previous[at];
                if (before >= 0)
                    Set(before, merges.Rank(symbols[before], symbols[at], out _));
            }

            var kept = 0;
            for (var i = 0; i < count; i = _next[i])
            {
                if (!starts.IsEmpty)
                    starts[kept] = starts[i];
                symbols[kept++] = symbols[i];
            }

            return kept;
        }

        private void Build(Span<int> symbols, MergeTable merges)
        {
            var count = symbols.Length;
            var used = Layout(count, _starts, out _top);
            _nodes.AsSpan(0, used).Fill(MergeTable.NoMerge);
            for (var i = 0; i < count; i++)
            {
                _previous[i] = i - 1;
                _next[i] = i + 1;
                if (i + 1 < count)
                    _nodes[i] = merges.Rank(symbols[i], symbols[i + 1], out _);
            }

            for (var level = 0; level < _top; level++)
                for (var node = 0; _starts[level] + 16 * node < _starts[level + 1]; node++)
                    _nodes[_starts[level + 1] + node] = Minimum(ref _nodes[_starts[level] + 16 * node]);
        }

        /// <summary>The leftmost pair of lowest rank, or -1 when nothing merges.</summary>
        private int Lowest()
        {
            var minimum = Minimum(ref _nodes[_starts[_top]]);
            if (minimum == MergeTable.NoMerge)
                return -1;
            var at = 0;
            Visited += _top + 1;
            for (var level = _top; level >= 0; level--)
                at = 16 * at + FirstEqual(ref _nodes[_starts[level] + 16 * at], minimum);
            return at;
        }

        private void Set(int at, int rank)
        {
            _nodes[at] = rank;
            for (var level = 0; level < _top; level++)
            {
                at >>= 4;
                Visited++;
                var minimum = Minimum(ref _nodes[_starts[level] + 16 * at]);
                ref var node = ref _nodes[_starts[level + 1] + at];
                if (node == minimum)
                    return;
                node = minimum;
            }
        }

        /// <summary>Fills in where the levels begin, each padded to whole nodes; returns their total size.</summary>
        private static int Layout(int count, int[] starts, out int top)
        {
            var total = 0;
            for (top = 0; ; top++)
            {
                starts[top] = total;
                var nodes = (count + 15) / 16;
                total = checked(total + 16 * nodes);
                if (nodes <= 1)
                {
                    starts[top + 1] = total;
                    return total;
                }

                count = nodes;
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static int Minimum(ref int node)
        {
            var eight = Vector256.Min(Vector256.LoadUnsafe(ref node), Vector256.LoadUnsafe(ref node, 8));
            var four = Vector128.Min(eight.GetLower(), eight.GetUpper());
            var two = Vector128.Min(four, Vector128.Shuffle(four, Vector128.Create(2, 3, 0, 1)));
            return Math.Min(two[0], two[1]);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static int FirstEqual(ref int node, int value)
        {
            var wanted = Vector256.Create(value);
            var low = Vector256.Equals(Vector256.LoadUnsafe(ref node), wanted).ExtractMostSignificantBits();
            var high = Vector256.Equals(Vector256.LoadUnsafe(ref node, 8), wanted).ExtractMostSignificantBits();
            return BitOperations.TrailingZeroCount(low | (high << 8));
        }
    }
}

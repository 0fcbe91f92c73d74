using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Gradus.Text.Tokenizers;

/// <summary>
/// The merging itself, with the scratch it needs: repeatedly joins the pair of lowest rank, the leftmost among equals, until no pair
/// merges. One per thread. Short pieces take a scan over an array, long ones a tree of minima, so n symbols cost O(n log n).
/// </summary>
internal sealed class MergeWork(MergeTable merges)
{
    private const int ShortPiece = 48;
    private const int KeptCapacity = 1 << 16;

    private readonly int[] _ranks = new int[ShortPiece];
    private readonly int[] _results = new int[ShortPiece];
    private LongScratch? _long;

    /// <summary>Merges the symbols in place; returns how many are left.</summary>
    public int Merge(Span<int> symbols) => Merge(symbols, []);

    /// <summary>The same, and keeps of <paramref name="starts"/> (empty, or one for each symbol) those of the symbols that are left.</summary>
    public int Merge(Span<int> symbols, Span<int> starts)
    {
        if (symbols.Length <= ShortPiece)
            return MergeShort(symbols, starts);
        var scratch = _long is { } kept && kept.Capacity >= symbols.Length ? kept : new LongScratch(Math.Max(1024, symbols.Length));
        _long = scratch.Capacity <= KeptCapacity ? scratch : null; // a text of one huge piece should not pin its scratch for ever
        return scratch.Merge(symbols, starts, merges);
    }

    private int MergeShort(Span<int> symbols, Span<int> starts)
    {
        var count = symbols.Length;
        if (count < 2)
            return count;
        var ranks = _ranks.AsSpan(0, count);
        var results = _results.AsSpan(0, count);
        for (var i = 0; i + 1 < count; i++)
            ranks[i] = merges.Rank(symbols[i], symbols[i + 1], out results[i]);

        while (count > 1)
        {
            var best = 0;
            for (var i = 1; i + 1 < count; i++)
                if (ranks[i] < ranks[best])
                    best = i;
            if (ranks[best] == MergeTable.NoMerge)
                break;

            symbols[best] = results[best];
            count--;
            symbols[(best + 2)..(count + 1)].CopyTo(symbols[(best + 1)..]);
            if (!starts.IsEmpty)
                starts[(best + 2)..(count + 1)].CopyTo(starts[(best + 1)..]);
            if (best + 1 < count)
            {
                ranks[(best + 1)..count].CopyTo(ranks[best..]);
                results[(best + 1)..count].CopyTo(results[best..]);
                ranks[best] = merges.Rank(symbols[best], symbols[best + 1], out results[best]);
            }

            if (best > 0)
                ranks[best - 1] = merges.Rank(symbols[best - 1], symbols[best], out results[best - 1]);
        }

        return count;
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

        public int Merge(Span<int> symbols, Span<int> starts, MergeTable merges)
        {
            var count = symbols.Length;
            Build(symbols, merges);
            for (var at = Lowest(); at >= 0; at = Lowest())
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

namespace Gradus.Text.Data;

/// <summary>
/// Interpolated Kneser-Ney n-gram language model over token ids (Kneser and Ney, 1995), with one discount an order or the three of
/// Chen and Goodman (1999): the baseline that a neural model must beat. Below the unigrams stands the uniform 1/V.
/// </summary>
/// <remarks>
/// n-grams are nodes of a trie whose levels are packed hash tables: about 20 bytes an n-gram, 16 more where it is a context.
/// The result depends only on the tokens. Contexts run across end-of-text tokens, as a neural model's window does.
/// </remarks>
public sealed class KneserNey
{
    private readonly Level[] _levels; // [k]: the k-grams; [0]: the empty context
    private readonly double[][] _discounts; // [k][count, at most 3]

    private KneserNey(Level[] levels, double[][] discounts, int vocabSize)
    {
        (_levels, _discounts, VocabSize) = (levels, discounts, vocabSize);
    }

    /// <summary>n.</summary>
    public int Order => _levels.Length - 1;

    /// <summary>V.</summary>
    public int VocabSize { get; }

    /// <summary>Distinct k-grams seen.</summary>
    public int NGrams(int k) => _levels[k].Count;

    /// <summary>What is taken from counts of 1, 2 and 3 or more of the k-grams.</summary>
    public IReadOnlyList<double> Discounts(int k) => _discounts[k].AsSpan(1).ToArray();

    /// <summary>Counts a stream's n-grams. An end-of-text is put before its first token, as <see cref="SequentialWindows"/> does.</summary>
    public static KneserNey Train(TokenStream tokens, int order, bool modified = true)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        return Train(WithStart(tokens, out _), order, tokens.VocabSize, modified);
    }

    /// <summary>Counts the n-grams of <paramref name="tokens"/>.</summary>
    /// <param name="tokens">Ids below <paramref name="vocabSize"/>.</param>
    /// <param name="order">n, at least 1.</param>
    /// <param name="vocabSize">V.</param>
    /// <param name="modified">Three discounts an order (Chen and Goodman), else one (Ney: n1 / (n1 + 2 n2)).</param>
    /// <param name="discount">This discount for every count of every order, instead of estimated ones.</param>
    public static KneserNey Train(ReadOnlySpan<int> tokens, int order, int vocabSize, bool modified = true, double? discount = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(order);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(order, 16);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(vocabSize);
        if (discount is <= 0 or >= 1)
            throw new ArgumentOutOfRangeException(nameof(discount), discount, "A discount lies between 0 and 1.");
        var levels = new Level[order + 1];
        for (var k = 0; k <= order; k++)
            levels[k] = new Level();
        levels[0].FindOrAdd(0, 0, out _);
        Count(tokens, vocabSize, levels);
        var discounts = new double[order + 1][];
        for (var k = 1; k <= order; k++)
        {
            discounts[k] = discount is { } d ? [0, d, d, d] : Estimate(levels[k], modified);
            levels[k - 1].WeighContexts(levels[k], discounts[k]);
        }

        return new KneserNey(levels, discounts, vocabSize);
    }

    /// <summary>p(token | context); a longer context than n − 1 tokens is cut.</summary>
    public double Probability(ReadOnlySpan<int> context, int token)
    {
        CheckToken(token);
        Span<int> path = stackalloc int[Order + 1];
        StartPath(path);
        foreach (var t in context[Math.Max(0, context.Length - Order + 1)..])
            Advance(path, t);
        return After(path, token);
    }

    /// <summary>−Σ log2 p over <paramref name="tokens"/> from <paramref name="first"/> on; the tokens before are context only.</summary>
    public double Bits(ReadOnlySpan<int> tokens, int first = 0)
    {
        Span<int> path = stackalloc int[Order + 1];
        StartPath(path);
        var bits = 0.0;
        for (var i = 0; i < tokens.Length; i++)
        {
            CheckToken(tokens[i]);
            if (i >= first)
                bits -= Math.Log2(After(path, tokens[i]));
            Advance(path, tokens[i]);
        }

        return bits;
    }

    /// <summary>−Σ log2 p over the same targets that <see cref="SequentialWindows"/> has: divided by <see cref="TokenStream.TextBytes"/>, bits per byte.</summary>
    public double Bits(TokenStream tokens)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        return Bits(WithStart(tokens, out var first), first);
    }

    private static int[] WithStart(TokenStream tokens, out int first)
    {
        first = 1; // without an end-of-text the first token is context only
        if (tokens.EndOfText is not { } end)
            return tokens.ToArray();
        var all = new int[checked((int)tokens.Tokens + 1)];
        all[0] = end;
        tokens.CopyTo(0, all.AsSpan(1));
        return all;
    }

    /// <summary>
    /// The highest order counts occurrences. A lower order counts in how many different contexts its k-gram appears, which is the
    /// number of (k+1)-grams that end in it: it grows by one when such a one is first met. The start of the stream is a context too.
    /// </summary>
    private static void Count(ReadOnlySpan<int> tokens, int vocabSize, Level[] levels)
    {
        var order = levels.Length - 1;
        Span<int> path = stackalloc int[order + 1];
        StartPath(path);
        foreach (var token in tokens)
        {
            if ((uint)token >= (uint)vocabSize)
                throw new ArgumentOutOfRangeException(nameof(tokens), token, $"A token id is outside the vocabulary of {vocabSize}.");
            var newContext = true;
            for (var k = order; k >= 1; k--)
            {
                var longer = newContext || k == order;
                if (path[k - 1] < 0)
                {
                    (path[k], newContext) = (-1, true);
                    continue;
                }

                path[k] = levels[k].FindOrAdd(path[k - 1], token, out newContext);
                if (longer)
                    levels[k].Times[path[k]]++;
            }
        }
    }

    private static void StartPath(Span<int> path)
    {
        path.Fill(-1);
        path[0] = 0;
    }

    /// <summary>Moves from the n-grams that end before <paramref name="token"/> to those that end in it; −1 where none was seen.</summary>
    private void Advance(Span<int> path, int token)
    {
        for (var k = Order; k >= 1; k--)
            path[k] = path[k - 1] < 0 ? -1 : _levels[k].Find(path[k - 1], token);
    }

    private double After(ReadOnlySpan<int> path, int token)
    {
        var p = 1.0 / VocabSize;
        for (var k = 1; k <= Order; k++)
        {
            var context = path[k - 1];
            if (context < 0)
                break; // then no longer context was seen either
            var (total, backOff) = (_levels[k - 1].Total[context], _levels[k - 1].BackOff[context]);
            if (total == 0)
                break; // seen only as the last tokens of the stream
            var node = _levels[k].Find(context, token);
            var count = node < 0 ? 0 : _levels[k].Times[node];
            p = (count - _discounts[k][Math.Min(count, 3)]) / total + backOff * p;
        }

        return p;
    }

    private void CheckToken(int token)
    {
        if ((uint)token >= (uint)VocabSize)
            throw new ArgumentOutOfRangeException(nameof(token), token, $"A token id is outside the vocabulary of {VocabSize}.");
    }

    private static double[] Estimate(Level level, bool modified)
    {
        Span<double> n = stackalloc double[5]; // n[c]: k-grams with count c
        foreach (var times in level.Times.AsSpan(0, level.Count))
            if (times is >= 1 and <= 4)
                n[times]++;
        // Too little data to estimate from (a toy, or a complete unigram table): a half, which keeps every probability above 0.
        if (n[1] == 0 || n[2] == 0)
            return [0, 0.5, 0.5, 0.5];
        var y = n[1] / (n[1] + 2 * n[2]);
        if (!modified || n[3] == 0 || n[4] == 0)
            return [0, y, y, y];
        var (two, three) = (2 - 3 * y * n[3] / n[2], 3 - 4 * y * n[4] / n[3]);
        return [0, y, two is > 0 and < 2 ? two : y, three is > 0 and < 3 ? three : y];
    }

    /// <summary>All k-grams of one k: numbered in order of first meeting, found by (number of the first k−1 tokens, last token).</summary>
    private sealed class Level
    {
        private ulong[] _keys = new ulong[16];
        private int[] _slots = new int[32]; // node + 1, or 0
        public int[] Times = new int[16];
        public double[] Total = [];
        public double[] BackOff = [];

        public int Count { get; private set; }

        public int Find(int context, int token)
        {
            var key = Key(context, token);
            var mask = _slots.Length - 1;
            for (var slot = Slot(key) & mask; ; slot = (slot + 1) & mask)
            {
                var node = _slots[slot] - 1;
                if (node < 0 || _keys[node] == key)
                    return node;
            }
        }

        public int FindOrAdd(int context, int token, out bool added)
        {
            var key = Key(context, token);
            var mask = _slots.Length - 1;
            var slot = Slot(key) & mask;
            for (; _slots[slot] != 0; slot = (slot + 1) & mask)
            {
                if (_keys[_slots[slot] - 1] == key)
                {
                    added = false;
                    return _slots[slot] - 1;
                }
            }

            added = true;
            if (Count == _keys.Length)
            {
                Array.Resize(ref _keys, checked(Count * 2));
                Array.Resize(ref Times, checked(Count * 2));
            }

            _keys[Count] = key;
            _slots[slot] = ++Count;
            if (Count > _slots.Length / 2)
                Grow();
            return Count - 1;
        }

        /// <summary>For each k-gram as a context: the sum of what followed, and the mass its discounts leave to the shorter context.</summary>
        public void WeighContexts(Level followers, ReadOnlySpan<double> discounts)
        {
            Total = new double[Count];
            BackOff = new double[Count];
            for (var i = 0; i < followers.Count; i++)
            {
                var (context, times) = ((int)(followers._keys[i] >> 32), followers.Times[i]);
                Total[context] += times;
                BackOff[context] += discounts[Math.Min(times, 3)];
            }

            for (var i = 0; i < Count; i++)
                if (Total[i] > 0)
                    BackOff[i] /= Total[i];
        }

        private void Grow()
        {
            _slots = new int[checked(_slots.Length * 2)];
            var mask = _slots.Length - 1;
            for (var i = 0; i < Count; i++)
            {
                var slot = Slot(_keys[i]) & mask;
                while (_slots[slot] != 0)
                    slot = (slot + 1) & mask;
                _slots[slot] = i + 1;
            }
        }

        private static ulong Key(int context, int token) => ((ulong)(uint)context << 32) | (uint)token;

        private static int Slot(ulong key)
        {
            unchecked
            {
                key = (key ^ (key >> 32)) * 0x9E3779B97F4A7C15UL;
                return (int)((key ^ (key >> 29)) >> 16) & int.MaxValue;
            }
        }
    }
}

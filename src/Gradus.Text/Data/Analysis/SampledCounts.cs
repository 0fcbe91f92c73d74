namespace Gradus.Text.Data.Analysis;

/// <summary>
/// Counts of things by their hash in bounded memory: exact while few are different; then only those whose hash ends in enough zero bits are
/// kept, so what is left is an even sample of the different things and every estimate is scaled by it (adaptive sampling, Wegman 1984).
/// </summary>
/// <param name="capacity">Different things that are kept.</param>
internal sealed class SampledCounts(int capacity)
{
    private readonly Dictionary<ulong, long> _counts = [];
    private int _level;

    /// <summary>Everything counted.</summary>
    public long Total { get; private set; }

    /// <summary>Whether nothing was left out.</summary>
    public bool Exact => _level == 0;

    /// <summary>Different things.</summary>
    public double Distinct => _counts.Count * Scale;

    /// <summary>Things that are a repetition of one counted before.</summary>
    public double Repeats => Exact ? Total - _counts.Count : _counts.Values.Sum(c => c - 1.0) * Scale;

    private double Scale => Math.Pow(2, _level);

    /// <summary>Counts a thing. Returns whether it was counted before, as far as is known.</summary>
    public bool Add(ulong hash)
    {
        Total++;
        if (!Kept(hash))
            return false;
        ref var count = ref System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(_counts, hash, out var known);
        count++;
        if (_counts.Count > capacity)
        {
            _level++;
            foreach (var gone in _counts.Keys.Where(h => !Kept(h)).ToList())
                _counts.Remove(gone);
        }

        return known;
    }

    /// <summary>Shannon entropy of the counts in bits.</summary>
    public double Entropy()
    {
        if (Total == 0)
            return 0;
        var bits = 0.0;
        foreach (var count in _counts.OrderBy(c => c.Key).Select(c => c.Value))
            bits -= (double)count / Total * Math.Log2((double)count / Total);
        return Math.Max(0, bits * Scale);
    }

    private bool Kept(ulong hash) => _level == 0 || hash << (64 - _level) == 0;
}

/// <summary>
/// An even sample of documents that depends on nothing but the documents: those with the smallest hashes. Adding the same documents in another
/// order gives the same sample.
/// </summary>
/// <typeparam name="T">What is kept of a document.</typeparam>
/// <param name="size">How many are kept.</param>
internal sealed class HashSample<T>(int size)
{
    private readonly SortedDictionary<(ulong Hash, long Number), T> _kept = [];

    private long _number;

    /// <summary>In the order of their hashes.</summary>
    public IReadOnlyCollection<T> Kept => _kept.Values;

    public void Add(ulong hash, Func<T> value)
    {
        var key = (hash, _number++);
        if (_kept.Count == size)
        {
            var last = _kept.Keys.Last();
            if (key.CompareTo(last) >= 0)
                return;
            _kept.Remove(last);
        }

        _kept[key] = value();
    }
}

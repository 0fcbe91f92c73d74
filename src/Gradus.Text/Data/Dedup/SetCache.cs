using Gradus.Text.Data.Pipeline;

namespace Gradus.Text.Data.Dedup;

/// <summary>The n-gram sets of documents that are being compared. Bounded: when full, half is forgotten, oldest first.</summary>
internal sealed class SetCache(GlobalInput input, int nGram)
{
    private const long MaxBytes = 16L << 20;

    private readonly Shingles _shingles = new(nGram);
    private readonly Dictionary<long, ulong[]> _sets = [];
    private readonly Queue<long> _order = new();
    private long _bytes;

    public ReadOnlySpan<ulong> Of(long document)
    {
        if (_sets.TryGetValue(document, out var set))
            return set;
        var (partition, ordinal) = input.Local(document);
        set = _shingles.SetOf(input.Read(partition, ordinal).Utf8.Span);
        // The other set of the comparison may go out of the dictionary here, not out of memory: its span holds it.
        while (_bytes > MaxBytes && _order.TryDequeue(out var oldest))
            if (_sets.Remove(oldest, out var gone))
                _bytes -= 8L * gone.Length + 64;
        _sets[document] = set;
        _order.Enqueue(document);
        _bytes += 8L * set.Length + 64;
        return set;
    }
}

namespace Gradus.Text.Tokenizers;

/// <summary>
/// Gives the most frequent pair. A binary heap whose entries are corrected when they surface, since counts of known pairs only fall.
/// Rare pairs, nearly all there are, wait outside until nothing more frequent is left.
/// </summary>
/// <param name="pairs">The counts as they are now.</param>
/// <param name="minimum">Pairs below this count are never given.</param>
/// <param name="before">Whether the first of two equally frequent pairs goes first.</param>
internal sealed class PairQueue(PairCounts pairs, long minimum, Func<int, int, bool> before)
{
    private (long Count, int Pair)[] _heap = new (long, int)[1 << 12];
    private int _count;
    private long _floor = long.MaxValue; // every pair at least this frequent is in the heap

    /// <summary>A pair came up, or became more frequent.</summary>
    public void Offer(int pair)
    {
        if (pairs.Count(pair) >= _floor)
            Push((pairs.Count(pair), pair));
    }

    /// <summary>Takes the most frequent pair; -1 when none reaches the minimum.</summary>
    public int Take()
    {
        while (true)
        {
            while (_count > 0)
            {
                var (count, pair) = _heap[0];
                var now = pairs.Count(pair);
                if (now == count)
                {
                    RemoveTop();
                    return pair;
                }

                if (now >= _floor)
                {
                    _heap[0] = (now, pair);
                    SiftDown();
                }
                else
                {
                    RemoveTop();
                }
            }

            if (_floor <= minimum)
                return -1;
            LowerFloor();
        }
    }

    private void LowerFloor()
    {
        long highest = 0;
        for (var pair = 0; pair < pairs.Total; pair++)
            highest = Math.Max(highest, pairs.Count(pair));
        _floor = Math.Max(minimum, highest / 4); // about a dozen rounds for the largest corpora
        for (var pair = 0; pair < pairs.Total; pair++)
            if (pairs.Count(pair) >= _floor)
                Push((pairs.Count(pair), pair));
    }

    private bool Before((long Count, int Pair) x, (long Count, int Pair) y) =>
        x.Count != y.Count ? x.Count > y.Count : before(x.Pair, y.Pair);

    private void Push((long Count, int Pair) entry)
    {
        if (_count == _heap.Length)
            Array.Resize(ref _heap, checked(_count * 2));
        var at = _count++;
        while (at > 0 && Before(entry, _heap[(at - 1) / 2]))
        {
            _heap[at] = _heap[(at - 1) / 2];
            at = (at - 1) / 2;
        }

        _heap[at] = entry;
    }

    private void RemoveTop()
    {
        _heap[0] = _heap[--_count];
        SiftDown();
    }

    private void SiftDown()
    {
        var entry = _heap[0];
        var at = 0;
        while (true)
        {
            var child = 2 * at + 1;
            if (child >= _count)
                break;
            if (child + 1 < _count && Before(_heap[child + 1], _heap[child]))
                child++;
            if (!Before(_heap[child], entry))
                break;
            _heap[at] = _heap[child];
            at = child;
        }

        _heap[at] = entry;
    }
}

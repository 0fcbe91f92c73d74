namespace Gradus.Text.Tokenizers.Models;

/// <summary>BPE-dropout (Provilkov et al., 2020): every time a merge is due it is left out with some probability, until another one was made.</summary>
internal sealed class DropoutMerge(MergeTable merges, double share, Random random)
{
    private readonly PriorityQueue<(int At, int Id), (int Rank, int At)> _queue = new();
    private readonly List<((int At, int Id) Merge, (int Rank, int At) Order)> _skipped = [];
    private int[] _previous = [], _next = [];

    /// <summary>As <see cref="MergeWork.Merge(Span{int}, Span{int}, int)"/>, at random. <paramref name="starts"/> may be empty.</summary>
    public int Merge(Span<int> symbols, Span<int> starts)
    {
        if (_next.Length < symbols.Length)
            (_previous, _next) = (new int[symbols.Length + 64], new int[symbols.Length + 64]);
        var (previous, next) = (_previous, _next);
        for (var i = 0; i < symbols.Length; i++)
            (previous[i], next[i]) = (i - 1, i + 1);
        _queue.Clear();
        _skipped.Clear();
        for (var i = 0; i + 1 < symbols.Length; i++)
            Enqueue(symbols, i, i + 1);
        while (_queue.TryDequeue(out var merge, out var order))
        {
            if (random.NextDouble() < share)
            {
                _skipped.Add((merge, order));
                continue;
            }

            foreach (var (skipped, at) in _skipped)
                _queue.Enqueue(skipped, at);
            _skipped.Clear();
            var (left, id) = merge;
            if (symbols[left] < 0 || next[left] >= symbols.Length || merges.Rank(symbols[left], symbols[next[left]], out var joined) == MergeTable.NoMerge || joined != id)
                continue;
            var gone = next[left];
            symbols[left] = id;
            symbols[gone] = -1;
            next[left] = next[gone];
            if (next[left] < symbols.Length)
                previous[next[left]] = left;
            if (previous[left] >= 0)
                Enqueue(symbols, previous[left], left);
            if (next[left] < symbols.Length)
                Enqueue(symbols, left, next[left]);
        }

        var kept = 0;
        for (var i = 0; i < symbols.Length; i = next[i])
        {
            if (!starts.IsEmpty)
                starts[kept] = starts[i];
            symbols[kept++] = symbols[i];
        }

        return kept;
    }

    private void Enqueue(ReadOnlySpan<int> symbols, int left, int right)
    {
        if (merges.Rank(symbols[left], symbols[right], out var id) is not MergeTable.NoMerge and var rank)
            _queue.Enqueue((left, id), (rank, left));
    }
}

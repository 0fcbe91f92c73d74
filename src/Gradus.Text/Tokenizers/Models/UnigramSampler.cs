namespace Gradus.Text.Tokenizers.Models;

/// <summary>
/// Subword regularisation (Kudo, 2018): a spelling drawn with probability proportional to exp(alpha × score), over all spellings by
/// forward filtering and backward sampling, or among the n best.
/// </summary>
internal sealed class UnigramSampler(UnigramModel model, Random random) : TokenModelWork
{
    /// <summary>A piece at a place of the text, and the one before it in the list of those that end at the same place.</summary>
    private readonly record struct Edge(int Start, int Id, double Score, int Previous);

    private readonly record struct Path(double Score, int Edge, int Rank);

    private readonly List<Edge> _edges = [];
    private int[] _last = []; // the last edge that ends at each place; -1 for none

    public override void Spell(ReadOnlySpan<byte> piece, List<FoundToken> tokens)
    {
        Gather(piece);
        var from = tokens.Count;
        if (model.BestOf > 0)
            DrawAmongBest(piece.Length, tokens);
        else
            Draw(piece.Length, tokens);
        tokens.Reverse(from, tokens.Count - from);
        UnigramUnknowns.Settle(model, piece, tokens, from);
    }

    private void Gather(ReadOnlySpan<byte> text)
    {
        _edges.Clear();
        _last = new int[text.Length + 1];
        Array.Fill(_last, -1);
        for (var start = 0; start < text.Length;)
        {
            var width = UnigramUnknowns.Width(text[start]);
            var spelt = false;
            var node = 0u;
            for (var end = start; end < text.Length;)
            {
                var id = model.Trie.Step(ref node, text[end++]);
                if (id == DoubleArray.Dead)
                    break;
                if (id < 0)
                    continue;
                Add(start, end, id, model.Score(id, end - start));
                spelt |= end - start == width;
            }

            if (!spelt)
                Add(start, start + width, model.UnknownId ?? throw UnigramUnknowns.Missing(text.Slice(start, width)), model.UnknownScore);
            start += width;
        }
    }

    private void Add(int start, int end, int id, double score)
    {
        _edges.Add(new(start, id, score, _last[end]));
        _last[end] = _edges.Count - 1;
    }

    private void Draw(int length, List<FoundToken> tokens)
    {
        var forward = new double[length + 1]; // log of the summed weights of all spellings of the text up to here
        for (var end = 1; end <= length; end++)
        {
            var sum = double.NegativeInfinity;
            for (var e = _last[end]; e >= 0; e = _edges[e].Previous)
                sum = LogAdd(sum, forward[_edges[e].Start] + model.Alpha * _edges[e].Score);
            forward[end] = sum;
        }

        for (var end = length; end > 0;)
        {
            var left = random.NextDouble();
            var chosen = _last[end];
            for (var e = chosen; e >= 0 && left >= 0; e = _edges[e].Previous)
            {
                var probability = Math.Exp(forward[_edges[e].Start] + model.Alpha * _edges[e].Score - forward[end]);
                left -= probability;
                if (probability > 0)
                    chosen = e;
            }

            tokens.Add(new(_edges[chosen].Id, _edges[chosen].Start, end));
            end = _edges[chosen].Start;
        }
    }

    private void DrawAmongBest(int length, List<FoundToken> tokens)
    {
        var best = new List<Path>[length + 1];
        best[0] = [new(0, -1, 0)];
        for (var end = 1; end <= length; end++)
        {
            if (_last[end] < 0)
                continue;
            var ways = new List<Path>();
            for (var e = _last[end]; e >= 0; e = _edges[e].Previous)
            {
                var before = best[_edges[e].Start];
                for (var rank = 0; before is not null && rank < before.Count; rank++)
                    ways.Add(new(before[rank].Score + _edges[e].Score, e, rank));
            }

            best[end] = [.. ways.OrderByDescending(w => w.Score).Take(model.BestOf)];
        }

        var last = best[length];
        var left = random.NextDouble() * last.Sum(w => Math.Exp(model.Alpha * (w.Score - last[0].Score)));
        var drawn = 0;
        while (drawn + 1 < last.Count && (left -= Math.Exp(model.Alpha * (last[drawn].Score - last[0].Score))) >= 0)
            drawn++;
        for (var end = length; end > 0;)
        {
            var (_, edge, rank) = best[end][drawn];
            tokens.Add(new(_edges[edge].Id, _edges[edge].Start, end));
            (end, drawn) = (_edges[edge].Start, rank);
        }
    }

    private static double LogAdd(double x, double y)
    {
        var (low, high) = x < y ? (x, y) : (y, x);
        return double.IsNegativeInfinity(low) ? high : high + Math.Log(1 + Math.Exp(low - high));
    }
}

using Gradus.Foundation.Files;

namespace Gradus.Inference.Generation;

/// <summary>
/// Draws tokens from logits, in the order that Hugging Face uses: repetition penalty, temperature, top-k, top-p, min-p.
/// The n-th draw depends only on (seed, n) and the logits. Ties go to the lower id.
/// </summary>
public sealed class Sampler(Sampling options, int vocabSize)
{
    private readonly Counter _random = new(options.Seed, "sampling");
    private readonly int[] _order = new int[vocabSize];
    private readonly double[] _weight = new double[vocabSize];
    private readonly HashSet<int> _seen = [];

    /// <summary>Chooses the token at position <paramref name="draw"/> of the stream; <paramref name="logits"/> is used up.</summary>
    public int Next(Span<float> logits, ReadOnlySpan<int> history, ulong draw)
    {
        if (logits.Length != _order.Length) throw new ArgumentException($"{logits.Length} logits for a vocabulary of {_order.Length}", nameof(logits));
        Penalise(logits, history);
        if (options.Temperature == 0) return Best(logits);
        var kept = Keep(logits);
        return Draw(kept, _random.Unit(draw));
    }

    /// <summary>The probabilities a draw is made from, by token id; for tests and for showing alternatives.</summary>
    public double[] Distribution(Span<float> logits, ReadOnlySpan<int> history)
    {
        Penalise(logits, history);
        var result = new double[logits.Length];
        if (options.Temperature == 0)
        {
            result[Best(logits)] = 1;
            return result;
        }
        var kept = Keep(logits);
        var total = 0.0;
        for (var i = 0; i < kept; i++) total += _weight[i];
        for (var i = 0; i < kept; i++) result[_order[i]] = _weight[i] / total;
        return result;
    }

    private void Penalise(Span<float> logits, ReadOnlySpan<int> history)
    {
        if (options.RepetitionPenalty == 1) return;
        var penalty = (float)options.RepetitionPenalty;
        _seen.Clear();
        foreach (var id in history)
            if (id < logits.Length && _seen.Add(id))
                logits[id] = logits[id] > 0 ? logits[id] / penalty : logits[id] * penalty;
    }

    private static int Best(ReadOnlySpan<float> logits)
    {
        var best = 0;
        for (var i = 1; i < logits.Length; i++)
            if (logits[i] > logits[best])
                best = i;
        return best;
    }

    /// <summary>Fills _order with the surviving ids, most likely first, and _weight with their unnormalised probabilities.</summary>
    private int Keep(ReadOnlySpan<float> logits)
    {
        for (var i = 0; i < logits.Length; i++)
        {
            _order[i] = i;
            _weight[i] = -logits[i];
        }
        // Array.Sort is not stable: the id breaks ties so that the order is one.
        Array.Sort(_weight, _order);
        FixTies();
        var kept = options.TopK > 0 ? Math.Min(options.TopK, logits.Length) : logits.Length;
        var (top, total) = (-_weight[0], 0.0);
        for (var i = 0; i < kept; i++) total += _weight[i] = Math.Exp((-_weight[i] - top) / options.Temperature);
        if (options.TopP < 1) kept = Nucleus(kept, options.TopP * total);
        if (options.MinP > 0)
            while (kept > 1 && _weight[kept - 1] < options.MinP * _weight[0])
                kept--;
        return kept;
    }

    private void FixTies()
    {
        for (var from = 0; from < _order.Length;)
        {
            var to = from + 1;
            while (to < _order.Length && _weight[to].Equals(_weight[from])) to++;
            if (to - from > 1) Array.Sort(_order, from, to - from);
            from = to;
        }
    }

    private int Nucleus(int kept, double mass)
    {
        var sum = 0.0;
        for (var i = 0; i < kept; i++)
            if ((sum += _weight[i]) >= mass)
                return i + 1;
        return kept;
    }

    private int Draw(int kept, double unit)
    {
        var total = 0.0;
        for (var i = 0; i < kept; i++) total += _weight[i];
        var left = unit * total;
        for (var i = 0; i < kept; i++)
            if ((left -= _weight[i]) < 0)
                return _order[i];
        return _order[kept - 1];
    }
}

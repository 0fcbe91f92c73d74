using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;

namespace Gradus.Inference.Evaluation.Metrics;

/// <summary>One item with what was expected and what was said.</summary>
/// <param name="Expected">The label; a tag a word; all answers that are right; all items that are relevant.</param>
/// <param name="Said">The label; a tag a word; the answer; items in order, best first.</param>
public sealed record Judged(IReadOnlyList<string> Expected, IReadOnlyList<string> Said);

/// <summary>How good answers are, as one number. A metric is one sealed record in one file.</summary>
[Socket("metrics")]
public abstract record Metric
{
    /// <summary>More is better; false for errors.</summary>
    public virtual bool HigherIsBetter => true;

    /// <summary>The number over some items, at least one; their order does not matter.</summary>
    protected abstract double Measure(IReadOnlyList<Judged> items);

    /// <summary>The number over all items.</summary>
    /// <exception cref="UserException">There is none.</exception>
    public double Of(IReadOnlyList<Judged> items)
    {
        ArgumentNullException.ThrowIfNull(items);
        return items.Count > 0 ? Measure(items) : throw new UserException($"{Components.KindOf(GetType())}: there is nothing to measure");
    }

    /// <summary>Bounds that hold the number in 95 of 100 samples drawn from the items with replacement (the percentile bootstrap; Efron, 1979). The same items give the same bounds.</summary>
    public (double Low, double High) Interval(IReadOnlyList<Judged> items, int samples = 1000)
    {
        ArgumentNullException.ThrowIfNull(items);
        ArgumentOutOfRangeException.ThrowIfLessThan(samples, 40);
        var draws = new Counter(1, "bootstrap");
        var values = new double[samples];
        var prepared = Prepare(items);
        Parallel.For(0, samples, s =>
        {
            var drawn = new int[items.Count];
            for (var i = 0; i < drawn.Length; i++) drawn[i] = draws.Below((ulong)s * (ulong)items.Count + (ulong)i, items.Count);
            values[s] = prepared(drawn);
        });
        Array.Sort(values);
        return (values[(int)(0.025 * (samples - 1))], values[(int)Math.Ceiling(0.975 * (samples - 1))]);
    }

    /// <summary>For the bootstrap: what is computed once for all samples, and the number over the items drawn.</summary>
    private protected virtual Func<int[], double> Prepare(IReadOnlyList<Judged> items) => drawn => Of(Array.ConvertAll(drawn, i => items[i]));
}

/// <summary>A metric that is the mean of a number an item.</summary>
public abstract record MeanMetric : Metric
{
    /// <summary>The number of one item.</summary>
    protected abstract double Item(Judged item);

    protected override double Measure(IReadOnlyList<Judged> items) => (items ?? throw new ArgumentNullException(nameof(items))).Average(Item);

    private protected override Func<int[], double> Prepare(IReadOnlyList<Judged> items)
    {
        var values = items.Select(Item).ToArray();
        return drawn => drawn.Average(i => values[i]);
    }
}

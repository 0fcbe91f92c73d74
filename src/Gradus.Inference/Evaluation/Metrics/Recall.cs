using Gradus.Foundation.Recipes;

namespace Gradus.Inference.Evaluation.Metrics;

/// <summary>Of what is of a class, the share that was said to be.</summary>
[Component("recall")]
public sealed record Recall : Metric
{
    /// <summary>How classes come together.</summary>
    public Averaging Average { get; init; } = Averaging.Macro;

    /// <summary>Only this class: the positive one of two. Unset: all, averaged.</summary>
    public string? Positive { get; init; }

    protected override double Measure(IReadOnlyList<Judged> items) => ClassCounts.Average(items, Average, Positive, (right, _, missed) => ClassCounts.Ratio(right, missed));
}

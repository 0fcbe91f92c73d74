using Gradus.Foundation.Recipes;

namespace Gradus.Inference.Evaluation.Metrics;

/// <summary>Of what was said to be of a class, the share that is.</summary>
[Component("precision")]
public sealed record Precision : Metric
{
    /// <summary>How classes come together.</summary>
    public Averaging Average { get; init; } = Averaging.Macro;

    /// <summary>Only this class: the positive one of two. Unset: all, averaged.</summary>
    public string? Positive { get; init; }

    protected override double Measure(IReadOnlyList<Judged> items) => ClassCounts.Average(items, Average, Positive, (right, wrong, _) => ClassCounts.Ratio(right, wrong));
}

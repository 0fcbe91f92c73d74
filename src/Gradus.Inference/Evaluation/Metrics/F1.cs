using Gradus.Foundation.Recipes;

namespace Gradus.Inference.Evaluation.Metrics;

/// <summary>Harmonic mean of precision and recall: 2 right / (2 right + wrong + missed).</summary>
[Component("f1")]
public sealed record F1 : Metric
{
    /// <summary>How classes come together.</summary>
    public Averaging Average { get; init; } = Averaging.Macro;

    /// <summary>Only this class: the positive one of two. Unset: all, averaged.</summary>
    public string? Positive { get; init; }

    protected override double Measure(IReadOnlyList<Judged> items) => ClassCounts.Average(items, Average, Positive, (right, wrong, missed) => ClassCounts.Ratio(2 * right, wrong + missed));
}

using Gradus.Foundation.Recipes;

namespace Gradus.Inference.Evaluation.Metrics;

/// <summary>Mean reciprocal rank (MRR): 1 over the place of the first right one in a ranking, 0 when there is none.</summary>
[Component("mrr")]
public sealed record ReciprocalRank : MeanMetric
{
    protected override double Item(Judged item)
    {
        ArgumentNullException.ThrowIfNull(item);
        for (var i = 0; i < item.Said.Count; i++)
            if (item.Expected.Contains(item.Said[i])) return 1.0 / (i + 1);
        return 0;
    }
}

using Gradus.Foundation.Recipes;

namespace Gradus.Inference.Evaluation.Metrics;

/// <summary>Share of labels that are right; of a sequence of tags, the share of its tags.</summary>
[Component("accuracy")]
public sealed record Accuracy : Metric
{
    protected override double Measure(IReadOnlyList<Judged> items)
    {
        ArgumentNullException.ThrowIfNull(items);
        var (right, all) = (0L, 0L);
        foreach (var item in items)
        {
            for (var i = 0; i < item.Expected.Count; i++)
                if (i < item.Said.Count && item.Said[i] == item.Expected[i]) right++;
            all += item.Expected.Count;
        }
        return all == 0 ? 0 : (double)right / all;
    }
}

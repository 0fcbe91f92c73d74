using System.Globalization;
using Gradus.Foundation.Recipes;

namespace Gradus.Inference.Evaluation.Metrics;

/// <summary>Mean squared difference between the number said and the number expected.</summary>
[Component("squared-error")]
public sealed record SquaredError : MeanMetric
{
    public override bool HigherIsBetter => false;

    protected override double Item(Judged item)
    {
        ArgumentNullException.ThrowIfNull(item);
        return Math.Pow(Number(item.Expected[0]) - Number(item.Said[0]), 2);
    }

    private static double Number(string text) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : 0;
}

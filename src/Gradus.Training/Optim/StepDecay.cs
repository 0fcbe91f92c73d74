using Gradus.Foundation.Recipes;

namespace Gradus.Training.Optim;

/// <summary>Multiplies the rate by a factor every so many steps, as torch's StepLR.</summary>
[Component("step")]
public sealed record StepDecayOptions : ScheduleOptions
{
    /// <summary>Steps between two cuts.</summary>
    [AtLeast(1)]
    public required long Every { get; init; }

    /// <summary>What the rate is multiplied by.</summary>
    [Above(0), AtMost(1)]
    public double Factor { get; init; } = 0.1;

    protected override double After(double peak, long step, long steps) => peak * Math.Pow(Factor, step / Every);
}

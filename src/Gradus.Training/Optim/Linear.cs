using Gradus.Foundation.Recipes;

namespace Gradus.Training.Optim;

/// <summary>A straight line from the peak down to the floor, which it then keeps.</summary>
[Component("linear")]
public sealed record LinearOptions : ScheduleOptions
{
    /// <summary>Share of the peak that it goes down to.</summary>
    [AtLeast(0), AtMost(1)]
    public double Floor { get; init; }

    /// <summary>Steps from peak to floor; unset: all steps after the warm-up.</summary>
    [AtLeast(1)]
    public long? Period { get; init; }

    protected override double After(double peak, long step, long steps)
    {
        var share = Math.Min(1, (double)step / (Period ?? steps));
        return peak * (1 + (Floor - 1) * share);
    }
}

using Gradus.Foundation.Recipes;

namespace Gradus.Training.Optim;

/// <summary>Cosine annealing (Loshchilov and Hutter, 2017): half a cosine from the peak down to the floor. Past its period it rises again, as torch's CosineAnnealingLR.</summary>
[Component("cosine")]
public sealed record CosineOptions : ScheduleOptions
{
    /// <summary>Share of the peak that it goes down to (eta_min / peak).</summary>
    [AtLeast(0), AtMost(1)]
    public double Floor { get; init; } = 0.1;

    /// <summary>Steps from peak to floor (T_max); unset: all steps after the warm-up.</summary>
    [AtLeast(1)]
    public long? Period { get; init; }

    protected override double After(double peak, long step, long steps)
    {
        var low = peak * Floor;
        return low + (peak - low) * (1 + Math.Cos(Math.PI * step / (Period ?? steps))) / 2;
    }
}

using Gradus.Foundation.Recipes;

namespace Gradus.Training.Optim;

/// <summary>The learning rate of each step: a warm-up from near zero to the peak, then the schedule's own course.</summary>
/// <remarks>A pure function of the step, so resume has nothing to restore. Steps count from 0.</remarks>
[Socket("schedules")]
public abstract record ScheduleOptions
{
    /// <summary>Steps of linear warm-up; part of the run's steps, not added to them.</summary>
    [AtLeast(0)]
    public long WarmupSteps { get; init; }

    /// <summary>Share of the peak that the warm-up begins with, as torch's LinearLR; unset: step t has (t + 1) / warmup_steps of the peak, so none is at zero.</summary>
    [AtLeast(0), AtMost(1)]
    public double? WarmupStart { get; init; }

    /// <summary>The rate that update <paramref name="step"/> of a run of <paramref name="steps"/> uses.</summary>
    public double Rate(double peak, long step, long steps)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        if (step >= WarmupSteps) return After(peak, step - WarmupSteps, Math.Max(1, steps - WarmupSteps));
        return WarmupStart is { } start
            ? peak * (start + (1 - start) * step / WarmupSteps)
            : peak * (step + 1) / WarmupSteps;
    }

    /// <summary>The rate <paramref name="step"/> steps after the warm-up, of <paramref name="steps"/> that follow it.</summary>
    protected abstract double After(double peak, long step, long steps);
}

/// <summary>The peak throughout; with warm-up steps, linear warm-up and then the peak.</summary>
[Component("constant")]
public sealed record ConstantOptions : ScheduleOptions
{
    protected override double After(double peak, long step, long steps) => peak;
}

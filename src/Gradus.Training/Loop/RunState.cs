namespace Gradus.Training.Loop;

/// <summary>
/// Everything of a run that is not a tensor and cannot be computed from the recipe and the step. Data order, dropout and learning
/// rate are functions of (seed, step), so they are not here. All of it goes into <c>state.json</c>; a test holds it to that.
/// </summary>
public sealed record RunState
{
    /// <summary>Steps done.</summary>
    public long Step { get; set; }

    /// <summary>Target tokens the steps so far were computed on.</summary>
    public long TargetTokens { get; set; }

    /// <summary>Updates the optimiser made: fewer than steps where fp16 overflowed or nothing was a target.</summary>
    public long OptimizerSteps { get; set; }

    /// <summary>Lowest validation loss so far, nats a token.</summary>
    public double? BestLoss { get; set; }

    /// <summary>Best value of the score that decides, for a task; unset where the loss does. The loss beside it is then that of the same validation.</summary>
    public double? BestScore { get; set; }

    /// <summary>The step it was measured after.</summary>
    public long? BestStep { get; set; }

    /// <summary>Validations since.</summary>
    public int ValidationsWithoutImprovement { get; set; }

    /// <summary>Loss scale of fp16; unset in other precisions.</summary>
    public double? LossScale { get; set; }

    /// <summary>Steps since the loss scale last changed.</summary>
    public int LossScaleGoodSteps { get; set; }

    /// <summary>Overflows in a row.</summary>
    public int LossScaleOverflows { get; set; }

    /// <summary>The run ended because validation no longer improved.</summary>
    public bool StoppedEarly { get; set; }

    /// <summary>Bytes of <c>metrics.jsonl</c> that belong to the steps so far; what follows them is cut off on resume.</summary>
    public long MetricsBytes { get; set; }

    /// <summary>Bytes of <c>samples.jsonl</c> likewise.</summary>
    public long SamplesBytes { get; set; }

    /// <summary>Seconds of training in all sessions together. For reports only.</summary>
    public double Seconds { get; set; }
}

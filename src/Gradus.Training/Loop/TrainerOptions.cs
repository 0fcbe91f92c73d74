using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;
using Gradus.Text.Data;
using Gradus.Training.Optim;

namespace Gradus.Training.Loop;

/// <summary>What the products of a step run in. Weights, their gradients and the optimiser's state stay float32 throughout.</summary>
public enum Precision
{
    /// <summary>float32.</summary>
    Fp32,

    /// <summary>bfloat16 for matrix products: the range of float32, so no loss scaling.</summary>
    Bf16,

    /// <summary>float16 for matrix products, with dynamic loss scaling. CUDA only.</summary>
    Fp16,

    /// <summary>bf16 where the device multiplies it faster than float32 (CUDA; a processor with AVX512-BF16 or AMX), else fp32. The run's recipe records which.</summary>
    Auto,
}

/// <summary>When to stop before the end.</summary>
public sealed record EarlyStoppingOptions
{
    /// <summary>Validations without improvement that are waited for.</summary>
    [AtLeast(1)]
    public int Patience { get; init; } = 3;

    /// <summary>What the validation loss (nats a token) must fall by, or a task's score rise by, to count as improvement.</summary>
    [AtLeast(0)]
    public double MinDelta { get; init; }
}

/// <summary>The <c>trainer</c> section of a recipe: how long, in which portions, and what happens on the way.</summary>
public sealed record TrainerOptions : IValidated
{
    /// <summary>Updates of the weights. One of steps, tokens and epochs says how long the run is.</summary>
    [AtLeast(1)]
    public long? Steps { get; init; }

    /// <summary>Length of the run in input tokens, rounded up to whole steps.</summary>
    [AtLeast(1)]
    public long? Tokens { get; init; }

    /// <summary>Length of the run in passes over the training data, rounded up to whole steps.</summary>
    [Above(0)]
    public double? Epochs { get; init; }

    /// <summary>Rows of a micro-batch: what is in memory at once.</summary>
    [AtLeast(1)]
    public int Batch { get; init; } = 8;

    /// <summary>Micro-batches a step: the gradient is that of batch · accumulate rows.</summary>
    [AtLeast(1)]
    public int Accumulate { get; init; } = 1;

    /// <summary>The learning rate's course.</summary>
    public ScheduleOptions Schedule { get; init; } = new CosineOptions();

    /// <summary>Longest gradient, as a norm over all parameters; longer ones are shortened to it. Unset: no clipping.</summary>
    [Above(0)]
    public double? ClipNorm { get; init; } = 1;

    /// <summary>What matrix products run in.</summary>
    public Precision Precision { get; init; } = Precision.Fp32;

    /// <summary>Computes activations again in the backward pass instead of keeping them: less memory, about a third more time.</summary>
    public bool Recompute { get; init; }

    /// <summary>Steps between validations; 0: none.</summary>
    [AtLeast(0)]
    public long ValidateEvery { get; init; } = 100;

    /// <summary>Batches a validation measures, from the start of the validation data; 0: all.</summary>
    [AtLeast(0)]
    public int ValidateBatches { get; init; } = 20;

    /// <summary>Steps between text samples; 0: none.</summary>
    [AtLeast(0)]
    public long SampleEvery { get; init; }

    /// <summary>Steps between checkpoints; 0: only at the end or when interrupted.</summary>
    [AtLeast(0)]
    public long SaveEvery { get; init; } = 500;

    /// <summary>Newest checkpoints kept; the best one is kept besides.</summary>
    [AtLeast(1)]
    public int KeepLast { get; init; } = 2;

    /// <summary>Saves whenever the validation loss is the lowest so far. Early stopping does so in any case.</summary>
    public bool KeepBest { get; init; }

    /// <summary>The model at the end is the best one by validation, not the last; saves as keep_best does.</summary>
    public bool ExportBest { get; init; }

    /// <summary>Ends the run when validation no longer improves, with the best weights. Unset: never.</summary>
    public EarlyStoppingOptions? EarlyStopping { get; init; }

    /// <summary>Decides initial weights, data order and dropout.</summary>
    [AtLeast(0)]
    public long Seed { get; init; } = 1;

    /// <summary>Threads; 0: one a processor core. Another number may give other roundings.</summary>
    [AtLeast(0), AtMost(1024)]
    public int Threads { get; init; }

    /// <summary><c>cpu</c>, <c>cuda</c> or <c>cuda:N</c>.</summary>
    public string Device { get; init; } = "cpu";

    public IEnumerable<(string Key, string Message)> Problems()
    {
        var given = (Steps is null ? 0 : 1) + (Tokens is null ? 0 : 1) + (Epochs is null ? 0 : 1);
        if (given != 1) yield return (nameof(Steps), given == 0 ? "say how long the run is: one of steps, tokens and epochs" : "give only one of steps, tokens and epochs");
        if (Steps is { } steps && Schedule.WarmupSteps > steps) yield return ("schedule.warmup_steps", $"{Schedule.WarmupSteps} is more than the {steps} steps of the run");
        if (ExportBest && ValidateEvery == 0) yield return (nameof(ExportBest), "needs validation: set validate_every above 0");
        if (EarlyStopping is not null && ValidateEvery == 0) yield return (nameof(EarlyStopping), "needs validation: set validate_every above 0");
    }

    /// <summary>Rows a step takes over all of <paramref name="ranks"/> processes.</summary>
    public long RowsPerStep(int ranks = 1) => checked((long)Batch * Accumulate * ranks);

    /// <summary>The run's length in steps.</summary>
    /// <exception cref="UserException">The warm-up is longer than the run.</exception>
    public long StepsFor(IBatchSource data, int ranks = 1)
    {
        ArgumentNullException.ThrowIfNull(data);
        var rows = RowsPerStep(ranks);
        var steps = Steps ?? (Tokens is { } tokens
            ? (tokens + rows * data.Length - 1) / (rows * data.Length)
            : (long)Math.Ceiling(Epochs!.Value * data.RowsPerEpoch / rows));
        if (Schedule.WarmupSteps > steps)
            throw new UserException($"trainer.schedule.warmup_steps: {Schedule.WarmupSteps} is more than the {steps} steps of the run");
        return steps;
    }
}

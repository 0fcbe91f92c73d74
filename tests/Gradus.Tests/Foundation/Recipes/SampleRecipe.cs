using Gradus.Foundation.Recipes;

namespace Gradus.Tests.Foundation.Recipes;

/// <summary>A small recipe with one of everything a recipe can hold.</summary>
public sealed record SampleRecipe
{
    public required SampleData Data { get; init; }
    public SampleOptimizer Optimizer { get; init; } = new SampleAdamw();
    public SampleTrainer Trainer { get; init; } = new() { Steps = 200 };
    public IReadOnlyList<SampleOptimizer> Stages { get; init; } = [];
    public IReadOnlyDictionary<string, double> Mix { get; init; } = new Dictionary<string, double>();
    public Dictionary<string, SampleTrainer> Named { get; init; } = [];
    public string? Note { get; init; }
    [Secret] public string? ApiKey { get; init; }
}

public sealed record SampleData
{
    public required string Path { get; init; }
    public string[] Targets { get; init; } = [];
    public List<int> Sizes { get; init; } = [];
    public int[][] Grid { get; init; } = [];
    [Above(0)] public int Batch { get; init; } = 8;
    [AtLeast(0), AtMost(1)] public IReadOnlyList<double> Weights { get; init; } = [];
}

public enum SamplePrecision { Fp32, Bf16, MixedUp }

public sealed record SampleTrainer : IValidated
{
    [Doc("How many optimiser steps the run has.")]
    [AtLeast(1)] public int Steps { get; init; } = 100;
    [AtLeast(0)] public int WarmupSteps { get; init; }
    public long Seed { get; init; } = 1;
    public ulong Tag { get; init; }
    public SamplePrecision Precision { get; init; }
    public bool Pack { get; init; } = true;
    public double? ClipNorm { get; init; } = 1;
    public float Ema { get; init; } = 0.999f;
    public int? Every { get; init; }

    public IEnumerable<(string Key, string Message)> Problems()
    {
        if (WarmupSteps > Steps)
            yield return (nameof(WarmupSteps), $"{WarmupSteps} is more than the {Steps} steps of the run");
    }
}

/// <summary>Turns gradients into updates. A second sentence.</summary>
[Socket("test-optimizers")]
public abstract record SampleOptimizer
{
    /// <summary>Step size of the <see cref="SampleOptimizer"/>, per update.</summary>
    [Above(0), AtMost(10)] public double LearningRate { get; init; } = 3e-4;
}

/// <summary>Sample with two moments.</summary>
[Component("adamw")]
public sealed record SampleAdamw : SampleOptimizer
{
    /// <summary>Decay of the first moment.</summary>
    [AtLeast(0), Below(1)] public double Beta1 { get; init; } = 0.9;
    /// <summary>Pull towards zero.</summary>
    [AtLeast(0)] public double WeightDecay { get; init; } = 0.1;
}

/// <summary>Sample with one.</summary>
[Component("sgd")]
public sealed record SampleSgd : SampleOptimizer
{
    /// <summary>Share of the last update.</summary>
    public double Momentum { get; init; }
}

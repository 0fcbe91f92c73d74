using Gradus.Foundation.Recipes;
using Gradus.Models.Nn;

namespace Gradus.Training.Optim;

/// <summary>Which parameters weight decay pulls towards zero.</summary>
public enum DecayScope
{
    /// <summary>Those with two dimensions or more: not biases, not the gains of norms.</summary>
    Matrices,

    /// <summary>Every parameter, as torch.optim does.</summary>
    All,
}

/// <summary>Turns gradients into updates.</summary>
[Socket("optimizers")]
public abstract record OptimizerOptions
{
    /// <summary>The highest learning rate of the run; the schedule says how much of it a step uses.</summary>
    [Above(0), AtMost(100)]
    public double LearningRate { get; init; } = 3e-4;

    /// <summary>Strength of weight decay.</summary>
    [AtLeast(0), AtMost(1)]
    public double WeightDecay { get; init; }

    /// <summary>Which parameters decay.</summary>
    public DecayScope Decay { get; init; } = DecayScope.Matrices;

    /// <summary>An optimiser with fresh state for the trainable ones of <paramref name="parameters"/>.</summary>
    public abstract Optimizer Build(IReadOnlyList<Parameter> parameters);

    internal double DecayOf(Parameter parameter) => Decay == DecayScope.All || (parameter.Value.Dims >= 2 && !parameter.IsGain) ? WeightDecay : 0;
}

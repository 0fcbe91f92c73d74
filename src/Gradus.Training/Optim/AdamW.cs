using Gradus.Engine.Tensors;
using Gradus.Foundation.Kernels;
using Gradus.Foundation.Recipes;
using Gradus.Models.Nn;

namespace Gradus.Training.Optim;

/// <summary>Adam with decoupled weight decay (Loshchilov and Hutter, 2019): the weight shrinks by rate · decay, whatever its gradient.</summary>
[Component("adamw")]
public sealed record AdamWOptions : OptimizerOptions
{
    public AdamWOptions() => WeightDecay = 0.01;

    /// <summary>Memory of the mean.</summary>
    [AtLeast(0), Below(1)]
    public double Beta1 { get; init; } = 0.9;

    /// <summary>Memory of the mean square.</summary>
    [AtLeast(0), Below(1)]
    public double Beta2 { get; init; } = 0.999;

    /// <summary>Added to the root, against division by zero.</summary>
    [Above(0), AtMost(1)]
    public double Eps { get; init; } = 1e-8;

    public override Optimizer Build(IReadOnlyList<Parameter> parameters) => new AdamW(parameters, this);
}

internal sealed class AdamW(IReadOnlyList<Parameter> parameters, AdamWOptions o) : Optimizer(parameters, "exp_avg", "exp_avg_sq")
{
    protected override void Update(Parameter parameter, Tensor gradient, ReadOnlySpan<Tensor> slots, double rate, double gradientScale) =>
        AdamUpdate.Run(parameter, gradient, slots, new AdamWStep
        {
            LearningRate = rate, Beta1 = o.Beta1, Beta2 = o.Beta2, Epsilon = o.Eps, WeightDecay = o.DecayOf(parameter), Step = Steps - parameter.Since, GradientScale = gradientScale, Decoupled = true,
        });
}

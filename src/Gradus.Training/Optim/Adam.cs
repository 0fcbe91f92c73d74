using Gradus.Engine.Tensors;
using Gradus.Foundation.Recipes;
using Gradus.Models.Nn;

namespace Gradus.Training.Optim;

/// <summary>Adam (Kingma and Ba, 2015): steps by the running mean of the gradient over the root of the running mean of its square; decay as L2, in the gradient.</summary>
[Component("adam")]
public sealed record AdamOptions : OptimizerOptions
{
    /// <summary>Memory of the mean.</summary>
    [AtLeast(0), Below(1)]
    public double Beta1 { get; init; } = 0.9;

    /// <summary>Memory of the mean square.</summary>
    [AtLeast(0), Below(1)]
    public double Beta2 { get; init; } = 0.999;

    /// <summary>Added to the root, against division by zero.</summary>
    [Above(0), AtMost(1)]
    public double Eps { get; init; } = 1e-8;

    public override Optimizer Build(IReadOnlyList<Parameter> parameters) => new Adam(parameters, this);
}

internal sealed class Adam(IReadOnlyList<Parameter> parameters, AdamOptions o) : Optimizer(parameters, "exp_avg", "exp_avg_sq")
{
    protected override void Update(Parameter parameter, Tensor gradient, ReadOnlySpan<Tensor> slots, double rate, double gradientScale) =>
        AdamStep.Run(parameter.Value, Direction(parameter, gradient, gradientScale, o.DecayOf(parameter)), slots[0], slots[1], Steps, rate, o.Beta1, o.Beta2, o.Eps);
}

/// <summary>What Adam and AdamW share: p -= rate · m̂ / (√v̂ + eps), with the moments corrected for starting at zero.</summary>
internal static class AdamStep
{
    public static void Run(Tensor value, Tensor gradient, Tensor mean, Tensor square, long step, double rate, double beta1, double beta2, double eps)
    {
        mean.LerpInPlace(gradient, 1 - beta1);
        square.MulInPlace(beta2);
        square.AddCMulInPlace(gradient, gradient, 1 - beta2);
        var (correction1, correction2) = (1 - Math.Pow(beta1, step), 1 - Math.Pow(beta2, step));
        var root = square.Sqrt();
        root.MulInPlace(1 / Math.Sqrt(correction2));
        root.AddInPlace(eps);
        value.AddCDivInPlace(mean, root, -rate / correction1);
    }
}

using Gradus.Engine.Ops;
using Gradus.Engine.Tensors;
using Gradus.Foundation.Kernels;
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
        AdamUpdate.Run(parameter, gradient, slots, new AdamWStep
        {
            LearningRate = rate, Beta1 = o.Beta1, Beta2 = o.Beta2, Epsilon = o.Eps, WeightDecay = o.DecayOf(parameter), Step = Steps - parameter.Since, GradientScale = gradientScale, Decoupled = false,
        });
}

/// <summary>What Adam and AdamW share: p -= rate · m̂ / (√v̂ + eps), with the moments corrected for starting at zero.</summary>
internal static class AdamUpdate
{
    /// <summary>One pass of the fused kernel, the bfloat16 copy included, where it applies; the plain formula elsewhere.</summary>
    public static void Run(Parameter parameter, Tensor gradient, ReadOnlySpan<Tensor> slots, in AdamWStep s)
    {
        var value = parameter.Value;
        if (!value.Device.IsCpu || value.DType != DType.Float32 || gradient.DType != DType.Float32 || !value.IsContiguous)
        {
            Plain(value, gradient, slots[0], slots[1], s);
            return;
        }
        var copy = parameter.ComputeType == DType.BFloat16 ? parameter.Copy : null;
        F.AdamWStep(value, gradient.Contiguous(), slots[0], slots[1], copy, s);
        if (copy is not null) parameter.CopyIsFresh();
    }

    /// <summary>The formula in tensor operations: any device, and the oracle of the kernel.</summary>
    public static void Plain(Tensor value, Tensor gradient, Tensor mean, Tensor square, in AdamWStep s)
    {
        if (s.GradientScale != 1) gradient.MulInPlace(s.GradientScale);
        if (s.WeightDecay != 0)
        {
            if (s.Decoupled) value.MulInPlace(1 - s.LearningRate * s.WeightDecay);
            else gradient.AddInPlace(value, s.WeightDecay);
        }
        mean.LerpInPlace(gradient, 1 - s.Beta1);
        square.MulInPlace(s.Beta2);
        square.AddCMulInPlace(gradient, gradient, 1 - s.Beta2);
        var root = square.Sqrt();
        root.MulInPlace(1 / Math.Sqrt(1 - Math.Pow(s.Beta2, s.Step)));
        root.AddInPlace(s.Epsilon);
        value.AddCDivInPlace(mean, root, -s.LearningRate / (1 - Math.Pow(s.Beta1, s.Step)));
    }
}

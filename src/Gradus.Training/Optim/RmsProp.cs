using Gradus.Engine.Tensors;
using Gradus.Foundation.Recipes;
using Gradus.Models.Nn;

namespace Gradus.Training.Optim;

/// <summary>RMSprop (Tieleman and Hinton, 2012): the gradient over the root of the running mean of its square; centred (Graves, 2013) over its running deviation.</summary>
[Component("rmsprop")]
public sealed record RmsPropOptions : OptimizerOptions
{
    /// <summary>Memory of the mean square.</summary>
    [AtLeast(0), Below(1)]
    public double Alpha { get; init; } = 0.99;

    /// <summary>Added to the root, against division by zero.</summary>
    [Above(0), AtMost(1)]
    public double Eps { get; init; } = 1e-8;

    /// <summary>Share of the last direction kept.</summary>
    [AtLeast(0), Below(1)]
    public double Momentum { get; init; }

    /// <summary>Subtracts the squared running mean.</summary>
    public bool Centered { get; init; }

    public override Optimizer Build(IReadOnlyList<Parameter> parameters) => new RmsProp(parameters, this);
}

internal sealed class RmsProp(IReadOnlyList<Parameter> parameters, RmsPropOptions o) : Optimizer(parameters, Slots(o))
{
    // Order: square_avg, then momentum_buffer, then grad_avg, each only when used.
    private static string[] Slots(RmsPropOptions o)
    {
        List<string> names = ["square_avg"];
        if (o.Momentum > 0) names.Add("momentum_buffer");
        if (o.Centered) names.Add("grad_avg");
        return [.. names];
    }

    protected override void Update(Parameter parameter, Tensor gradient, ReadOnlySpan<Tensor> slots, double rate, double gradientScale)
    {
        var direction = Direction(parameter, gradient, gradientScale, o.DecayOf(parameter));
        var square = slots[0];
        square.MulInPlace(o.Alpha);
        square.AddCMulInPlace(direction, direction, 1 - o.Alpha);
        Tensor root;
        if (o.Centered)
        {
            var mean = slots[^1];
            mean.LerpInPlace(direction, 1 - o.Alpha);
            root = square.Clone();
            root.AddCMulInPlace(mean, mean, -1);
            root.SqrtInPlace();
        }
        else
        {
            root = square.Sqrt();
        }
        root.AddInPlace(o.Eps);
        if (o.Momentum > 0)
        {
            var buffer = slots[1];
            buffer.MulInPlace(o.Momentum);
            buffer.AddCDivInPlace(direction, root, 1);
            parameter.Value.AddInPlace(buffer, -rate);
        }
        else
        {
            parameter.Value.AddCDivInPlace(direction, root, -rate);
        }
    }
}

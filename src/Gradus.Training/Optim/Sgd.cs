using Gradus.Engine.Tensors;
using Gradus.Foundation.Recipes;
using Gradus.Models.Nn;

namespace Gradus.Training.Optim;

/// <summary>Stochastic gradient descent, with momentum (Polyak, 1964) and Nesterov's look-ahead (Sutskever et al., 2013); decay as L2, in the gradient.</summary>
[Component("sgd")]
public sealed record SgdOptions : OptimizerOptions, IValidated
{
    /// <summary>Share of the last direction kept; 0 keeps no state.</summary>
    [AtLeast(0), Below(1)]
    public double Momentum { get; init; }

    /// <summary>Share of the gradient left out of the momentum.</summary>
    [AtLeast(0), AtMost(1)]
    public double Dampening { get; init; }

    /// <summary>Steps from where the momentum will have led.</summary>
    public bool Nesterov { get; init; }

    public IEnumerable<(string Key, string Message)> Problems()
    {
        if (Nesterov && (Momentum == 0 || Dampening != 0))
            yield return (nameof(Nesterov), "needs a momentum above 0 and no dampening");
    }

    public override Optimizer Build(IReadOnlyList<Parameter> parameters) => new Sgd(parameters, this);
}

internal sealed class Sgd(IReadOnlyList<Parameter> parameters, SgdOptions o) : Optimizer(parameters, o.Momentum > 0 ? ["momentum_buffer"] : [])
{
    protected override void Update(Parameter parameter, Tensor gradient, ReadOnlySpan<Tensor> slots, double rate, double gradientScale)
    {
        var direction = Direction(parameter, gradient, gradientScale, o.DecayOf(parameter));
        if (o.Momentum > 0)
        {
            var buffer = slots[0];
            buffer.MulInPlace(o.Momentum);
            buffer.AddInPlace(direction, Steps - parameter.Since == 1 ? 1 : 1 - o.Dampening); // PyTorch does not dampen the first step
            if (o.Nesterov) direction.AddInPlace(buffer, o.Momentum);
            else direction = buffer;
        }
        parameter.Value.AddInPlace(direction, -rate);
    }
}

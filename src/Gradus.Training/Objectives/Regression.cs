using Gradus.Engine.Tensors;
using Gradus.Foundation.Recipes;
using Gradus.Models.Nn;
using Gradus.Text.Data;

namespace Gradus.Training.Objectives;

/// <summary>The sum over the targets of the squared difference between the first output and the number wanted.</summary>
[Component("regression")]
public sealed record RegressionOptions : ObjectiveOptions
{
    public override IObjective Build() => new Regression();
}

internal sealed class Regression : IObjective
{
    public Tensor Sum(ILanguageModel model, TokenBatch batch, in Step step)
    {
        var (states, at) = TargetStates.Of(model, batch, step);
        var said = model.Head.Forward(model.BeforeHead(states, step)).Select(-1, 0).To(DType.Float32);
        if (batch.TargetCount == 0) return (said * 0).Sum();
        var values = batch.Values ?? throw new ArgumentException("a regression needs numbers, and the batch has classes", nameof(batch));
        var squares = (said - TargetStates.Take(values, at, states.Device)).Pow(2);
        return (batch.Weights is { } weights ? squares * TargetStates.Take(weights, at, states.Device) : squares).Sum();
    }
}

using Gradus.Engine.Tensors;
using Gradus.Foundation.Recipes;
using Gradus.Models.Nn;
using Gradus.Text.Data;

namespace Gradus.Training.Objectives;

/// <summary>The sum over the targets of -log p(class | state), in nats: a class for a row or for each of its words, whatever the batch says.</summary>
[Component("classification")]
public sealed record ClassificationOptions : ObjectiveOptions
{
    /// <summary>Share of each target that is spread over all classes (Szegedy et al., 2016).</summary>
    [AtLeast(0), Below(1)]
    public double LabelSmoothing { get; init; }

    public override IObjective Build() => new Classification(LabelSmoothing);
}

internal sealed class Classification(double smoothing) : IObjective
{
    public Tensor Sum(ILanguageModel model, TokenBatch batch, in Step step)
    {
        var (states, at) = TargetStates.Of(model, batch, step);
        var weights = batch.Weights is { } each ? TargetStates.Take(each, at, states.Device) : null;
        return HeadLoss.Sum(model, states, TargetStates.Take(batch.Targets, at, states.Device), step, weights, smoothing);
    }
}

using Gradus.Engine.Tensors;
using Gradus.Foundation.Recipes;
using Gradus.Models.Nn;
using Gradus.Text.Data;

namespace Gradus.Training.Objectives;

/// <summary>Next-token prediction: the sum over the targets of -log p(target | what comes before it), in nats.</summary>
[Component("causal-lm")]
public sealed record CausalLmOptions : ObjectiveOptions
{
    public override IObjective Build() => new CausalLm();

    public override string? Problem(ILanguageModel model) => (model ?? throw new ArgumentNullException(nameof(model))).IsCausal ? null
        : "causal-lm would have an encoder predict tokens that it sees; use masked-lm";
}

internal sealed class CausalLm : IObjective
{
    public Tensor Sum(ILanguageModel model, TokenBatch batch, in Step step)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(batch);
        var device = model.Device;
        var hidden = model.Hidden(BatchTensors.Ids(batch, device), BatchTensors.Place(step, batch, device));
        var weights = batch.Weights is { } each ? Tensor.From(each, each.Length).To(device) : null;
        return HeadLoss.Sum(model, hidden.Reshape(-1, hidden.Size(-1)), BatchTensors.Targets(batch, device), step, weights);
    }
}

using Gradus.Engine.Ops;
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
}

internal sealed class CausalLm : IObjective
{
    public Tensor Sum(ILanguageModel model, TokenBatch batch, in Step step)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(batch);
        var device = model.Parameters[0].Value.Device;
        var hidden = model.Hidden(BatchTensors.Ids(batch, device), BatchTensors.Place(step, batch, device));
        var rows = hidden.Reshape(-1, hidden.Size(-1));
        var targets = BatchTensors.Targets(batch, device);
        // The fused head reads a plain weight; any other kind of head computes its logits.
        return model.Head is { Adapter: null, Bias: null, Weight: DenseWeight dense }
            ? F.LinearCrossEntropySum(rows, dense.Parameter.Value, targets, dense.Parameter.Computed)
            : F.CrossEntropySum(model.Head.Forward(rows).To(DType.Float32), targets);
    }
}

using Gradus.Engine.Ops;
using Gradus.Engine.Tensors;
using Gradus.Models.Nn;

namespace Gradus.Training.Objectives;

/// <summary>The sum of the cross-entropies of states against classes, through the model's output layer: what most objectives come to.</summary>
internal static class HeadLoss
{
    /// <param name="model">The network.</param>
    /// <param name="states">States, [N, D].</param>
    /// <param name="targets">Classes, [N] int64, -100 for none.</param>
    /// <param name="step">Training or not.</param>
    /// <param name="weights">How much each counts, [N]; null: 1.</param>
    /// <param name="smoothing">Share of each target that is spread over all classes.</param>
    public static Tensor Sum(ILanguageModel model, Tensor states, Tensor targets, in Step step, Tensor? weights = null, double smoothing = 0)
    {
        var read = model.BeforeHead(states, step);
        // The fused head reads a plain weight; any other kind of head computes its logits.
        if (weights is null && smoothing == 0 && model.Head is { Adapter: null, Bias: null, Weight: DenseWeight dense })
            return F.LinearCrossEntropySum(read, dense.Parameter.Value, targets, dense.Parameter.Computed);
        var logits = model.Head.Forward(read).To(DType.Float32);
        if (weights is null && smoothing == 0) return F.CrossEntropySum(logits, targets);
        var each = F.CrossEntropyEach(logits, targets, smoothing);
        return (weights is null ? each : each * weights).Sum();
    }
}

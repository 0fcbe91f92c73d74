using Gradus.Engine.Tensors;
using Gradus.Foundation.Recipes;
using Gradus.Models.Nn;
using Gradus.Text.Data;

namespace Gradus.Training.Objectives;

/// <summary>What training makes small.</summary>
[Socket("objectives")]
public abstract record ObjectiveOptions
{
    /// <summary>The loss itself.</summary>
    public abstract IObjective Build();
}

/// <summary>
/// A loss as a <b>sum</b>: the trainer divides by the weight counted over all micro-batches and ranks of a step, so that how the
/// rows were grouped does not change the gradient.
/// </summary>
public interface IObjective
{
    /// <summary>Target tokens of a batch: its share in the divisor. Known before the loss is computed.</summary>
    long Weight(TokenBatch batch) => (batch ?? throw new ArgumentNullException(nameof(batch))).TargetCount;

    /// <summary>The sum of the losses of a batch, a scalar float32 that gradients flow from; 0 where nothing is a target.</summary>
    /// <param name="model">The network.</param>
    /// <param name="batch">Rows of tokens, [B, T].</param>
    /// <param name="step">Training or not, recomputation; positions and documents come from the batch.</param>
    Tensor Sum(ILanguageModel model, TokenBatch batch, in Step step);
}

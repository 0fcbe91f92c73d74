using Gradus.Engine.Tensors;
using Gradus.Foundation.Recipes;
using Gradus.Models.Nn;
using Gradus.Text.Data;
using Gradus.Text.Tokenizers;

namespace Gradus.Training.Objectives;

/// <summary>What training makes small.</summary>
[Socket("objectives")]
public abstract record ObjectiveOptions
{
    /// <summary>The loss itself.</summary>
    public abstract IObjective Build();

    /// <summary>Tokens that <see cref="Rows"/> puts into a row besides those of the text.</summary>
    public virtual int Added(Tokenizer tokenizer) => 0;

    /// <summary>
    /// What the objective makes of plain rows, whose targets are the next tokens: itself, or rows with tokens hidden … Any draw is a function of
    /// the seed and the row's number, so that a resumed run draws the same.
    /// </summary>
    public virtual IBatchSource Rows(IBatchSource rows, Tokenizer tokenizer, ulong seed) => rows;

    /// <summary>Why a model cannot be trained with it, or null.</summary>
    public virtual string? Problem(ILanguageModel model) => null;
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

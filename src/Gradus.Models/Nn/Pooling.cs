using Gradus.Engine.Tensors;

namespace Gradus.Models.Nn;

/// <summary>What a head for whole rows reads.</summary>
public static class Pooling
{
    /// <summary>
    /// States [B, T, D] as the model's head wants them: as they are, or, with mean pooling, each replaced by the mean over its document, so
    /// that any token of a row stands for all of it and what fills the row up for nothing.
    /// </summary>
    public static Tensor Of(ILanguageModel model, Tensor states, in Step step)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(states);
        if (model.Task is not { MeanPooling: true }) return states;
        if (step.Documents is not { } documents) return states.Mean([1], keepDim: true).Expand(states.Shape);
        var same = documents.Unsqueeze(2).Equal(documents.Unsqueeze(1)).To(states.DType);
        return (same / same.Sum([2], keepDim: true)).MatMul(states);
    }
}

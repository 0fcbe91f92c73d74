using Gradus.Engine.Tensors;
using Gradus.Models.Nn;
using Gradus.Text.Data;

namespace Gradus.Training.Objectives;

/// <summary>The states that have a target: the output layer need not see the others.</summary>
internal static class TargetStates
{
    /// <summary>States [N, D], and where they stand in the batch's arrays. A batch without targets gives one state, so that a loss of zero still has its graph.</summary>
    public static (Tensor States, int[] At) Of(ILanguageModel model, TokenBatch batch, in Step step)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(batch);
        int[] at = [.. Enumerable.Range(0, batch.Targets.Length).Where(i => batch.Targets[i] != TokenBatch.Ignore)];
        if (at.Length == 0) at = [0];
        var device = model.Device;
        var placed = BatchTensors.Place(step, batch, device);
        var hidden = Pooling.Of(model, model.Hidden(BatchTensors.Ids(batch, device), placed), placed);
        var index = Tensor.From(at, at.Length).To(DType.Int64).To(device);
        return (hidden.Reshape(-1, hidden.Size(-1)).IndexSelect(0, index), at);
    }

    /// <summary>Of the arrays of a batch, the elements at those places.</summary>
    public static Tensor Take(int[] of, int[] at, Device device) => Tensor.From(Array.ConvertAll(at, i => of[i]), at.Length).To(DType.Int64).To(device);

    /// <inheritdoc cref="Take(int[], int[], Device)"/>
    public static Tensor Take(float[] of, int[] at, Device device) => Tensor.From(Array.ConvertAll(at, i => of[i]), at.Length).To(device);
}

using Gradus.Engine.Tensors;
using Gradus.Models.Nn;
using Gradus.Text.Data;

namespace Gradus.Training.Objectives;

/// <summary>A batch's arrays as tensors.</summary>
public static class BatchTensors
{
    /// <summary>Ids [B, T] int64.</summary>
    public static Tensor Ids(TokenBatch batch, Device device) => Make((batch ?? throw new ArgumentNullException(nameof(batch))).Ids, device, batch.Rows, batch.Length);

    /// <summary>Targets [B·T] int64, -100 where nothing is to be predicted.</summary>
    public static Tensor Targets(TokenBatch batch, Device device) => Make((batch ?? throw new ArgumentNullException(nameof(batch))).Targets, device, (long)batch.Rows * batch.Length);

    /// <summary>The step with the batch's segments, positions and documents. Without document borders the last two are the default, which is cheaper.</summary>
    public static Step Place(in Step step, TokenBatch batch, Device device)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var typed = batch.Types is { } types ? step with { Types = Make(types, device, batch.Rows, batch.Length) } : step;
        return batch.HasDocumentBorders
            ? typed with { Positions = Make(batch.Positions, device, batch.Rows, batch.Length), Documents = Make(batch.Documents, device, batch.Rows, batch.Length) }
            : typed;
    }

    private static Tensor Make(int[] values, Device device, params ReadOnlySpan<long> shape) => Tensor.From(values, shape).To(DType.Int64).To(device);
}

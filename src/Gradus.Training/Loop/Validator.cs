using Gradus.Engine.Tensors;
using Gradus.Inference.Tasks;
using Gradus.Models.Nn;
using Gradus.Text.Data;
using Gradus.Training.Objectives;

namespace Gradus.Training.Loop;

/// <summary>
/// Measures a model on held-out rows, always the same ones in the same order. Draws no random numbers and records no graph, so a run
/// with validation and one without have the same weights, bit for bit.
/// </summary>
/// <param name="data">Rows in order, each target once.</param>
/// <param name="rows">Rows at a time.</param>
/// <param name="batches">Batches measured; 0: all.</param>
/// <param name="bytesPerTarget">UTF-8 bytes of text a target token stands for on average; null when unknown.</param>
public sealed class Validator(IBatchSource data, int rows, int batches, double? bytesPerTarget)
{
    /// <summary>What a model is judged by besides its loss, the deciding score first; null: by its loss.</summary>
    public Func<ILanguageModel, IReadOnlyList<TaskScore>>? Score { get; init; }

    /// <summary>Rows that one measurement takes.</summary>
    internal long Rows => batches > 0 ? Math.Min(data.RowsPerEpoch, (long)batches * rows) : data.RowsPerEpoch;

    /// <summary>Mean loss in nats, bits by byte of text, and targets counted.</summary>
    public (double Loss, double? BitsPerByte, long Targets) Measure(ILanguageModel model, IObjective objective)
    {
        ArgumentNullException.ThrowIfNull(objective);
        using var off = Grad.Off();
        var (sum, weight) = (0.0, 0L);
        var most = (data.RowsPerEpoch + rows - 1) / rows;
        if (batches > 0) most = Math.Min(most, batches);
        for (var i = 0L; i < most; i++)
        {
            using var scope = Tensor.Scope();
            var batch = data.Rows(i * rows, (int)Math.Min(rows, data.RowsPerEpoch - i * rows));
            sum += objective.Sum(model, batch, default).Item();
            weight += objective.Weight(batch);
        }
        var loss = weight == 0 ? 0 : sum / weight;
        return (loss, bytesPerTarget is { } bytes ? loss / Math.Log(2) / bytes : null, weight);
    }
}

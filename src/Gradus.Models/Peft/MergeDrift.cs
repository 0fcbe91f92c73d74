using Gradus.Engine.Tensors;
using Gradus.Models.Nn;

namespace Gradus.Models.Peft;

/// <summary>What merging changed in a model's predictions: nothing in exact arithmetic, roundings in this one.</summary>
/// <param name="MeanKl">Mean of KL(unmerged ‖ merged) over positions, nats.</param>
/// <param name="TopAgreement">Share of positions whose most likely token is the same.</param>
/// <param name="PerplexityBefore">Of the tokens measured, unmerged; null for a model that does not say the next token.</param>
/// <param name="PerplexityAfter">Merged.</param>
/// <param name="Positions">Tokens predicted.</param>
public readonly record struct MergeDrift(double MeanKl, double TopAgreement, double? PerplexityBefore, double? PerplexityAfter, long Positions)
{
    /// <summary>Measures on rows of ids [B, T] of one length, merging the adapters in use; they are merged afterwards.</summary>
    /// <param name="model">With the adapters in use.</param>
    /// <param name="rows">What to measure on.</param>
    /// <param name="type">The type the weights will be written in: all of them are rounded to it, as reading them again would.</param>
    public static MergeDrift Measure(AdaptedModel model, IReadOnlyList<long[]> rows, DType? type = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(rows);
        using var off = Grad.Off();
        using var scope = Tensor.Scope();
        var saysTokens = model is { IsCausal: true, Task: null };
        var before = rows.Select(row => LogProbabilities(model, row)).ToArray();
        model.Merge();
        foreach (var parameter in type is { } written && written != model.Parameters[0].Value.DType ? model.Parameters : [])
        {
            using var inner = Tensor.Scope();
            parameter.Value.CopyFrom(parameter.Value.To(type!.Value));
        }
        var (divergence, agree, nats, natsAfter, count) = (0.0, 0L, 0.0, 0.0, 0L);
        for (var i = 0; i < rows.Count; i++)
        {
            using var inner = Tensor.Scope();
            var (p, q) = (before[i], LogProbabilities(model, rows[i]));
            divergence += (p.Exp() * (p - q)).Sum().Item();
            agree += (long)p.ArgMax(-1).Equal(q.ArgMax(-1)).To(DType.Int64).Sum().Item();
            count += p.Size(0);
            if (!saysTokens) continue;
            var next = Tensor.From(rows[i].AsSpan(1), rows[i].Length - 1, 1).To(p.Device);
            nats -= p.Narrow(0, 0, next.Size(0)).Gather(1, next).Sum().Item();
            natsAfter -= q.Narrow(0, 0, next.Size(0)).Gather(1, next).Sum().Item();
        }
        var predicted = Math.Max(1, count - rows.Count);
        return new MergeDrift(divergence / Math.Max(1, count), (double)agree / Math.Max(1, count), saysTokens ? Math.Exp(nats / predicted) : null, saysTokens ? Math.Exp(natsAfter / predicted) : null, predicted);
    }

    // Float64: the differences looked for are roundings of float32.
    private static Tensor LogProbabilities(ILanguageModel model, long[] row) => Tensor.Scoped(() =>
        model.Logits(Tensor.From(row, 1, row.Length).To(model.Device), new Step()).Select(0, 0).To(DType.Float64).LogSoftmax(-1));
}

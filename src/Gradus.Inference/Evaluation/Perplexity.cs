using Gradus.Engine.Ops;
using Gradus.Engine.Tensors;
using Gradus.Foundation.Files;
using Gradus.Models.Nn;
using Gradus.Text.Data;

namespace Gradus.Inference.Evaluation;

/// <summary>How well a model predicts a text. Perplexity depends on the tokenizer; bits per byte does not.</summary>
/// <param name="Nats">Sum of -ln p over the targets.</param>
/// <param name="Targets">Tokens predicted.</param>
/// <param name="Bytes">UTF-8 bytes of the text that the targets stand for.</param>
public readonly record struct PerplexityScore(double Nats, long Targets, long Bytes)
{
    /// <summary>exp of the mean loss a token: the V-sided die the model is as unsure as.</summary>
    public double Perplexity => Math.Exp(Nats / Targets);

    /// <summary>Bits the model needs for a byte of the text.</summary>
    public double BitsPerByte => Nats / Math.Log(2) / Bytes;
}

/// <summary>Perplexity over rows that hold each token once as a target.</summary>
public static class Perplexity
{
    /// <summary>What the context of a target is, in words, for reports.</summary>
    public const string ContextHandling = "windows in order without overlap, each target once; a token sees the tokens before it in its own window only";

    public static PerplexityScore Of(ILanguageModel model, IBatchSource data, long bytes, int rows = 8, Action<double>? progress = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(data);
        if (!model.IsCausal || model.Task is not null) throw new UserException(model.Task is null ? "an encoder sees the words it would have to predict; perplexity is for decoders (gpt2, llama)" : "the model's output layer is for labels; gradus eval measures it on labelled rows");
        using var off = Grad.Off();
        var (nats, targets) = (0.0, 0L);
        for (var first = 0L; first < data.RowsPerEpoch; first += rows)
        {
            cancel.ThrowIfCancellationRequested();
            using var scope = Tensor.Scope();
            var batch = data.Rows(first, (int)Math.Min(rows, data.RowsPerEpoch - first));
            var device = model.Device;
            Tensor Upload(int[] values) => Tensor.From(values, batch.Rows, batch.Length).To(DType.Int64).To(device);
            var step = new Step { Positions = batch.HasDocumentBorders ? Upload(batch.Positions) : null, Documents = batch.HasDocumentBorders ? Upload(batch.Documents) : null };
            var logits = model.Head.Forward(model.Hidden(Upload(batch.Ids), step)).To(DType.Float32);
            nats += F.CrossEntropySum(logits.Flatten(0, 1), Upload(batch.Targets).Flatten(0, 1)).Item();
            targets += batch.TargetCount;
            progress?.Invoke((first + batch.Rows) / (double)data.RowsPerEpoch);
        }
        return new(nats, targets, bytes);
    }
}

using Gradus.Engine.Ops;
using Gradus.Engine.Tensors;
using Gradus.Models.Nn;

namespace Gradus.Models.Families.Bert;

// Shape letters: B batch, T time, D model width, H heads, W head width.

/// <summary>What sums up to the first state of a token.</summary>
/// <param name="Words">A vector a token.</param>
/// <param name="Places">A vector a position.</param>
/// <param name="Types">A vector a segment; null where the family has none.</param>
/// <param name="Norm">After the sum.</param>
/// <param name="Offset">Row of the first position: RoBERTa's first rows stand for padding.</param>
/// <param name="Dropout">After the norm.</param>
internal sealed record EncoderInput(Embedding Words, Embedding Places, Embedding? Types, LayerNorm Norm, int Offset, double Dropout);

/// <summary>The output layer and what stands before it.</summary>
/// <param name="Out">The last linear.</param>
/// <param name="Before">Layers between the body and it; null: none.</param>
internal sealed record EncoderOutput(Linear Out, Func<Tensor, Step, Tensor>? Before = null)
{
    /// <summary>Scores of tokens: a dense layer, its activation, a norm, then the table of the embedding with a bias of its own (Devlin et al., 2019).</summary>
    public static EncoderOutput Words(string path, Linear dense, Func<Tensor, Tensor> activation, LayerNorm norm, Embedding words, Parameter bias) =>
        new(new Linear(path, new DenseWeight(words.Weight), bias), (states, _) => norm.Forward(activation(dense.Forward(states)).To(states.DType))); // norms keep full precision

    /// <summary>Scores of labels for each token.</summary>
    public static EncoderOutput Labels(Linear classifier, double dropout = 0) =>
        new(classifier, (states, step) => F.Dropout(states, step.Training ? dropout : 0));

    /// <summary>Scores of labels for a row, through a dense layer.</summary>
    public static EncoderOutput Pooled(Linear dense, Func<Tensor, Tensor> activation, Linear classifier, double dropout, double dropoutBefore = 0) =>
        new(classifier, (states, step) => F.Dropout(activation(dense.Forward(F.Dropout(states, step.Training ? dropoutBefore : 0))), step.Training ? dropout : 0));
}

/// <summary>The encoder of BERT and its kin: attention over the whole row, a norm after each half-block. Families differ in names and in what stands at the two ends.</summary>
internal sealed class EncoderModel : ILanguageModel
{
    private readonly EncoderInput _input;
    private readonly IReadOnlyList<EncoderBlock> _blocks;
    private readonly Func<Tensor, Step, Tensor>? _before;

    public EncoderModel(Weights w, EncoderInput input, IReadOnlyList<EncoderBlock> blocks, EncoderOutput output, TaskHead? task)
    {
        (_input, _blocks, _before, Head, Task) = (input, blocks, output.Before, output.Out, task);
        VocabSize = (int)input.Words.Weight.Value.Size(0);
        MaxPositions = (int)input.Places.Weight.Value.Size(0) - input.Offset;
        (Parameters, Linears) = (w.Complete(), w.Linears);
    }

    public IReadOnlyList<Parameter> Parameters { get; }
    public IReadOnlyList<Linear> Linears { get; }
    public int VocabSize { get; }
    public int MaxPositions { get; }
    public Linear Head { get; }
    public TaskHead? Task { get; }
    public bool IsCausal => false;

    public Tensor Hidden(Tensor ids, in Step step)
    {
        step.Start(ids, MaxPositions);
        var sum = _input.Words.Forward(ids);
        if (_input.Types is { } types) sum += step.Types is { } segments ? types.Forward(segments) : types.Rows(0, 1);
        sum += step.Positions is { } positions ? _input.Places.Forward(_input.Offset == 0 ? positions : (positions + _input.Offset).To(DType.Int64)) : _input.Places.Rows(_input.Offset, ids.Size(1));
        var xBTD = F.Dropout(_input.Norm.Forward(sum), step.Training ? _input.Dropout : 0);
        var pass = step;
        foreach (var block in _blocks) xBTD = step.Run(xBTD, x => block.Forward(x, pass));
        return xBTD;
    }

    public Tensor BeforeHead(Tensor states, in Step step) => _before is { } before ? before(states, step) : states;

    public KvCache NewCache(int batch, int capacity) => throw new NotSupportedException("an encoder sees whole rows; it has no cache");

    public void Dispose()
    {
        foreach (var parameter in Parameters) parameter.Dispose();
        foreach (var linear in Linears) (linear.Weight as PackedWeight)?.Dispose();
    }
}

/// <summary>x + attention, norm, + feed-forward, norm. DistilBERT drops nothing of the attention's result.</summary>
internal sealed class EncoderBlock(EncoderAttention attention, LayerNorm attentionNorm, FeedForward mlp, LayerNorm mlpNorm, double dropout, bool dropsAttention = true)
{
    public Tensor Forward(Tensor xBTD, in Step step)
    {
        var p = step.Training ? dropout : 0;
        var hBTD = attentionNorm.Forward(xBTD + F.Dropout(attention.Forward(xBTD, step), dropsAttention ? p : 0));
        return mlpNorm.Forward(hBTD + F.Dropout(mlp.Forward(hBTD), p));
    }
}

internal sealed class EncoderAttention(Linear q, Linear k, Linear v, Linear output, int heads, double dropout)
{
    public Tensor Forward(Tensor xBTD, in Step step)
    {
        var (rows, time, width) = (xBTD.Size(0), xBTD.Size(1), xBTD.Size(2) / heads);
        Tensor Heads(Linear linear) => linear.Forward(xBTD).View(rows, time, heads, width);
        return output.Forward(Attention.Bidirectional(Heads(q), Heads(k), Heads(v), dropout, step));
    }
}

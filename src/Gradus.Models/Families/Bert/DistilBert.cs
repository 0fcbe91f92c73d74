using System.Text.RegularExpressions;
using Gradus.Foundation.Recipes;
using Gradus.Models.Nn;

namespace Gradus.Models.Families.Bert;

/// <summary>DistilBERT (Sanh et al., 2019): half of BERT's blocks, no segments, no pooler; with names of its own.</summary>
[Component("distilbert")]
public sealed partial record DistilBertOptions : ModelOptions
{
    private const double Eps = 1e-12; // not a key of its configuration

    /// <summary>Model width.</summary>
    [AtLeast(1), AtMost(1 << 20)]
    public int Dim { get; init; } = 768;

    /// <summary>Blocks.</summary>
    [AtLeast(0), AtMost(4096)]
    public int NLayers { get; init; } = 6;

    /// <summary>Attention heads; they divide the width.</summary>
    [AtLeast(1), AtMost(1 << 16)]
    public int NHeads { get; init; } = 12;

    /// <summary>Inner width of the feed-forward network.</summary>
    [AtLeast(1), AtMost(1 << 22)]
    public int HiddenDim { get; init; } = 3072;

    /// <summary>Non-linearity of the feed-forward network.</summary>
    public string Activation { get; init; } = "gelu";

    /// <summary>Dropout after the embeddings and of each feed-forward network.</summary>
    [AtLeast(0), Below(1), TrainingOnly]
    public double Dropout { get; init; } = 0.1;

    /// <summary>Dropout of attention weights.</summary>
    [AtLeast(0), Below(1), TrainingOnly]
    public double AttentionDropout { get; init; } = 0.1;

    /// <summary>Dropout before the classifier of whole rows.</summary>
    [AtLeast(0), Below(1), TrainingOnly]
    public double SeqClassifDropout { get; init; } = 0.2;

    /// <summary>Dropout before the layer that answers questions.</summary>
    [AtLeast(0), Below(1), TrainingOnly]
    public double QaDropout { get; init; } = 0.1;

    /// <summary>Longest sequence.</summary>
    [AtLeast(1), AtMost(1 << 24)]
    public int MaxPositionEmbeddings { get; init; } = 512;

    /// <summary>Standard deviation of fresh weights.</summary>
    [AtLeast(0), AtMost(10), TrainingOnly]
    public double InitializerRange { get; init; } = 0.02;

    /// <summary>Id of the token that fills rows up.</summary>
    [AtLeast(0)]
    public int PadTokenId { get; init; }

    public override string Architecture => "DistilBertForMaskedLM";

    public override int ContextLength => MaxPositionEmbeddings;

    public override bool IsCausal => false;

    public override IReadOnlyList<ModelPreset> Presets =>
    [
        new("distilbert-base", new DistilBertOptions { VocabSize = 30522 }),
        new("distilbert-tiny", new DistilBertOptions { VocabSize = 61, Dim = 16, NLayers = 2, NHeads = 2, HiddenDim = 24, MaxPositionEmbeddings = 24 }),
    ];

    internal override string WeightPrefix => "distilbert.";

    internal override (string Copy, string Original)? TiedCopy => ("vocab_projector.weight", "distilbert.embeddings.word_embeddings.weight");

    internal override Regex? IgnoredTensors => Ignored();

    internal override Regex HeadTensors => Heads();

    public override IEnumerable<(string Key, string Message)> Problems()
    {
        foreach (var problem in base.Problems()) yield return problem;
        if (Dim % NHeads != 0) yield return ("dim", $"{Dim} is not a multiple of n_heads {NHeads}");
        if (PadTokenId >= VocabSize) yield return ("pad_token_id", $"token {PadTokenId} is not in a vocabulary of {VocabSize} (vocab_size)");
        if (Nn.Activation.Problem(Activation) is { } problem2) yield return ("activation", problem2);
    }

    protected override ILanguageModel Make(Weights w, TaskHead? head)
    {
        var (body, at) = (w / "distilbert", w / "distilbert" / "embeddings");
        var input = new EncoderInput(new(at / "word_embeddings", VocabSize!.Value, Dim, Normal), new(at / "position_embeddings", MaxPositionEmbeddings, Dim, Normal), null, new(at / "LayerNorm", Dim, Eps), 0, Dropout);
        var blocks = Enumerable.Range(0, NLayers).Select(layer => Block(body / "transformer" / "layer" / layer)).ToArray();
        return new EncoderModel(w, input, blocks, head?.Kind switch
        {
            null => Words(w, input.Words),
            TaskHead.SequenceClassification => EncoderOutput.Pooled(Dense(w / "pre_classifier", Dim, Dim), x => x.Relu(), Dense(w / "classifier", Dim, head.Outputs), SeqClassifDropout),
            TaskHead.TokenClassification => EncoderOutput.Labels(Dense(w / "classifier", Dim, head.Outputs), Dropout),
            _ => EncoderOutput.Labels(Dense(w / "qa_outputs", Dim, head.Outputs), QaDropout),
        }, head);
    }

    private Init Normal => Init.Normal(InitializerRange);

    private Linear Dense(Weights w, int fanIn, int fanOut) => Linear.Dense(w, fanIn, fanOut, Normal, bias: true);

    private EncoderBlock Block(Weights w)
    {
        var self = w / "attention";
        var attention = new EncoderAttention(Dense(self / "q_lin", Dim, Dim), Dense(self / "k_lin", Dim, Dim), Dense(self / "v_lin", Dim, Dim), Dense(self / "out_lin", Dim, Dim), NHeads, AttentionDropout);
        var norm = new LayerNorm(w / "sa_layer_norm", Dim, Eps);
        var mlp = new FeedForward(Dense(w / "ffn" / "lin1", Dim, HiddenDim), Dense(w / "ffn" / "lin2", HiddenDim, Dim), Nn.Activation.Of(Activation));
        return new EncoderBlock(attention, norm, mlp, new LayerNorm(w / "output_layer_norm", Dim, Eps), Dropout, dropsAttention: false);
    }

    private EncoderOutput Words(Weights w, Embedding words)
    {
        var (dense, norm) = (Dense(w / "vocab_transform", Dim, Dim), new LayerNorm(w / "vocab_layer_norm", Dim, Eps));
        return EncoderOutput.Words("vocab_projector", dense, Nn.Activation.Of(Activation), norm, words, (w / "vocab_projector").Parameter("bias", Init.Zeros, VocabSize!.Value));
    }

    [GeneratedRegex(@"(^|\.)embeddings\.position_ids$", RegexOptions.CultureInvariant)]
    private static partial Regex Ignored();

    [GeneratedRegex(@"^(vocab_transform|vocab_layer_norm|vocab_projector|pre_classifier|classifier|qa_outputs)\.", RegexOptions.CultureInvariant)]
    private static partial Regex Heads();
}

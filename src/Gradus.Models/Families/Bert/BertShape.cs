using System.Text.Json.Nodes;
using Gradus.Foundation.Recipes;
using Gradus.Models.Nn;

namespace Gradus.Models.Families.Bert;

/// <summary>The keys and the body that BERT and RoBERTa share; they differ in the name of the body, the positions and the output layers.</summary>
public abstract record BertShape : ModelOptions
{
    /// <summary>Model width.</summary>
    [AtLeast(1), AtMost(1 << 20)]
    public int HiddenSize { get; init; } = 768;

    /// <summary>Blocks. None at all leaves a bag of words.</summary>
    [AtLeast(0), AtMost(4096)]
    public int NumHiddenLayers { get; init; } = 12;

    /// <summary>Attention heads; they divide the width.</summary>
    [AtLeast(1), AtMost(1 << 16)]
    public int NumAttentionHeads { get; init; } = 12;

    /// <summary>Inner width of the feed-forward network.</summary>
    [AtLeast(1), AtMost(1 << 22)]
    public int IntermediateSize { get; init; } = 3072;

    /// <summary>Non-linearity of the feed-forward network.</summary>
    public string HiddenAct { get; init; } = "gelu";

    /// <summary>Dropout after the embeddings and of each half-block's result.</summary>
    [AtLeast(0), Below(1), TrainingOnly]
    public double HiddenDropoutProb { get; init; } = 0.1;

    /// <summary>Dropout of attention weights.</summary>
    [AtLeast(0), Below(1), TrainingOnly]
    public double AttentionProbsDropoutProb { get; init; } = 0.1;

    /// <summary>Dropout before a classifier; that of the blocks when left out.</summary>
    [AtLeast(0), Below(1), TrainingOnly]
    public double? ClassifierDropout { get; init; }

    /// <summary>Rows of the table of positions.</summary>
    [AtLeast(1), AtMost(1 << 24)]
    public int MaxPositionEmbeddings { get; init; } = 512;

    /// <summary>Segments: two, for pairs of texts.</summary>
    [AtLeast(1), AtMost(1 << 16)]
    public int TypeVocabSize { get; init; } = 2;

    /// <summary>Added to the variance in layer norms.</summary>
    [Above(0), AtMost(1)]
    public double LayerNormEps { get; init; } = 1e-12;

    /// <summary>Standard deviation of fresh weights.</summary>
    [AtLeast(0), AtMost(10), TrainingOnly]
    public double InitializerRange { get; init; } = 0.02;

    /// <summary>Id of the token that fills rows up.</summary>
    [AtLeast(0)]
    public int PadTokenId { get; init; }

    public override bool IsCausal => false;

    internal double HeadDropout => ClassifierDropout ?? HiddenDropoutProb;

    public override IEnumerable<(string Key, string Message)> Problems()
    {
        foreach (var problem in base.Problems()) yield return problem;
        if (HiddenSize % NumAttentionHeads != 0) yield return ("hidden_size", $"{HiddenSize} is not a multiple of num_attention_heads {NumAttentionHeads}");
        if (PadTokenId >= VocabSize) yield return ("pad_token_id", $"token {PadTokenId} is not in a vocabulary of {VocabSize} (vocab_size)");
        if (Activation.Problem(HiddenAct) is { } problem2) yield return ("hidden_act", problem2);
    }

    internal override void Adopt(JsonObject config)
    {
        ConfigFile.Only(config, "position_embedding_type", "absolute");
        ConfigFile.Only(config, "is_decoder", false);
        ConfigFile.Only(config, "add_cross_attention", false);
        ConfigFile.Only(config, "tie_word_embeddings", true);
    }

    private protected Init Normal => Init.Normal(InitializerRange);

    private protected Linear Dense(Weights w, int fanIn, int fanOut) => Linear.Dense(w, fanIn, fanOut, Normal, bias: true);

    private protected EncoderInput Input(Weights body, int offset)
    {
        var w = body / "embeddings";
        return new EncoderInput(new(w / "word_embeddings", VocabSize!.Value, HiddenSize, Normal), new(w / "position_embeddings", MaxPositionEmbeddings, HiddenSize, Normal),
            new(w / "token_type_embeddings", TypeVocabSize, HiddenSize, Normal), new(w / "LayerNorm", HiddenSize, LayerNormEps), offset, HiddenDropoutProb);
    }

    private protected EncoderBlock[] Blocks(Weights body) => [.. Enumerable.Range(0, NumHiddenLayers).Select(layer =>
    {
        var w = body / "encoder" / "layer" / layer;
        var (self, after) = (w / "attention" / "self", w / "attention" / "output");
        var attention = new EncoderAttention(Dense(self / "query", HiddenSize, HiddenSize), Dense(self / "key", HiddenSize, HiddenSize), Dense(self / "value", HiddenSize, HiddenSize),
            Dense(after / "dense", HiddenSize, HiddenSize), NumAttentionHeads, AttentionProbsDropoutProb);
        var norm = new LayerNorm(after / "LayerNorm", HiddenSize, LayerNormEps);
        var mlp = new FeedForward(Dense(w / "intermediate" / "dense", HiddenSize, IntermediateSize), Dense(w / "output" / "dense", IntermediateSize, HiddenSize), Activation.Of(HiddenAct));
        return new EncoderBlock(attention, norm, mlp, new LayerNorm(w / "output" / "LayerNorm", HiddenSize, LayerNormEps), HiddenDropoutProb);
    })];
}

using System.Text.RegularExpressions;
using Gradus.Foundation.Recipes;
using Gradus.Models.Nn;

namespace Gradus.Models.Families.Bert;

/// <summary>RoBERTa (Liu et al., 2019): BERT's network with byte-level tokens, one segment, and positions that start behind those of padding.</summary>
[Component("roberta")]
public sealed partial record RobertaOptions : BertShape
{
    public RobertaOptions() => PadTokenId = 1;

    public override string Architecture => "RobertaForMaskedLM";

    public override int ContextLength => MaxPositionEmbeddings - Offset;

    public override IReadOnlyList<ModelPreset> Presets =>
    [
        new("roberta-base", Published(768, 12, 12)),
        new("roberta-large", Published(1024, 24, 16)),
        new("roberta-tiny", new RobertaOptions { VocabSize = 61, HiddenSize = 16, NumHiddenLayers = 2, NumAttentionHeads = 2, IntermediateSize = 24, MaxPositionEmbeddings = 26, TypeVocabSize = 1, LayerNormEps = 1e-5 }),
    ];

    internal override string WeightPrefix => "roberta.";

    internal override (string Copy, string Original)? TiedCopy => ("lm_head.decoder.weight", "roberta.embeddings.word_embeddings.weight");

    internal override Regex? IgnoredTensors => Ignored();

    internal override Regex HeadTensors => Heads();

    private int Offset => PadTokenId + 1;

    public override IEnumerable<(string Key, string Message)> Problems()
    {
        foreach (var problem in base.Problems()) yield return problem;
        if (MaxPositionEmbeddings <= Offset) yield return ("max_position_embeddings", $"{MaxPositionEmbeddings} leaves no position: the first {Offset} stand for padding (pad_token_id {PadTokenId})");
    }

    protected override ILanguageModel Make(Weights w, TaskHead? head)
    {
        var body = w / "roberta";
        var (input, blocks) = (Input(body, Offset), Blocks(body));
        return new EncoderModel(w, input, blocks, head?.Kind switch
        {
            null => Words(w / "lm_head", input.Words),
            TaskHead.SequenceClassification => EncoderOutput.Pooled(Dense(w / "classifier" / "dense", HiddenSize, HiddenSize), x => x.Tanh(), Dense(w / "classifier" / "out_proj", HiddenSize, head.Outputs), HeadDropout, HeadDropout),
            TaskHead.TokenClassification => EncoderOutput.Labels(Dense(w / "classifier", HiddenSize, head.Outputs), HeadDropout),
            _ => EncoderOutput.Labels(Dense(w / "qa_outputs", HiddenSize, head.Outputs)),
        }, head);
    }

    private EncoderOutput Words(Weights w, Embedding words)
    {
        var (dense, norm) = (Dense(w / "dense", HiddenSize, HiddenSize), new LayerNorm(w / "layer_norm", HiddenSize, LayerNormEps));
        return EncoderOutput.Words("lm_head.decoder", dense, Activation.Of("gelu"), norm, words, w.Parameter("bias", Init.Zeros, VocabSize!.Value));
    }

    private static RobertaOptions Published(int width, int layers, int heads) => new()
    {
        VocabSize = 50265, HiddenSize = width, NumHiddenLayers = layers, NumAttentionHeads = heads, IntermediateSize = 4 * width, MaxPositionEmbeddings = 514, TypeVocabSize = 1, LayerNormEps = 1e-5,
        BosTokenId = 0, EosTokenId = [2],
    };

    [GeneratedRegex(@"(^|\.)embeddings\.position_ids$|^lm_head\.decoder\.bias$|^(roberta\.)?pooler\.", RegexOptions.CultureInvariant)]
    private static partial Regex Ignored();

    [GeneratedRegex(@"^(lm_head|classifier|qa_outputs|(roberta\.)?pooler)\.", RegexOptions.CultureInvariant)]
    private static partial Regex Heads();
}

using System.Text.RegularExpressions;
using Gradus.Foundation.Recipes;
using Gradus.Models.Nn;

namespace Gradus.Models.Families.Bert;

/// <summary>BERT (Devlin et al., 2019): an encoder that fills in masked words; learned positions and segments, a norm after each half-block.</summary>
[Component("bert")]
public sealed partial record BertOptions : BertShape
{
    public override string Architecture => "BertForMaskedLM";

    public override int ContextLength => MaxPositionEmbeddings;

    public override IReadOnlyList<ModelPreset> Presets =>
    [
        new("bert-base", new BertOptions { VocabSize = 30522 }),
        new("bert-base-cased", new BertOptions { VocabSize = 28996 }),
        new("bert-large", new BertOptions { VocabSize = 30522, HiddenSize = 1024, NumHiddenLayers = 24, NumAttentionHeads = 16, IntermediateSize = 4096 }),
        new("bert-tiny", new BertOptions { VocabSize = 61, HiddenSize = 16, NumHiddenLayers = 2, NumAttentionHeads = 2, IntermediateSize = 24, MaxPositionEmbeddings = 24 }),
    ];

    internal override string WeightPrefix => "bert.";

    internal override (string Copy, string Original)? TiedCopy => ("cls.predictions.decoder.weight", "bert.embeddings.word_embeddings.weight");

    // A table of positions, the second name of the predictions' bias, and what pre-training with sentence pairs leaves in a file.
    internal override Regex? IgnoredTensors => Ignored();

    internal override Regex HeadTensors => Heads();

    internal override Regex? KeptHeadTensors => Pooler();

    protected override ILanguageModel Make(Weights w, TaskHead? head)
    {
        var body = w / "bert";
        var (input, blocks) = (Input(body, 0), Blocks(body));
        return new EncoderModel(w, input, blocks, head?.Kind switch
        {
            null => Words(w / "cls" / "predictions", input.Words),
            TaskHead.SequenceClassification => EncoderOutput.Pooled(Dense(body / "pooler" / "dense", HiddenSize, HiddenSize), x => x.Tanh(), Dense(w / "classifier", HiddenSize, head.Outputs), HeadDropout),
            TaskHead.TokenClassification => EncoderOutput.Labels(Dense(w / "classifier", HiddenSize, head.Outputs), HeadDropout),
            _ => EncoderOutput.Labels(Dense(w / "qa_outputs", HiddenSize, head.Outputs)),
        }, head);
    }

    private EncoderOutput Words(Weights w, Embedding words)
    {
        var (dense, norm) = (Dense(w / "transform" / "dense", HiddenSize, HiddenSize), new LayerNorm(w / "transform" / "LayerNorm", HiddenSize, LayerNormEps));
        return EncoderOutput.Words("cls.predictions.decoder", dense, Activation.Of(HiddenAct), norm, words, w.Parameter("bias", Init.Zeros, VocabSize!.Value));
    }

    [GeneratedRegex(@"(^|\.)embeddings\.position_ids$|^cls\.predictions\.decoder\.bias$|^cls\.seq_relationship\.|^(bert\.)?pooler\.", RegexOptions.CultureInvariant)]
    private static partial Regex Ignored();

    [GeneratedRegex(@"^(cls|classifier|qa_outputs|(bert\.)?pooler)\.", RegexOptions.CultureInvariant)]
    private static partial Regex Heads();

    [GeneratedRegex(@"^(bert\.)?pooler\.", RegexOptions.CultureInvariant)]
    private static partial Regex Pooler();
}

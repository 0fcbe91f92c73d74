using Gradus.Models.Nn;

namespace Gradus.Models.Families;

/// <summary>The output layers that Hugging Face's decoders have for something else than tokens: one linear, without a bias for whole sequences.</summary>
internal static class DecoderHead
{
    /// <param name="w">The root.</param>
    /// <param name="head">What it is for.</param>
    /// <param name="width">Model width.</param>
    /// <param name="init">How it starts.</param>
    /// <param name="tokens">The layer's name in the family's token classifier.</param>
    public static Linear Make(Weights w, TaskHead head, int width, Init init, string tokens) => head.Kind switch
    {
        TaskHead.SequenceClassification => Linear.Dense(w / "score", width, head.Outputs, init),
        TaskHead.TokenClassification => Linear.Dense(w / tokens, width, head.Outputs, init, bias: true),
        _ => Linear.Dense(w / "qa_outputs", width, head.Outputs, init, bias: true),
    };
}

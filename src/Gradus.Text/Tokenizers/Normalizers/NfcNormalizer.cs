using System.Text.Json;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers.Normalizers;

/// <summary>Unicode's form NFC: canonical decomposition, then composition.</summary>
[Component("NFC")]
internal sealed record NfcNormalizer : Normalizer
{
    public override PipelinePart Read(JsonField field) => new NfcNormalizer();

    public override void WriteSettings(Utf8JsonWriter json)
    {
    }

    public override void Apply(AlignedText text)
    {
        if (!Decomposition.IsNfc(text.Bytes))
            Decomposition.Apply(text, compatibility: false, compose: true);
    }
}

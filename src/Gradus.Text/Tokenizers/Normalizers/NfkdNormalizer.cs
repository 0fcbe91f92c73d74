using System.Text.Json;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers.Normalizers;

/// <summary>Unicode's form NFKD: compatibility decomposition.</summary>
[Component("NFKD")]
internal sealed record NfkdNormalizer : Normalizer
{
    public override PipelinePart Read(JsonField field) => new NfkdNormalizer();

    public override void WriteSettings(Utf8JsonWriter json)
    {
    }

    public override void Apply(AlignedText text) => Decomposition.Apply(text, compatibility: true, compose: false);
}

using System.Text.Json;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers.Normalizers;

/// <summary>Unicode's form NFKC: compatibility decomposition, then composition.</summary>
[Component("NFKC")]
internal sealed record NfkcNormalizer : Normalizer
{
    public override PipelinePart Read(JsonField field) => new NfkcNormalizer();

    public override void WriteSettings(Utf8JsonWriter json)
    {
    }

    public override void Apply(AlignedText text) => Decomposition.Apply(text, compatibility: true, compose: true);
}

using System.Text.Json;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers.Normalizers;

/// <summary>Unicode's form NFD: canonical decomposition.</summary>
[Component("NFD")]
internal sealed record NfdNormalizer : Normalizer
{
    public override PipelinePart Read(JsonField field) => new NfdNormalizer();

    public override void WriteSettings(Utf8JsonWriter json)
    {
    }

    public override void Apply(AlignedText text) => Decomposition.Apply(text, compatibility: false, compose: false);
}

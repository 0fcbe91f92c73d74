using System.Text.Json;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers.Normalizers;

/// <summary>Removes combining marks; after NFD these are the accents.</summary>
[Component("StripAccents")]
internal sealed record StripAccentsNormalizer : Normalizer
{
    public override PipelinePart Read(JsonField field) => new StripAccentsNormalizer();

    public override void WriteSettings(Utf8JsonWriter json)
    {
    }

    public override void Apply(AlignedText text) => CharMap.Apply(text, c => UnicodeData.IsCombiningMark(c) ? CharMap.Remove : c);
}

using System.Text.Json;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers.Normalizers;

/// <summary>The cleaning of Google's translation models: control characters out, odd white space and marks become spaces.</summary>
[Component("Nmt")]
internal sealed record NmtNormalizer : Normalizer
{
    public override PipelinePart Read(JsonField field) => new NmtNormalizer();

    public override void WriteSettings(Utf8JsonWriter json)
    {
    }

    public override void Apply(AlignedText text) => CharMap.Apply(text, c => c switch
    {
        (>= 1 and <= 8) or 0xB or (>= 0xE and <= 0x1F) or 0x7F or 0x8F or 0x9F => CharMap.Remove,
        9 or 0xA or 0xC or 0xD or 0x1680 or (>= 0x200B and <= 0x200F) or 0x2028 or 0x2029 or 0x2581 or 0xFEFF or 0xFFFD => ' ',
        _ => c,
    });
}

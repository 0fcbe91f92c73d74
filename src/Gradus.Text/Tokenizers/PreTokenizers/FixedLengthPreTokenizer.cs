using System.Text.Json;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers.PreTokenizers;

/// <summary>Cuts after every so many characters.</summary>
[Component("FixedLength")]
internal sealed record FixedLengthPreTokenizer : PreTokenizer
{
    public int Length { get; init; } = 5;

    public override PipelinePart Read(JsonField field) => new FixedLengthPreTokenizer { Length = field["length"].IsMissing ? 5 : field["length"].Count(atLeast: 1) };

    public override void WriteSettings(Utf8JsonWriter json) => json.WriteNumber("length", Length);

    public override void Cut(CutText text) => text.SplitAt((piece, starts) =>
    {
        var count = 0;
        for (var at = 0; at < piece.Length; at += AlignedText.CharLength(piece[at]))
            if (count++ % Length == 0)
                starts.Add(at);
    });
}

using System.Text.Json;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers.PreTokenizers;

/// <summary>One pre-tokenizer after another.</summary>
[Component("Sequence")]
internal sealed record SequencePreTokenizer : PreTokenizer
{
    public IReadOnlyList<PreTokenizer> Steps { get; init; } = [];

    public override PipelinePart Read(JsonField field) => new SequencePreTokenizer { Steps = ReadList<PreTokenizer>(field["pretokenizers"]) };

    public override void WriteSettings(Utf8JsonWriter json) => WriteList(json, "pretokenizers", Steps);

    public override bool NeedsOrigins => Steps.Any(s => s.NeedsOrigins);

    public override void Cut(CutText text)
    {
        foreach (var step in Steps)
            step.Cut(text);
    }
}

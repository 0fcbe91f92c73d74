using System.Text.Json;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers.Normalizers;

/// <summary>One normaliser after another.</summary>
[Component("Sequence")]
internal sealed record SequenceNormalizer : Normalizer
{
    public IReadOnlyList<Normalizer> Steps { get; init; } = [];

    public override PipelinePart Read(JsonField field) => new SequenceNormalizer { Steps = ReadList<Normalizer>(field["normalizers"]) };

    public override void WriteSettings(Utf8JsonWriter json) => WriteList(json, "normalizers", Steps);

    public override void Apply(AlignedText text)
    {
        foreach (var step in Steps)
            step.Apply(text);
    }
}

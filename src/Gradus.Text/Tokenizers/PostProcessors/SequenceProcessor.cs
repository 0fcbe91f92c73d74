using System.Text.Json;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers.PostProcessors;

/// <summary>One post-processor after another.</summary>
[Component("Sequence")]
internal sealed record SequenceProcessor : PostProcessor
{
    public IReadOnlyList<PostProcessor> Steps { get; init; } = [];

    public override PipelinePart Read(JsonField field) => new SequenceProcessor { Steps = ReadList<PostProcessor>(field["processors"]) };

    public override void WriteSettings(Utf8JsonWriter json) => WriteList(json, "processors", Steps);

    public override int Added(bool isPair) => Steps.Sum(s => s.Added(isPair));

    public override bool Around(List<int> before, List<int> after) => Steps.All(s => s.Around(before, after));

    public override List<EncodingDraft> Process(List<EncodingDraft> parts, bool addSpecialTokens) =>
        Steps.Aggregate(parts, (result, step) => step.Process(result, addSpecialTokens));
}

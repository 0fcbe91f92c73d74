using System.Text.Json;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers.Decoders;

/// <summary>One decoder after another.</summary>
[Component("Sequence")]
internal sealed record SequenceDecoder : TokenDecoder
{
    public IReadOnlyList<TokenDecoder> Steps { get; init; } = [];

    public override PipelinePart Read(JsonField field) => new SequenceDecoder { Steps = ReadList<TokenDecoder>(field["decoders"]) };

    public override void WriteSettings(Utf8JsonWriter json) => WriteList(json, "decoders", Steps);

    public override DecoderWork NewWork(DecoderWork next) => Steps.Reverse().Aggregate(next, (work, step) => step.NewWork(work));

    public override byte[] Bytes(byte[] name) => Steps.Aggregate(name, (bytes, step) => step.Bytes(bytes));
}

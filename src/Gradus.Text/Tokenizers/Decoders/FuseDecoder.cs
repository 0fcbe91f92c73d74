using System.Text.Json;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers.Decoders;

/// <summary>Joins all tokens into one for the steps behind it.</summary>
[Component("Fuse")]
internal sealed record FuseDecoder : TokenDecoder
{
    public override PipelinePart Read(JsonField field) => new FuseDecoder();

    public override void WriteSettings(Utf8JsonWriter json)
    {
    }

    public override DecoderWork NewWork(DecoderWork next) => new Work(next);

    private sealed class Work(DecoderWork next) : DecoderWork
    {
        public override void Push(string part, bool ends) => next.Push(part, ends: false);

        public override void Flush()
        {
            next.Push("", ends: true);
            next.Flush();
        }
    }
}

using System.Text;
using System.Text.Json;
using Gradus.Foundation.Recipes;
using Gradus.Text.Tokenizers.PreTokenizers;

namespace Gradus.Text.Tokenizers.Decoders;

/// <summary>Marks become spaces; those of the first token, which nobody typed, go.</summary>
[Component("Metaspace")]
internal sealed record MetaspaceDecoder : TokenDecoder
{
    public Rune Replacement { get; init; } = new('\u2581');

    public PrependScheme PrependScheme { get; init; } = PrependScheme.Always;

    public bool Split { get; init; } = true;

    public override PipelinePart Read(JsonField field)
    {
        var (replacement, scheme, split) = MetaspacePreTokenizer.ReadSettings(field);
        return new MetaspaceDecoder { Replacement = replacement, PrependScheme = scheme, Split = split };
    }

    public override void WriteSettings(Utf8JsonWriter json) => MetaspacePreTokenizer.WriteSettings(json, Replacement, PrependScheme, Split);

    public override DecoderWork NewWork(DecoderWork next) => new Work(next, Replacement.ToString(), PrependScheme != PrependScheme.Never);

    public override byte[] Bytes(byte[] name) => Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(name).Replace(Replacement.ToString(), " ", StringComparison.Ordinal));

    private sealed class Work(DecoderWork next, string mark, bool dropFirst) : DecoderWork
    {
        private bool _first = dropFirst;

        public override void Push(string part, bool ends)
        {
            next.Push(part.Replace(mark, _first ? "" : " ", StringComparison.Ordinal), ends);
            if (ends)
                _first = false;
        }

        public override void Flush() => next.Flush();
    }
}

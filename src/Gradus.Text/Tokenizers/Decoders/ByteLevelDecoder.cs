using System.Text;
using System.Text.Json;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers.Decoders;

/// <summary>Reads GPT-2's alphabet back into bytes; a token with any other character stands for itself. Broken UTF-8 becomes U+FFFD.</summary>
[Component("ByteLevel")]
internal sealed record ByteLevelDecoder : TokenDecoder
{
    public bool AddPrefixSpace { get; init; } = true;

    public bool TrimOffsets { get; init; } = true;

    public bool UseRegex { get; init; } = true;

    public override PipelinePart Read(JsonField field) => new ByteLevelDecoder
    {
        AddPrefixSpace = field["add_prefix_space"].Flag(otherwise: true), TrimOffsets = field["trim_offsets"].Flag(otherwise: true), UseRegex = field["use_regex"].Flag(otherwise: true),
    };

    public override void WriteSettings(Utf8JsonWriter json)
    {
        json.WriteBoolean("add_prefix_space", AddPrefixSpace);
        json.WriteBoolean("trim_offsets", TrimOffsets);
        json.WriteBoolean("use_regex", UseRegex);
    }

    public override DecoderWork NewWork(DecoderWork next) => new Work(next);

    public override byte[] Bytes(byte[] name) => ByteAlphabet.Read(Encoding.UTF8.GetString(name)) ?? name;

    private sealed class Work(DecoderWork next) : WholeTokenWork(next)
    {
        // The framework's decoder keeps an unfinished character between calls and writes U+FFFD only for what can no longer become one.
        private readonly Decoder _utf8 = Encoding.UTF8.GetDecoder();

        protected override void Token(string token) => Give(ByteAlphabet.Read(token) ?? Encoding.UTF8.GetBytes(token), flush: false);

        public override void Flush()
        {
            Give([], flush: true);
            Next.Push("", ends: true); // all tokens have become one
            base.Flush();
        }

        private void Give(byte[] bytes, bool flush)
        {
            var chars = new char[bytes.Length + 4];
            var count = _utf8.GetChars(bytes, chars, flush);
            if (count > 0)
                Next.Push(new string(chars, 0, count), ends: false);
        }
    }
}

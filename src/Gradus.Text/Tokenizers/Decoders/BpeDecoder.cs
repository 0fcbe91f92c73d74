using System.Text;
using System.Text.Json;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers.Decoders;

/// <summary>The mark that ends a word becomes a space, but for the last token's.</summary>
[Component("BPEDecoder")]
internal sealed record BpeDecoder : TokenDecoder
{
    public string Suffix { get; init; } = "</w>";

    public override PipelinePart Read(JsonField field) => new BpeDecoder { Suffix = field["suffix"].Text() };

    public override void WriteSettings(Utf8JsonWriter json) => json.WriteString("suffix", Suffix);

    public override DecoderWork NewWork(DecoderWork next) => new Work(next, Suffix);

    public override byte[] Bytes(byte[] name) => Encoding.UTF8.GetBytes(Replace(Encoding.UTF8.GetString(name), Suffix, " "));

    // Nothing to look for is found round every character, in Hugging Face's library.
    private static string Replace(string token, string suffix, string by) =>
        suffix.Length > 0 ? token.Replace(suffix, by, StringComparison.Ordinal) : by + string.Concat(token.EnumerateRunes().Select(r => r + by));

    private sealed class Work(DecoderWork next, string suffix) : WholeTokenWork(next)
    {
        private string? _held;

        protected override void Token(string token)
        {
            if (_held is not null)
                Next.Push(Replace(_held, suffix, " "), ends: true);
            _held = token;
        }

        public override void Flush()
        {
            if (_held is not null)
                Next.Push(Replace(_held, suffix, ""), ends: true);
            _held = null;
            base.Flush();
        }
    }
}

using System.Globalization;
using System.Text;
using System.Text.Json;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers.Decoders;

/// <summary>Tokens such as <c>&lt;0x0A&gt;</c> are bytes; where they stop being UTF-8 every byte of their run becomes U+FFFD.</summary>
[Component("ByteFallback")]
internal sealed record ByteFallbackDecoder : TokenDecoder
{
    public override PipelinePart Read(JsonField field) => new ByteFallbackDecoder();

    public override void WriteSettings(Utf8JsonWriter json)
    {
    }

    public override DecoderWork NewWork(DecoderWork next) => new Work(next);

    public override byte[] Bytes(byte[] name) => name.Length == 6 && ByteOf(Encoding.UTF8.GetString(name)) is { } value ? [value] : name;

    private static byte? ByteOf(string token) =>
        token is ['<', '0', 'x', var a, var b, '>'] && byte.TryParse([a, b], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value) ? value : null;

    private sealed class Work(DecoderWork next) : WholeTokenWork(next)
    {
        // Characters are given as soon as they are whole, which a stream needs; Hugging Face's library would take those before a broken one
        // in the same run for broken too.
        private readonly byte[] _open = new byte[4];
        private int _count;
        private bool _broken;

        protected override void Token(string token)
        {
            if (ByteOf(token) is not { } value)
            {
                End();
                Next.Push(token, ends: true);
                return;
            }

            _open[_count++] = value;
            if (_broken)
            {
                Break();
                return;
            }

            switch (Rune.DecodeFromUtf8(_open.AsSpan(0, _count), out var rune, out _))
            {
                case System.Buffers.OperationStatus.Done:
                    _count = 0;
                    Next.Push(rune.ToString(), ends: true);
                    break;
                case System.Buffers.OperationStatus.InvalidData:
                    _broken = true;
                    Break();
                    break;
            }
        }

        public override void Flush()
        {
            End();
            base.Flush();
        }

        private void End()
        {
            Break();
            _broken = false;
        }

        private void Break()
        {
            for (; _count > 0; _count--)
                Next.Push("\uFFFD", ends: true);
        }
    }
}

using System.Text;
using System.Text.Json;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers.Normalizers;

/// <summary>Lower case, character by character and in no language: <c>İ</c> becomes <c>i</c> and a combining dot.</summary>
[Component("Lowercase")]
internal sealed record LowercaseNormalizer : Normalizer
{
    public override PipelinePart Read(JsonField field) => new LowercaseNormalizer();

    public override void WriteSettings(Utf8JsonWriter json)
    {
    }

    public override void Apply(AlignedText text) => Lower(text);

    /// <summary>The same for other normalisers.</summary>
    public static void Lower(AlignedText text)
    {
        Span<byte> utf8 = stackalloc byte[4];
        var done = 0;
        var any = false;
        for (var at = 0; at < text.Bytes.Length;)
        {
            var first = text.Bytes[at];
            if (first < 0x80 && first is not (>= (byte)'A' and <= (byte)'Z'))
            {
                at++;
                continue;
            }

            Rune.DecodeFromUtf8(text.Bytes[at..], out var rune, out var length);
            var lower = rune.Value == 0x130 ? 'i' : UnicodeData.ToLower(rune.Value);
            if (lower != rune.Value)
            {
                any = true;
                text.Keep(done, at);
                if (rune.Value == 0x130)
                    text.Put("i\u0307"u8, at, at + length);
                else
                    text.Put(utf8[..new Rune(lower).EncodeToUtf8(utf8)], at, at + length);
                done = at + length;
            }

            at += length;
        }

        if (!any)
            return;
        text.Keep(done, text.Bytes.Length);
        text.Commit();
    }
}

using System.Text;
using System.Text.Json;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers.Normalizers;

/// <summary>Writes every byte as a visible character, in GPT-2's alphabet.</summary>
[Component("ByteLevel")]
internal sealed record ByteLevelNormalizer : Normalizer
{
    public override PipelinePart Read(JsonField field) => new ByteLevelNormalizer();

    public override void WriteSettings(Utf8JsonWriter json)
    {
    }

    public override void Apply(AlignedText text)
    {
        Write(text, 0, text.Bytes.Length);
        text.Commit();
    }

    /// <summary>Puts the bytes <c>[start, end)</c> of <paramref name="text"/> as characters of the alphabet.</summary>
    public static void Write(AlignedText text, int start, int end)
    {
        Span<byte> utf8 = stackalloc byte[8];
        for (var at = start; at < end;)
        {
            var length = AlignedText.CharLength(text.Bytes[at]);
            var used = 0;
            for (var i = 0; i < length; i++)
                used += new Rune(ByteAlphabet.Char(text.Bytes[at + i])).EncodeToUtf8(utf8[used..]);
            text.Put(utf8[..used], at, at + length);
            at += length;
        }
    }
}

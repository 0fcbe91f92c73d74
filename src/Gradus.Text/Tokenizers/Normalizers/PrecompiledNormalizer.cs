using System.Text.Json;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers.Normalizers;

/// <summary>
/// SentencePiece's compiled rules as <c>tokenizer.json</c> files apply them: not where the longest rule fits, but to whole graphemes of less
/// than 6 bytes, or else to each character, and always the shortest rule. Rarely another result than SentencePiece's own, but the file means this.
/// </summary>
[Component("Precompiled")]
internal sealed record PrecompiledNormalizer : Normalizer
{
    private const int ShortGrapheme = 6;

    /// <summary>The rules; null, as before reading, leaves text as it is.</summary>
    public CharsMap? Map { get; init; }

    public override PipelinePart Read(JsonField field) => this with { Map = ReadMap(field["precompiled_charsmap"]) };

    public override void WriteSettings(Utf8JsonWriter json) => json.WriteBase64String("precompiled_charsmap", Map is null ? [] : Map.Blob);

    public static CharsMap? ReadMap(JsonField field)
    {
        var text = field.Text();
        if (text.Length == 0)
            return null;
        var blob = new byte[text.Length / 4 * 3 + 3];
        if (!Convert.TryFromBase64String(text, blob, out var length))
            throw field.Error("this is not base64");
        return CharsMap.Read(blob[..length], out var fault) ?? throw field.Error(fault);
    }

    public override void Apply(AlignedText text)
    {
        if (Map is null)
            return;
        var bytes = text.Bytes;
        for (var at = 0; at < bytes.Length;)
        {
            // An ASCII character before another is a grapheme, but for CR LF.
            var end = bytes[at] < 0x80 && bytes[at] != '\r' && (at + 1 == bytes.Length || bytes[at + 1] < 0x80) ? at + 1 : Graphemes.End(bytes, at);
            Grapheme(text, bytes, at, end);
            at = end;
        }

        text.Commit();
    }

    /// <summary>Rewrites a grapheme: as a whole where a rule fits a whole short one, else each character by itself.</summary>
    private void Grapheme(AlignedText text, ReadOnlySpan<byte> bytes, int start, int end)
    {
        if (end - start < ShortGrapheme && Replace(text, bytes, start, end))
            return;
        while (start < end)
        {
            var next = start + AlignedText.CharLength(bytes[start]);
            if (!Replace(text, bytes, start, next))
                text.Keep(start, next);
            start = next;
        }
    }

    private bool Replace(AlignedText text, ReadOnlySpan<byte> bytes, int start, int end)
    {
        if (!Map!.Shortest(bytes[start..end], out var replacement))
            return false;
        if (!replacement.IsEmpty)
            text.Put(replacement, start, end);
        return true;
    }
}

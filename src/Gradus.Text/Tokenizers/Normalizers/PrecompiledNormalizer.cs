using System.Globalization;
using System.Text;
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
        char[]? chars = null;
        for (var at = 0; at < bytes.Length;)
        {
            if (bytes[at] < 0x80 && bytes[at] != '\r' && (at + 1 == bytes.Length || bytes[at + 1] < 0x80))
            {
                Replace(text, bytes, at, at + 1); // an ASCII character before another is a grapheme, but for CR LF
                at++;
                continue;
            }

            at = Graphemes(text, bytes, at, ref chars);
        }

        text.Commit();
    }

    /// <summary>Rewrites the graphemes from here up to the next pair of ASCII characters. Returns where it stopped.</summary>
    private int Graphemes(AlignedText text, ReadOnlySpan<byte> bytes, int from, ref char[]? chars)
    {
        var to = from + 1;
        while (to < bytes.Length && !(bytes[to] < 0x80 && bytes[to - 1] < 0x80 && bytes[to] is not ((byte)'\n' or (byte)'\r')))
            to++;
        if (chars is null || chars.Length < to - from)
            chars = new char[Math.Max(64, to - from)];
        var count = Encoding.UTF8.GetChars(bytes[from..to], chars);
        var at = from;
        for (var rest = chars.AsSpan(0, count); !rest.IsEmpty;)
        {
            var grapheme = rest[..StringInfo.GetNextTextElementLength(rest)];
            rest = rest[grapheme.Length..];
            var end = at + Encoding.UTF8.GetByteCount(grapheme);
            if (end - at < ShortGrapheme && Map!.Shortest(bytes[at..end], out var replacement))
            {
                if (!replacement.IsEmpty)
                    text.Put(replacement, at, end);
                at = end;
                continue;
            }

            while (at < end)
            {
                Rune.DecodeFromUtf8(bytes[at..end], out _, out var length);
                Replace(text, bytes, at, at + length);
                at += length;
            }
        }

        return at;
    }

    private void Replace(AlignedText text, ReadOnlySpan<byte> bytes, int start, int end)
    {
        if (!Map!.Shortest(bytes[start..end], out var replacement))
            text.Keep(start, end);
        else if (!replacement.IsEmpty)
            text.Put(replacement, start, end);
    }
}

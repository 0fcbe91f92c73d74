using System.Text.Json;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers.Normalizers;

/// <summary>BERT's cleaning: control characters out, every white space a space, spaces round CJK characters, accents off, lower case.</summary>
[Component("BertNormalizer")]
internal sealed record BertNormalizer : Normalizer
{
    private static readonly byte[][] s_ascii = [AsciiMap(false, false), AsciiMap(true, false), AsciiMap(false, true), AsciiMap(true, true)];

    public bool CleanText { get; init; } = true;

    public bool HandleChineseChars { get; init; } = true;

    /// <summary>Null: as <see cref="Lowercase"/>.</summary>
    public bool? StripAccents { get; init; }

    public bool Lowercase { get; init; } = true;

    public override PipelinePart Read(JsonField field) => new BertNormalizer
    {
        CleanText = field["clean_text"].RequiredFlag(),
        HandleChineseChars = field["handle_chinese_chars"].RequiredFlag(),
        StripAccents = field["strip_accents"].IsNull ? null : field["strip_accents"].Flag(),
        Lowercase = field["lowercase"].RequiredFlag(),
    };

    public override void WriteSettings(Utf8JsonWriter json)
    {
        json.WriteBoolean("clean_text", CleanText);
        json.WriteBoolean("handle_chinese_chars", HandleChineseChars);
        if (StripAccents is { } strip)
            json.WriteBoolean("strip_accents", strip);
        else
            json.WriteNull("strip_accents");
        json.WriteBoolean("lowercase", Lowercase);
    }

    public override void Apply(AlignedText text)
    {
        if (System.Text.Ascii.IsValid(text.Bytes))
        {
            text.MapAscii(s_ascii[(CleanText ? 1 : 0) + (Lowercase ? 2 : 0)]); // nothing else happens to ASCII
            return;
        }

        if (CleanText)
            CharMap.Apply(text, c => c is 0 or 0xFFFD || UnicodeData.IsControl(c) ? CharMap.Remove : UnicodeData.IsWhiteSpace(c) ? ' ' : c);
        if (HandleChineseChars)
            SpaceOut(text);
        if (StripAccents ?? Lowercase)
        {
            Decomposition.Apply(text, compatibility: false, compose: false);
            CharMap.Apply(text, c => UnicodeData.IsNonSpacingMark(c) ? CharMap.Remove : c);
        }

        if (Lowercase)
            LowercaseNormalizer.Lower(text);
    }

    private static byte[] AsciiMap(bool clean, bool lower)
    {
        var map = new byte[128];
        for (var c = 0; c < 128; c++)
            map[c] = clean && (c == 0 || UnicodeData.IsControl(c)) ? (byte)0xFF : clean && UnicodeData.IsWhiteSpace(c) ? (byte)' ' : (byte)(lower ? UnicodeData.ToLower(c) : c);
        return map;
    }

    private static void SpaceOut(AlignedText text)
    {
        var done = 0;
        var any = false;
        for (var at = 0; at < text.Bytes.Length;)
        {
            System.Text.Rune.DecodeFromUtf8(text.Bytes[at..], out var rune, out var length);
            if (length >= 3 && IsChinese(rune.Value))
            {
                any = true;
                text.Keep(done, at);
                // The first space stands for the character too: what Hugging Face's library counts.
                text.Put(" "u8, at, at + length);
                text.Keep(at, at + length);
                text.PutForLast(" "u8, at + length);
                done = at + length;
            }

            at += length;
        }

        if (!any)
            return;
        text.Keep(done, text.Bytes.Length);
        text.Commit();
    }

    private static bool IsChinese(int c) => c is (>= 0x4E00 and <= 0x9FFF) or (>= 0x3400 and <= 0x4DBF) or (>= 0x20000 and <= 0x2A6DF)
        or (>= 0x2A700 and <= 0x2B73F) or (>= 0x2B740 and <= 0x2B81F) or (>= 0x2B920 and <= 0x2CEAF) or (>= 0xF900 and <= 0xFAFF) or (>= 0x2F800 and <= 0x2FA1F);
}

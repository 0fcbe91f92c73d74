using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace Gradus.Text.Tokenizers;

/// <summary>The four kinds of character that the published pre-tokenisation patterns tell apart: <c>\p{L}</c>, <c>\p{N}</c>, <c>\s</c> and the rest.</summary>
/// <remarks>
/// Code points, not UTF-16 units: unlike <c>System.Text.RegularExpressions</c>, a mathematical bold A is a letter here, as it is for the
/// Rust and Python references. A byte that is no UTF-8 counts as a character of the rest.
/// </remarks>
internal static class CharClass
{
    public const byte Other = 0, Letter = 1, Number = 2, Space = 3;

    // Further properties, one bit each above the class; At leaves them out, Full has them all.
    public const byte ClassMask = 3;
    public const byte StartsWord = 4; // \p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}: what o200k lets stand before the small letters of a word
    public const byte EndsWord = 8; // \p{Ll}\p{Lm}\p{Lo}\p{M}: o200k's small letters; a character without case is of both
    public const byte Mark = 16; // \p{M}
    public const byte Sign = 32; // \p{P}\p{S}
    public const byte Cjk = 64; // [一-龥぀-ゟ゠-ヿ]: what DeepSeek's pattern cuts out before anything else

    // 256 code points a page, filled when a text first touches the page: no table in the source, nothing to pay at start.
    private static readonly byte[]?[] s_pages = new byte[0x1100][];

    // Indexed by byte; bytes from 0x80 on are never looked up here.
    public static ReadOnlySpan<byte> Ascii =>
    [
        0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 3, 3, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 0, 0, 0, 0, 0, 0,
        0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0,
        0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0,
    ];

    /// <summary>The class of the character that starts at <paramref name="at"/>, and its length in bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte At(ReadOnlySpan<byte> text, int at, out int length)
    {
        var first = text[at];
        if (first < 0x80)
        {
            length = 1;
            return Ascii[first];
        }

        return Wide(text, at, out length);
    }

    /// <summary>The class of the character at <paramref name="at"/> with its further properties, and its length in bytes.</summary>
    public static byte Full(ReadOnlySpan<byte> text, int at, out int length)
    {
        var first = text[at];
        if (first < 0x80)
        {
            length = 1;
            return Of(first);
        }

        Rune.DecodeFromUtf8(text[at..], out var rune, out length);
        return Of(rune.Value);
    }

    private static byte Of(int codePoint) => (s_pages[codePoint >> 8] ?? Fill(codePoint >> 8))[codePoint & 0xFF];

    private static byte Wide(ReadOnlySpan<byte> text, int at, out int length)
    {
        Rune.DecodeFromUtf8(text[at..], out var rune, out length); // a broken sequence decodes to U+FFFD, which is of the rest
        return (byte)(Of(rune.Value) & ClassMask);
    }

    private static byte[] Fill(int page)
    {
        var classes = new byte[256];
        for (var i = 0; i < 256; i++)
            classes[i] = Of(CharUnicodeInfo.GetUnicodeCategory((page << 8) + i));
        if (page == 0)
        {
            classes.AsSpan('\t', 5).Fill(Space); // tab, line feed, vertical tab, form feed, carriage return
            classes[0x85] = Space;
        }

        for (var i = 0; i < 256; i++)
            if ((page << 8) + i is (>= 0x3040 and <= 0x30FF) or (>= 0x4E00 and <= 0x9FA5))
                classes[i] |= Cjk;

        s_pages[page] = classes; // two threads may fill the same page: same content, either wins
        return classes;
    }

    private static byte Of(UnicodeCategory category) => category switch
    {
        UnicodeCategory.UppercaseLetter or UnicodeCategory.TitlecaseLetter => Letter | StartsWord,
        UnicodeCategory.LowercaseLetter => Letter | EndsWord,
        UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter => Letter | StartsWord | EndsWord,
        UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark => Mark | StartsWord | EndsWord,
        UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => Number,
        UnicodeCategory.SpaceSeparator or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator => Space,
        >= UnicodeCategory.ConnectorPunctuation and <= UnicodeCategory.OtherSymbol => Sign,
        _ => Other,
    };
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Gradus.Text.Tokenizers;

/// <summary>A pattern as a hand-written scanner over UTF-8 bytes: says where the piece that begins here ends. What several patterns share is here too.</summary>
internal abstract class ScanSplitter : Splitter
{
    /// <summary>The end of the piece that begins at <paramref name="at"/>, which is inside the text.</summary>
    protected abstract int PieceEnd(ReadOnlySpan<byte> text, int at);

    public override int Split(ReadOnlySpan<byte> text, ref int position, Span<Piece> pieces)
    {
        var count = 0;
        var at = position;
        while (at < text.Length && count < pieces.Length)
        {
            var end = PieceEnd(text, at);
            pieces[count++] = new(at, end);
            at = end;
        }

        position = at;
        return count;
    }

    public override int SafeCut(ReadOnlySpan<byte> text, int from) => CutAfterWord(text, from);

    /// <summary>A cut between an ASCII letter or digit and a space: no pattern we know crosses it, and neither side looks over it.</summary>
    private static int CutAfterWord(ReadOnlySpan<byte> text, int from)
    {
        for (var i = Math.Max(1, from); i < text.Length; i++)
            if (text[i] == ' ' && char.IsAsciiLetterOrDigit((char)text[i - 1]))
                return i;
        return text.Length;
    }

    /// <summary>The end of the run of letters that goes on at <paramref name="at"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    protected static int LettersFrom(ReadOnlySpan<byte> text, int at)
    {
        // Words are short: one load of 16 bytes usually holds the rest of the word, and its end is one count of trailing zeros.
        if (Vector128.IsHardwareAccelerated && at + 16 <= text.Length)
        {
            var bytes = Vector128.LoadUnsafe(ref Unsafe.AsRef(in text[at]));
            var lower = bytes | Vector128.Create((byte)0x20);
            var offset = lower - Vector128.Create((byte)'a');
            var stops = Vector128.GreaterThan(offset, Vector128.Create((byte)25)).ExtractMostSignificantBits();
            if (stops != 0)
            {
                var end = at + System.Numerics.BitOperations.TrailingZeroCount(stops);
                return text[end] < 0x80 ? end : RunFrom(text, end, CharClass.Letter);
            }

            at += 16;
        }

        return RunFrom(text, at, CharClass.Letter);
    }

    /// <summary>The end of the run of characters of class <paramref name="kind"/> that goes on at <paramref name="at"/>.</summary>
    protected static int RunFrom(ReadOnlySpan<byte> text, int at, byte kind)
    {
        while (at < text.Length)
        {
            if (CharClass.At(text, at, out var length) != kind)
                break;
            at += length;
        }

        return at;
    }

    /// <summary>
    /// The piece at a run of white space that nothing else took (<c>\s+(?!\S)|\s+</c>): the whole run at the end of the text, else all
    /// but its last character, which the next piece may want; a single character is taken.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <param name="at">Where the run begins.</param>
    /// <param name="numberEnds">Numbers are cut out before: the text ends for the pattern where one begins.</param>
    protected static int SpacesFrom(ReadOnlySpan<byte> text, int at, bool numberEnds = false)
    {
        var end = at;
        var last = at;
        while (end < text.Length)
        {
            var kind = CharClass.At(text, end, out var length);
            if (kind != CharClass.Space)
                return last == at || (numberEnds && kind == CharClass.Number) ? end : last;
            last = end;
            end += length;
        }

        return end;
    }

    /// <summary>The end of a number of which at most <paramref name="more"/> further digits belong to the piece.</summary>
    protected static int DigitsFrom(ReadOnlySpan<byte> text, int at, int more)
    {
        for (; more > 0 && at < text.Length && CharClass.At(text, at, out var length) == CharClass.Number; more--)
            at += length;
        return at;
    }

    /// <summary><c>[^\s\p{L}\p{N}]+[\r\n]*</c> after its first character; <paramref name="slash"/> adds <c>/</c> to the line breaks.</summary>
    protected static int SymbolsFrom(ReadOnlySpan<byte> text, int at, bool slash)
    {
        at = RunFrom(text, at, CharClass.Other);
        while (at < text.Length && (text[at] is (byte)'\r' or (byte)'\n' || (slash && text[at] == '/')))
            at++;
        return at;
    }

    /// <summary><c>\s*[\r\n]+|\s+(?!\S)|\s+</c>: up to the last line break of the run if there is one.</summary>
    /// <param name="text">The text.</param>
    /// <param name="at">Where the white space begins.</param>
    /// <param name="wholeTail">White space that ends the text is one piece, line break or not.</param>
    protected static int LinesFrom(ReadOnlySpan<byte> text, int at, bool wholeTail = false)
    {
        var lineEnd = 0;
        var last = at;
        var end = at;
        while (end < text.Length && CharClass.At(text, end, out var length) == CharClass.Space)
        {
            last = end;
            end += length;
            if (text[last] is (byte)'\r' or (byte)'\n')
                lineEnd = end;
        }

        if (wholeTail && end == text.Length)
            return end;
        if (lineEnd != 0)
            return lineEnd;
        return end == text.Length || last == at ? end : last;
    }

    /// <summary>The length of a contraction in any case at the apostrophe, or 0. Case folding makes U+017F, the long s, an s.</summary>
    protected static int AnyCaseContraction(ReadOnlySpan<byte> text, int at)
    {
        if (at + 1 >= text.Length)
            return 0;
        var second = text[at + 1] | 0x20;
        if (second is 's' or 't' or 'm' or 'd')
            return 2;
        if (at + 2 >= text.Length)
            return 0;
        var third = text[at + 2] | 0x20;
        if ((second is 'r' or 'v' && third == 'e') || (second == 'l' && third == 'l'))
            return 3;
        return text[at + 1] == 0xC5 && text[at + 2] == 0xBF ? 3 : 0;
    }
}

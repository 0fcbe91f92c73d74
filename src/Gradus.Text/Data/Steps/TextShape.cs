using System.Buffers;
using System.Globalization;
using System.Numerics;
using System.Runtime.Intrinsics;
using System.Text;
using Gradus.Foundation.Kernels;

namespace Gradus.Text.Data.Steps;

/// <summary>A run of text between white space.</summary>
/// <param name="Start">First byte of the word, after any punctuation before it.</param>
/// <param name="Length">Bytes, without punctuation at either end; 0 for a run that is punctuation only.</param>
/// <param name="Characters">Unicode characters of the word.</param>
/// <param name="HasLetter">One of them is a letter.</param>
/// <param name="Hash">Of the word as it is written.</param>
public readonly record struct WordSpan(int Start, int Length, int Characters, bool HasLetter, ulong Hash);

/// <summary>A line, without the white space at its ends.</summary>
/// <param name="Start">First byte.</param>
/// <param name="Length">Bytes; 0 for a blank line.</param>
/// <param name="Characters">Unicode characters.</param>
/// <param name="Hash">Of the line.</param>
public readonly record struct LineSpan(int Start, int Length, int Characters, ulong Hash);

/// <summary>
/// What filters count in a text, found once and shared. Words stand between white space (so figures made for English suit languages that
/// are written with spaces), lines end at LF, paragraphs at a blank line.
/// </summary>
public sealed class TextShape
{
    private static ReadOnlySpan<byte> Terminal => ".!?\""u8;

    private static readonly SearchValues<byte> s_letters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    private ReadOnlyMemory<byte> _text;
    private WordSpan[] _runs = new WordSpan[1024];
    private LineSpan[] _lines = new LineSpan[64], _paragraphs = new LineSpan[64];
    private int _runCount, _lineCount, _paragraphCount, _words;
    private bool _hasRuns, _hasLines, _hasParagraphs;
    private int _characters;

    /// <summary>Unicode characters of the text.</summary>
    public int Characters => _characters >= 0 ? _characters : _characters = CountCharacters(_text.Span);

    /// <summary>Everything between white space, in order; runs of punctuation have length 0.</summary>
    public ReadOnlySpan<WordSpan> Runs
    {
        get
        {
            if (!_hasRuns)
                FindRuns();
            return _runs.AsSpan(0, _runCount);
        }
    }

    /// <summary>How many of the <see cref="Runs"/> are words and not punctuation only.</summary>
    public int Words => Runs.IsEmpty ? 0 : _words;

    /// <summary>The lines that are not blank.</summary>
    public ReadOnlySpan<LineSpan> Lines
    {
        get
        {
            if (!_hasLines)
                FindLines();
            return _lines.AsSpan(0, _lineCount);
        }
    }

    /// <summary>The paragraphs: runs of lines between blank ones.</summary>
    public ReadOnlySpan<LineSpan> Paragraphs
    {
        get
        {
            if (!_hasParagraphs)
                FindParagraphs();
            return _paragraphs.AsSpan(0, _paragraphCount);
        }
    }

    /// <summary>The bytes of a line or a paragraph.</summary>
    public ReadOnlySpan<byte> TextOf(LineSpan line) => _text.Span.Slice(line.Start, line.Length);

    /// <summary>The bytes of a word.</summary>
    public ReadOnlySpan<byte> TextOf(WordSpan word) => _text.Span.Slice(word.Start, word.Length);

    /// <summary>Whether a line ends as sentences do: full stop, question or exclamation mark, closing quote (the published marks, and their Unicode forms).</summary>
    public static bool EndsSentence(ReadOnlySpan<byte> line) => !line.IsEmpty && (Terminal.Contains(line[^1]) || line.EndsWith("”"u8) || line.EndsWith("。"u8) || line.EndsWith("！"u8) || line.EndsWith("？"u8) || line.EndsWith("؟"u8) || line.EndsWith("।"u8));

    /// <summary>Whether a text ends in an ellipsis.</summary>
    public static bool EndsInEllipsis(ReadOnlySpan<byte> line) => line.EndsWith("..."u8) || line.EndsWith("…"u8);

    /// <summary>Unicode characters of valid UTF-8: bytes that continue a character do not count.</summary>
    public static int CountCharacters(ReadOnlySpan<byte> utf8)
    {
        if (Ascii.IsValid(utf8))
            return utf8.Length;
        return utf8.Length - Continuations(utf8);
    }

    private static int Continuations(ReadOnlySpan<byte> utf8)
    {
        var count = 0;
        for (; utf8.Length >= Vector256<byte>.Count; utf8 = utf8[Vector256<byte>.Count..]) // as signed numbers they are the least
            count += BitOperations.PopCount(Vector256.LessThan(Vector256.Create(utf8).AsSByte(), Vector256.Create((sbyte)-64)).ExtractMostSignificantBits());
        foreach (var b in utf8)
            count += (b & 0xC0) == 0x80 ? 1 : 0;
        return count;
    }

    /// <summary>Length of the white space at the start of a text, 0 when there is none.</summary>
    internal static int SpaceAt(ReadOnlySpan<byte> text)
    {
        var b = text[0];
        if (b < 0x80)
            return b is 0x20 or (>= 0x09 and <= 0x0D) ? 1 : 0;
        if (b == 0xC2)
            return text.Length > 1 && text[1] is 0x85 or 0xA0 ? 2 : 0;
        if (b == 0xE2 && text.Length > 2)
            return text[1] == 0x80 && text[2] is (>= 0x80 and <= 0x8A) or 0xA8 or 0xA9 or 0xAF || text[1] == 0x81 && text[2] == 0x9F ? 3 : 0;
        if (b == 0xE3 && text.Length > 2)
            return text[1] == 0x80 && text[2] == 0x80 ? 3 : 0;
        return b == 0xE1 && text.Length > 2 && text[1] == 0x9A && text[2] == 0x80 ? 3 : 0;
    }

    internal void Reset(ReadOnlyMemory<byte> text)
    {
        _text = text;
        (_hasRuns, _hasLines, _hasParagraphs, _characters) = (false, false, false, -1);
    }

    // 64 bytes at a time; a run that goes on behind them is looked at again from its start.
    private void FindRuns()
    {
        var text = _text.Span;
        (_runCount, _words, _hasRuns) = (0, 0, true);
        for (var at = 0; at < text.Length;)
        {
            var block = text[at..];
            var masks = ByteMasks.Of(block);
            var length = Math.Min(ByteMasks.Count, block.Length);
            var (spaces, next) = masks.WideSpaceLead == 0 ? (masks.Space, length) : WithWideSpaces(block, masks, length);
            var runs = ~spaces & (ulong.MaxValue >> (ByteMasks.Count - length));
            while (runs != 0)
            {
                var start = BitOperations.TrailingZeroCount(runs);
                var end = start + BitOperations.TrailingZeroCount(~(runs >> start));
                if (end == ByteMasks.Count && end < block.Length)
                {
                    next = start;
                    if (start == 0)
                    {
                        next = LongRun(block);
                        Add(Word(text, at, at + next));
                    }

                    break;
                }

                Add(((masks.Wide >> start) & Low(end - start)) != 0 ? WideWord(text, at + start, at + end)
                    : PlainWord(text, at, start, (masks.Alphanumeric >> start) & Low(end - start), (masks.Letter >> start) & Low(end - start)));
                runs &= end == ByteMasks.Count ? 0 : ulong.MaxValue << end;
            }

            at += next;
        }
    }

    private static ulong Low(int bits) => ulong.MaxValue >> (64 - bits);

    /// <summary>The mask of white space with what is not ASCII, and where to look next: behind the last space, when it goes beyond the 64 bytes.</summary>
    private static (ulong Spaces, int Next) WithWideSpaces(ReadOnlySpan<byte> block, ByteMasks masks, int length)
    {
        var (spaces, next) = (masks.Space, length);
        for (var leads = masks.WideSpaceLead; leads != 0; leads &= leads - 1)
        {
            var at = BitOperations.TrailingZeroCount(leads);
            if (SpaceAt(block[at..]) is not (> 0 and var bytes))
                continue;
            spaces |= Low(bytes) << at;
            next = Math.Max(next, at + bytes);
        }

        return (spaces, next);
    }

    /// <summary>Length of a run that is longer than what a mask shows.</summary>
    private static int LongRun(ReadOnlySpan<byte> text)
    {
        var at = ByteMasks.Count;
        for (; at < text.Length; at++)
        {
            var b = text[at];
            if (b < 0x80 ? b is 0x20 or (>= 0x09 and <= 0x0D) : b is 0xC2 or 0xE1 or 0xE2 or 0xE3 && SpaceAt(text[at..]) > 0)
                break;
        }

        return at;
    }

    private void Add(WordSpan word)
    {
        if (_runCount == _runs.Length)
            Array.Resize(ref _runs, 2 * _runs.Length);
        _words += word.Length > 0 ? 1 : 0;
        _runs[_runCount++] = word;
    }

    private static WordSpan Word(ReadOnlySpan<byte> text, int start, int end)
    {
        if (!Ascii.IsValid(text[start..end]))
            return WideWord(text, start, end);
        var begin = start;
        while (start < end && !char.IsAsciiLetterOrDigit((char)text[start]))
            start++;
        while (end > start && !char.IsAsciiLetterOrDigit((char)text[end - 1]))
            end--;
        var word = text[start..end];
        return word.IsEmpty ? new WordSpan(begin, 0, 0, false, 0) : new WordSpan(start, word.Length, word.Length, word.ContainsAny(s_letters), Hash64.Of(word));
    }

    /// <summary>A run of ASCII in the 64 bytes at a place, by the masks of its bytes.</summary>
    private static WordSpan PlainWord(ReadOnlySpan<byte> text, int at, int start, ulong alphanumeric, ulong letters)
    {
        at += start;
        if (alphanumeric == 0)
            return new WordSpan(at, 0, 0, false, 0);
        var first = BitOperations.TrailingZeroCount(alphanumeric);
        var length = BitOperations.Log2(alphanumeric) + 1 - first;
        return new WordSpan(at + first, length, length, letters != 0, Hash64.Of(text.Slice(at + first, length)));
    }

    private static WordSpan WideWord(ReadOnlySpan<byte> text, int start, int end)
    {
        var (first, last, letter) = (-1, start, false);
        for (var at = start; at < end;)
        {
            Rune.DecodeFromUtf8(text[at..end], out var rune, out var used);
            var category = Rune.GetUnicodeCategory(rune);
            if (category <= UnicodeCategory.OtherNumber) // letters, marks, numbers
            {
                letter |= category <= UnicodeCategory.OtherLetter;
                first = first < 0 ? at : first;
                last = at + used;
            }

            at += used;
        }

        if (first < 0)
            return new WordSpan(start, 0, 0, false, 0);
        var word = text[first..last];
        return new WordSpan(first, word.Length, CountCharacters(word), letter, Hash64.Of(word));
    }

    private void FindLines()
    {
        var text = _text.Span;
        (_lineCount, _hasLines) = (0, true);
        var at = 0;
        while (at < text.Length)
        {
            var end = text[at..].IndexOf((byte)'\n');
            end = end < 0 ? text.Length : at + end;
            var (start, length) = Trim(text, at, end);
            if (length > 0)
                Add(ref _lines, ref _lineCount, text.Slice(start, length), start);
            at = end + 1;
        }
    }

    private void FindParagraphs()
    {
        var text = _text.Span;
        (_paragraphCount, _hasParagraphs) = (0, true);
        var (at, start, last) = (0, -1, 0);
        while (at < text.Length)
        {
            var end = text[at..].IndexOf((byte)'\n');
            end = end < 0 ? text.Length : at + end;
            var (lineStart, length) = Trim(text, at, end);
            if (length > 0)
            {
                start = start < 0 ? lineStart : start;
                last = lineStart + length;
            }
            else if (start >= 0)
            {
                Add(ref _paragraphs, ref _paragraphCount, text[start..last], start);
                start = -1;
            }

            at = end + 1;
        }

        if (start >= 0)
            Add(ref _paragraphs, ref _paragraphCount, text[start..last], start);
    }

    private static void Add(ref LineSpan[] lines, ref int count, ReadOnlySpan<byte> line, int start)
    {
        if (count == lines.Length)
            Array.Resize(ref lines, 2 * lines.Length);
        lines[count++] = new LineSpan(start, line.Length, CountCharacters(line), Hash64.Of(line));
    }

    private static (int Start, int Length) Trim(ReadOnlySpan<byte> text, int start, int end)
    {
        while (start < end && SpaceAt(text[start..end]) is > 0 and var n)
            start += n;
        while (end > start && text[end - 1] is 0x20 or (>= 0x09 and <= 0x0D))
            end--;
        return (start, end - start);
    }
}

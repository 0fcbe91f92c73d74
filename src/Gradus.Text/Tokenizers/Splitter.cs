using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Gradus.Text.Tokenizers;

/// <summary>A pre-token: bytes <c>[Start, End)</c> of the text.</summary>
internal readonly record struct Piece(int Start, int End);

/// <summary>The pre-tokenise step of the pipeline: cuts a text into the pieces across which no merge goes.</summary>
/// <remarks>Stateless and shared between threads. Each is one file with its <see cref="PreTokenizerOptions"/>.</remarks>
internal abstract class Splitter
{
    /// <summary>The pattern as <c>tokenizer.json</c> would hold it.</summary>
    public abstract string Pattern { get; }

    /// <summary>
    /// Writes the pieces from <paramref name="position"/> on, in order, until the text or <paramref name="pieces"/> ends, and moves
    /// <paramref name="position"/> behind the last one. Returns how many it wrote; 0 means the text is done.
    /// </summary>
    public virtual int Split(ReadOnlySpan<byte> text, ref int position, Span<Piece> pieces) => throw new NotSupportedException();

    /// <summary>True for splitters that must see the whole text at once: they have <see cref="SplitAll"/> instead of <see cref="Split"/>.</summary>
    public virtual bool AtOnce => false;

    /// <summary>Appends every piece of the text, in order. What no piece covers is dropped.</summary>
    public virtual void SplitAll(ReadOnlySpan<byte> text, List<Piece> pieces)
    {
        Span<Piece> some = stackalloc Piece[64];
        var position = 0;
        for (int count; (count = Split(text, ref position, some)) > 0;)
            pieces.AddRange(some[..count]);
    }

    /// <summary>
    /// A place at or after <paramref name="from"/> where the text can be cut so that both halves split as the whole does;
    /// the text's length when there is none.
    /// </summary>
    public virtual int SafeCut(ReadOnlySpan<byte> text, int from) => text.Length;

    /// <summary>A cut between an ASCII letter or digit and a space: no pattern we know crosses it, and neither side looks over it.</summary>
    protected static int CutAfterWord(ReadOnlySpan<byte> text, int from)
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
    protected static int SpacesFrom(ReadOnlySpan<byte> text, int at)
    {
        var end = at;
        var last = at;
        while (end < text.Length && CharClass.At(text, end, out var length) == CharClass.Space)
        {
            last = end;
            end += length;
        }

        return end == text.Length || last == at ? end : last;
    }
}

namespace Gradus.Text.Tokenizers;

/// <summary>A pre-token: bytes <c>[Start, End)</c> of the text.</summary>
internal readonly record struct Piece(int Start, int End);

/// <summary>The pre-tokenise step of the pipeline: cuts a text into the pieces across which no merge goes.</summary>
/// <remarks>Stateless and shared between threads. Each is one file with its <see cref="PreTokenizerOptions"/>.</remarks>
internal abstract class Splitter
{
    /// <summary>The pattern as <c>tokenizer.json</c> would hold it; of several splits one after another, <see cref="Steps"/> joined by <c> then </c>.</summary>
    public abstract string Pattern { get; }

    /// <summary>The patterns that cut one after another, each the pieces of the one before.</summary>
    public virtual IReadOnlyList<string> Steps => [Pattern];

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
}

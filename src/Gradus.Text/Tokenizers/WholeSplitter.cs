namespace Gradus.Text.Tokenizers;

/// <summary>No pre-tokenisation: the text is one piece.</summary>
internal sealed class WholeSplitter : Splitter
{
    public static WholeSplitter Instance { get; } = new();

    public override string Pattern => "";

    public override int Split(ReadOnlySpan<byte> text, ref int position, Span<Piece> pieces)
    {
        if (position >= text.Length)
            return 0;
        pieces[0] = new(position, text.Length);
        position = text.Length;
        return 1;
    }
}

namespace Gradus.Text.Tokenizers;

/// <summary>One splitter after another: the second cuts the pieces of the first.</summary>
internal sealed class ChainSplitter(Splitter first, Splitter second) : Splitter
{
    public override string Pattern => $"{first.Pattern} then {second.Pattern}";

    public override IReadOnlyList<string> Steps => [.. first.Steps, .. second.Steps];

    public override bool AtOnce => true;

    public override void SplitAll(ReadOnlySpan<byte> text, List<Piece> pieces)
    {
        var outer = new List<Piece>();
        var inner = new List<Piece>();
        first.SplitAll(text, outer);
        foreach (var (start, end) in outer)
        {
            inner.Clear();
            second.SplitAll(text[start..end], inner);
            foreach (var piece in inner)
                pieces.Add(new(start + piece.Start, start + piece.End));
        }
    }
}

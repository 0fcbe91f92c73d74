namespace Gradus.Text.Tokenizers;

/// <summary>Any pattern of a <c>tokenizer.json</c> as a splitter: its matches are pieces, and so is what lies between them.</summary>
internal sealed class PatternSplitter(NamedPattern pattern) : Splitter
{
    public override string Pattern => pattern.Text;

    public override bool AtOnce => true;

    public override void SplitAll(ReadOnlySpan<byte> text, List<Piece> pieces)
    {
        List<PatternMatch> found = [];
        pattern.Matcher.Find(text, found);
        foreach (var (start, end, _) in found)
            if (end > start)
                pieces.Add(new(start, end));
    }
}

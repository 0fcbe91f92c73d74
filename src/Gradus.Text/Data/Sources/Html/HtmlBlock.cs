namespace Gradus.Text.Data.Sources.Html;

/// <summary>What a run of text between block borders is.</summary>
internal enum BlockKind
{
    Paragraph,
    Heading,
    ListItem,
    TableRow,
    Preformatted,
}

/// <summary>One run of text between the borders of block elements.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">White space collapsed, but in preformatted text.</param>
/// <param name="LinkLetters">Letters of the text that stand inside links.</param>
/// <param name="Furniture">It stands in an element that names itself navigation, footer, sidebar or the like.</param>
/// <param name="InContent">It stands in an element that names itself the content: main, article.</param>
internal sealed record HtmlBlock(BlockKind Kind, string Text, int LinkLetters, bool Furniture, bool InContent)
{
    /// <summary>Share of the text that is links.</summary>
    public double LinkDensity => Text.Length == 0 ? 0 : Math.Min(1, LinkLetters / (double)Text.Length);
}

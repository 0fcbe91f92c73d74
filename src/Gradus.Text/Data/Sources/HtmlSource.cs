using System.Text;
using Gradus.Foundation.Recipes;
using Gradus.Text.Data.Sources.Html;

namespace Gradus.Text.Data.Sources;

/// <summary>How much of a web page is its text.</summary>
public enum HtmlText
{
    /// <summary>What the page is about: without navigation, footers, lists of links.</summary>
    Main,

    /// <summary>All that is visible.</summary>
    All,
}

/// <summary>Web pages, a document each: the main content, without the furniture around it.</summary>
[Component("html")]
public sealed record HtmlSource : SourceOptions
{
    /// <summary>Main content or all text.</summary>
    public HtmlText Text { get; init; } = HtmlText.Main;

    protected internal override IReadOnlyList<string> FileEndings => [".html", ".htm", ".xhtml"];

    protected internal override bool Recognises(ReadOnlySpan<byte> head)
    {
        head = head.StartsWith("\uFEFF"u8) ? head[3..] : head;
        head = head.TrimStart(" \t\r\n"u8);
        var start = Encoding.Latin1.GetString(head[..Math.Min(head.Length, 200)]).ToLowerInvariant();
        return start.StartsWith("<!doctype html", StringComparison.Ordinal) || start.StartsWith("<html", StringComparison.Ordinal)
            || (start.StartsWith("<?xml", StringComparison.Ordinal) && start.Contains("<html", StringComparison.Ordinal));
    }

    protected override IEnumerable<Document> ReadFile(SourceFile file)
    {
        if (file.ReadWhole() is not { } bytes)
            yield break;
        if (Extract(bytes.Span, null, Text, null) is { } page)
            yield return new Document(page.Text, file.Name, Meta: page.Meta);
        else
            file.Report.Empty++;
    }

    /// <summary>Text and metadata of a page's bytes; null when it has no text.</summary>
    internal static (byte[] Text, SortedDictionary<string, string> Meta)? Extract(ReadOnlySpan<byte> bytes, string? charset, HtmlText what, string? url)
    {
        var page = HtmlPage.Parse(Charset.Decode(bytes, charset, html: true));
        var blocks = page.Blocks();
        var text = what == HtmlText.Main ? MainContent.Extract(blocks) : MainContent.Join(blocks);
        if (text.Length == 0)
            return null;
        var meta = page.Meta();
        if (url is not null)
            meta[MetaKeys.Url] = url;
        return (Encoding.UTF8.GetBytes(text), meta);
    }
}

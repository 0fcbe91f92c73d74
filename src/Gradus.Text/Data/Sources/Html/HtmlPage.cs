using AngleSharp.Dom;
using AngleSharp.Html.Parser;

namespace Gradus.Text.Data.Sources.Html;

/// <summary>A parsed page: its metadata and its blocks of text.</summary>
internal sealed class HtmlPage
{
    private static readonly HtmlParser s_parser = new(new HtmlParserOptions { IsScripting = true, IsKeepingSourceReferences = false });

    private readonly IDocument _document;

    private HtmlPage(IDocument document) => _document = document;

    /// <summary>Parses as browsers do: no page is malformed. A page nested deeper than browsers allow is cut flat by <see cref="Flatten"/> first.</summary>
    public static HtmlPage Parse(string html) => new(s_parser.ParseDocument(Flatten.DeepNesting(html)));

    /// <summary>What the head says, under the names of <see cref="MetaKeys"/>.</summary>
    public SortedDictionary<string, string> Meta()
    {
        var meta = new SortedDictionary<string, string>(StringComparer.Ordinal);
        Set(meta, MetaKeys.Title, Property("og:title") ?? _document.Title);
        Set(meta, MetaKeys.Author, Property("author") ?? Property("article:author"));
        Set(meta, MetaKeys.Language, _document.DocumentElement?.GetAttribute("lang") ?? _document.DocumentElement?.GetAttribute("xml:lang") ?? Property("og:locale")?.Replace('_', '-'));
        Set(meta, MetaKeys.Url, Link("canonical") ?? Property("og:url"));
        Set(meta, MetaKeys.License, Licenses.OfUrl(Link("license") ?? RelLicense()));
        if ((Property("article:published_time") ?? Property("date") ?? Property("dc.date") ?? Property("citation_date")) is { } date)
            Set(meta, MetaKeys.Date, IsoDate.Of(date));
        return meta;
    }

    /// <summary>All text, block by block, in reading order.</summary>
    public List<HtmlBlock> Blocks() => new HtmlWalk().Blocks(_document.Body ?? _document.DocumentElement);

    private string? Property(string name)
    {
        foreach (var element in _document.Head?.Children ?? Enumerable.Empty<IElement>())
            if (element.LocalName == "meta" && (name.Equals(element.GetAttribute("property"), StringComparison.OrdinalIgnoreCase) || name.Equals(element.GetAttribute("name"), StringComparison.OrdinalIgnoreCase)))
                return element.GetAttribute("content");
        return null;
    }

    private string? Link(string rel)
    {
        foreach (var element in _document.Head?.Children ?? Enumerable.Empty<IElement>())
            if (element.LocalName == "link" && rel.Equals(element.GetAttribute("rel"), StringComparison.OrdinalIgnoreCase))
                return element.GetAttribute("href");
        return null;
    }

    private string? RelLicense() => _document.Links.FirstOrDefault(a => "license".Equals(a.GetAttribute("rel"), StringComparison.OrdinalIgnoreCase))?.GetAttribute("href");

    private static void Set(SortedDictionary<string, string> meta, string key, string? value)
    {
        value = value is null ? null : HtmlWalk.Collapse(value);
        if (!string.IsNullOrEmpty(value) && value.Length <= 4096)
            meta[key] = value;
    }
}

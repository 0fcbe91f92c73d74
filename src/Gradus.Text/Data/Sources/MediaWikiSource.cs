using System.Text;
using System.Xml;
using Gradus.Foundation.Recipes;
using Gradus.Text.Data.Sources.Wiki;

namespace Gradus.Text.Data.Sources;

/// <summary>MediaWiki XML dumps (Wikipedia and its kin), a document a page: wikitext to plain text, the articles' namespace, without redirects.</summary>
[Component("mediawiki")]
public sealed record MediaWikiSource : SourceOptions
{
    /// <summary>Numbers of the namespaces that are read; 0 holds the articles.</summary>
    public IReadOnlyList<int> Namespaces { get; init; } = [0];

    /// <summary>What becomes of tables.</summary>
    public WikiTables Tables { get; init; } = WikiTables.Drop;

    protected internal override IReadOnlyList<string> FileEndings => [".xml"];

    protected internal override bool ClaimsByName => false;

    protected internal override bool Recognises(ReadOnlySpan<byte> head) => XmlInput.Head(head).Contains("<mediawiki", StringComparison.Ordinal);

    protected override IEnumerable<Document> ReadFile(SourceFile file)
    {
        using var xml = XmlInput.Open(file.Bytes);
        var site = new Site();
        WikiMarkup? markup = null;
        while (XmlInput.Read(xml, file.Name, x => x.Read()))
        {
            if (xml.NodeType != XmlNodeType.Element)
                continue;
            switch (xml.LocalName)
            {
                case "mediawiki":
                    site.Language = xml.GetAttribute("xml:lang");
                    break;
                case "base":
                    site.Base = XmlInput.Text(xml, 1 << 12);
                    break;
                case "sitename":
                    site.Name = XmlInput.Text(xml, 1 << 12);
                    break;
                case "namespace":
                    if (xml.GetAttribute("key") is "6" or "14" or "-2" && XmlInput.Text(xml, 1 << 12) is { Length: > 0 } hidden)
                        site.Hidden.Add(hidden);
                    break;
                case "page":
                    markup ??= new WikiMarkup(Tables, site.Hidden);
                    Page page = null!;
                    XmlInput.Read(xml, file.Name, x => (page = ReadPage(x)) is not null);
                    if (Use(page, file, site, markup) is { } document)
                        yield return document;
                    break;
            }
        }
    }

    private Document? Use(Page page, SourceFile file, Site site, WikiMarkup markup)
    {
        var place = $"{file.Name}:{page.Line}";
        if (page.Text is null)
            file.Bad(place, page.HasText ? $"the page '{page.Title}' is longer than {MaxRecordBytes} bytes (max_record_bytes)." : $"the page '{page.Title}' has no text element.", -1, Encoding.UTF8.GetBytes(page.Title));
        else if (!int.TryParse(page.Namespace, System.Globalization.NumberStyles.AllowLeadingSign, System.Globalization.CultureInfo.InvariantCulture, out var space) || !Namespaces.Contains(space))
            file.Report.LeaveOut("mediawiki: other namespace");
        else if (page.Redirect || page.Text.AsSpan().TrimStart().StartsWith("#REDIRECT", StringComparison.OrdinalIgnoreCase))
            file.Report.LeaveOut("mediawiki: redirect");
        else if (page.Model is not (null or "" or "wikitext"))
            file.Report.LeaveOut("mediawiki: not wikitext");
        else if (markup.ToText(page.Text) is { Length: > 0 } text)
            return new Document(Encoding.UTF8.GetBytes(text), place, Meta: Meta(page, site));
        else
            file.Report.Empty++;
        return null;
    }

    /// <summary>A page: its last revision, which in a dump of current pages is its only one.</summary>
    private Page ReadPage(XmlReader xml)
    {
        var page = new Page { Line = XmlInput.Line(xml) };
        if (xml.IsEmptyElement)
            return page;
        var depth = xml.Depth;
        while (xml.Read() && xml.Depth > depth)
        {
            if (xml.NodeType != XmlNodeType.Element)
                continue;
            var inRevision = xml.Depth > depth + 1;
            switch (xml.LocalName)
            {
                case "title" when !inRevision: page.Title = XmlInput.Text(xml, 1 << 12) ?? ""; break;
                case "ns" when !inRevision: page.Namespace = XmlInput.Text(xml, 20) ?? ""; break;
                case "id" when !inRevision: page.Id = XmlInput.Text(xml, 40) ?? ""; break;
                case "redirect" when !inRevision: page.Redirect = true; break;
                case "timestamp": page.Date = XmlInput.Text(xml, 40) ?? ""; break;
                case "model": page.Model = XmlInput.Text(xml, 100); break;
                case "text":
                    page.HasText = true;
                    page.Text = XmlInput.Text(xml, MaxRecordBytes);
                    break;
            }
        }

        return page;
    }

    private static SortedDictionary<string, string> Meta(Page page, Site site)
    {
        var meta = new SortedDictionary<string, string>(StringComparer.Ordinal) { [MetaKeys.Title] = page.Title };
        if (page.Id.Length > 0)
            meta[MetaKeys.Id] = page.Id;
        if (IsoDate.Of(page.Date) is { } date)
            meta[MetaKeys.Date] = date;
        if (!string.IsNullOrEmpty(site.Language))
            meta[MetaKeys.Language] = site.Language;
        if (!string.IsNullOrEmpty(site.Name))
            meta[MetaKeys.Source] = site.Name;
        if (site.Base is { } root && root.LastIndexOf('/') is > 8 and var slash)
            meta[MetaKeys.Url] = root[..(slash + 1)] + Uri.EscapeDataString(page.Title.Replace(' ', '_')).Replace("%2F", "/", StringComparison.Ordinal).Replace("%3A", ":", StringComparison.Ordinal);
        return meta;
    }

    private sealed class Site
    {
        public string? Language { get; set; }
        public string? Base { get; set; }
        public string? Name { get; set; }

        /// <summary>Namespaces whose links are no text: files and categories, in English and in the wiki's own language.</summary>
        public HashSet<string> Hidden { get; } = new(StringComparer.OrdinalIgnoreCase) { "File", "Image", "Category", "Media" };
    }

    private sealed class Page
    {
        public long Line { get; init; }
        public string Title { get; set; } = "";
        public string Namespace { get; set; } = "0";
        public string Id { get; set; } = "";
        public string Date { get; set; } = "";
        public string? Model { get; set; }
        public bool Redirect { get; set; }
        public bool HasText { get; set; }
        public string? Text { get; set; }
    }
}

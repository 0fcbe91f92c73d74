using System.Text;
using System.Xml;
using Gradus.Foundation.Recipes;
using Gradus.Text.Data.Compression;
using Gradus.Text.Data.Sources.Html;

namespace Gradus.Text.Data.Sources;

/// <summary>Electronic books: the chapters in reading order, a document a book or a chapter.</summary>
[Component("epub")]
public sealed record EpubSource : SourceOptions
{
    private const int MaxParts = 10_000;

    /// <summary>A document for each chapter instead of one for the book.</summary>
    public bool Chapters { get; init; }

    protected internal override IReadOnlyList<string> FileEndings => [".epub"];

    protected override bool OpensArchives => false;

    protected internal override bool Recognises(ReadOnlySpan<byte> head) => head.Length > 58 && head.StartsWith("PK\u0003\u0004"u8) && head[30..].StartsWith("mimetypeapplication/epub+zip"u8);

    protected override IEnumerable<Document> ReadFile(SourceFile file)
    {
        var bytes = file.Bytes;
        if (!bytes.CanSeek) // inside an archive or packed: a book fits the memory, within the cap
        {
            if (file.ReadWhole() is not { } whole)
                yield break;
            bytes = new MemoryStream(whole.ToArray(), writable: false);
        }

        if (!Archive.IsZip(bytes))
            throw new DamagedFileException($"{file.Name}: an EPUB is a zip archive; this file is none.");
        var parts = new ZipReader(bytes, file.Name, new Refusals(file)).ByName();
        var package = PackagePath(parts, file);
        var (meta, spine) = Package(parts, package, file);
        var (book, chapter) = (new StringBuilder(), 0);
        foreach (var part in spine)
        {
            if (!parts.TryGetValue(part, out var open))
            {
                file.Bad($"{file.Name}!{part}", "the book names this chapter but does not hold it.");
                continue;
            }

            if (Read(open, file, part) is not { } xhtml)
                continue;
            var page = HtmlPage.Parse(Charset.Decode(xhtml, null, html: true));
            var text = MainContent.Join(page.Blocks());
            if (text.Length == 0)
                continue;
            chapter++;
            if (Chapters)
                yield return new Document(Encoding.UTF8.GetBytes(text), $"{file.Name}!{part}", Meta: meta);
            else if (book.Length + text.Length <= MaxRecordBytes)
                book.Append(book.Length > 0 ? "\n\n" : "").Append(text);
            else
                file.Bad($"{file.Name}!{part}", $"the book is longer than {MaxRecordBytes} bytes (max_record_bytes); set chapters: true.");
        }

        if (book.Length > 0)
            yield return new Document(Encoding.UTF8.GetBytes(book.ToString()), file.Name, Meta: meta);
        else if (chapter == 0)
            file.Report.Empty++;
    }

    private static byte[]? Read(Func<Stream> open, SourceFile file, string part)
    {
        using var stream = open();
        var one = new MemoryStream();
        var buffer = new byte[1 << 14];
        int n;
        while ((n = stream.Read(buffer)) > 0)
        {
            one.Write(buffer, 0, n);
            if (one.Length <= file.MaxRecordBytes)
                continue;
            file.Bad($"{file.Name}!{part}", $"the chapter is longer than {file.MaxRecordBytes} bytes (max_record_bytes).");
            return null;
        }

        return one.ToArray();
    }

    private static string PackagePath(Dictionary<string, Func<Stream>> parts, SourceFile file)
    {
        if (parts.TryGetValue("META-INF/container.xml", out var container))
        {
            using var stream = container();
            using var xml = XmlInput.Open(stream);
            while (XmlInput.Read(xml, $"{file.Name}!META-INF/container.xml", x => x.Read()))
                if (xml is { NodeType: XmlNodeType.Element, LocalName: "rootfile" } && xml.GetAttribute("full-path") is { Length: > 0 } path && parts.ContainsKey(path))
                    return path;
        }

        return parts.Keys.Where(k => k.EndsWith(".opf", StringComparison.OrdinalIgnoreCase)).Order(StringComparer.Ordinal).FirstOrDefault()
            ?? throw new DamagedFileException($"{file.Name}: the EPUB holds no package (.opf); it is damaged.");
    }

    private static (SortedDictionary<string, string> Meta, List<string> Spine) Package(Dictionary<string, Func<Stream>> parts, string path, SourceFile file)
    {
        var meta = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var hrefs = new Dictionary<string, string>(StringComparer.Ordinal);
        var spine = new List<string>();
        using var stream = parts[path]();
        using var xml = XmlInput.Open(stream);
        while (XmlInput.Read(xml, $"{file.Name}!{path}", x => x.Read()))
        {
            if (xml.NodeType != XmlNodeType.Element)
                continue;
            var key = xml.LocalName switch { "title" => MetaKeys.Title, "creator" => MetaKeys.Author, "language" => MetaKeys.Language, "date" => MetaKeys.Date, "identifier" => MetaKeys.Id, "rights" => MetaKeys.License, "source" => MetaKeys.Url, _ => null };
            if (xml.LocalName == "item" && xml.GetAttribute("id") is { } id && xml.GetAttribute("href") is { } href)
                hrefs.TryAdd(id, href);
            else if (xml.LocalName == "itemref" && xml.GetAttribute("linear") != "no" && xml.GetAttribute("idref") is { } idref && hrefs.TryGetValue(idref, out var target) && spine.Count < MaxParts)
                spine.Add(Resolve(path, target));
            else if (key is not null && XmlInput.Text(xml, 1 << 12)?.Trim() is { Length: > 0 } value && (key == MetaKeys.Date ? IsoDate.Of(value) : value) is { } known)
                meta.TryAdd(key, HtmlWalk.Collapse(known));
        }

        return (meta, spine);
    }

    /// <summary>A chapter's name in the archive: relative to the package, without fragment, unescaped.</summary>
    private static string Resolve(string package, string href)
    {
        href = Uri.UnescapeDataString(href.Split('#')[0]);
        var folder = package.LastIndexOf('/') is >= 0 and var slash ? package[..slash].Split('/').ToList() : [];
        foreach (var step in href.Split('/'))
        {
            if (step == ".." && folder.Count > 0)
                folder.RemoveAt(folder.Count - 1);
            else if (step is not ("." or ".." or ""))
                folder.Add(step);
        }

        return string.Join('/', folder);
    }

    private sealed class Refusals(SourceFile file) : IArchiveObserver
    {
        public void Refused(string entry, string why) => file.Bad($"{file.Name}!{entry}", why + ".");

        public void NoFile(string rule)
        {
        }
    }
}

using System.Text;
using Gradus.Foundation.Recipes;
using Gradus.Text.Data.Compression;
using Gradus.Text.Data.Sources.Html;
using Gradus.Text.Data.Sources.Web;

namespace Gradus.Text.Data.Sources;

/// <summary>
/// Web archives: WARC and ARC (the main content of each HTML answer, and plain text), WET (text that was extracted already). Plain or
/// compressed record by record. Digests are compared; answers other than 200 and other media types are counted and left out.
/// </summary>
[Component("warc")]
public sealed record WarcSource : SourceOptions
{
    /// <summary>Main content or all text of a page.</summary>
    public HtmlText Text { get; init; } = HtmlText.Main;

    /// <summary>Answers with these status numbers.</summary>
    public IReadOnlyList<int> Status { get; init; } = [200];

    /// <summary>Compare digests where a record has them.</summary>
    public bool CheckDigests { get; init; } = true;

    protected internal override IReadOnlyList<string> FileEndings => [".warc", ".arc", ".wet", ".wet.txt"];

    protected internal override bool Recognises(ReadOnlySpan<byte> head) => WarcReader.IsStart(head);

    protected override IEnumerable<Document> ReadFile(SourceFile file)
    {
        foreach (var record in new WarcReader(file.Bytes, MaxRecordBytes).Records())
        {
            var place = $"{file.Name}:byte {record.Offset}";
            if (record.Fault is not null)
            {
                file.Bad(place, record.Fault + ".", record.Offset, record.Block.Span);
                continue;
            }

            if (CheckDigests && record["warc-block-digest"] is { Length: > 0 } digest && WarcDigest.Matches(digest, record.Block.Span) == false)
            {
                file.Bad(place, $"the record's bytes do not have the digest {digest} that it says.", record.Offset, record.Block.Span);
                continue;
            }

            var document = record.Type switch
            {
                "response" or "resource" => Page(file, record, place),
                "conversion" => Converted(file, record, place),
                _ => null,
            };
            if (document is not null)
                yield return document;
            else if (record.Type is not ("response" or "resource" or "conversion"))
                file.Report.LeaveOut($"warc: {(record.Type is "warcinfo" or "request" or "metadata" or "revisit" or "continuation" ? record.Type : "other record")}");
        }
    }

    private Document? Page(SourceFile file, WarcRecord record, string place)
    {
        var isHttp = record["content-type"].StartsWith("application/http", StringComparison.OrdinalIgnoreCase) || record.Block.Span.StartsWith("HTTP/"u8);
        var http = isHttp ? HttpResponse.Parse(record.Block) : new HttpResponse(200, "", null, record.Block);
        if (!isHttp)
            http = http with { Type = HttpResponse.MediaType(record["content-type"]).Type, Charset = HttpResponse.MediaType(record["content-type"]).Charset };
        if (!Status.Contains(http.Status))
        {
            file.Report.LeaveOut(http.Status == 0 ? "warc: no http answer" : FormattableString.Invariant($"warc: status {http.Status}"));
            return null;
        }

        if (CheckDigests && isHttp && record["warc-payload-digest"] is { Length: > 0 } digest && WarcDigest.Matches(digest, http.Body.Span) == false && WarcDigest.Matches(digest, http.Unchunked().Span) == false)
        {
            file.Bad(place, $"the payload does not have the digest {digest} that its record says.", record.Offset, record.Block.Span);
            return null;
        }

        var isText = http.Type is "text/plain" or "text/markdown";
        if (!isText && http.Type is not ("text/html" or "application/xhtml+xml" or ""))
        {
            file.Report.LeaveOut($"warc: type {Known(http.Type)}");
            return null;
        }

        ReadOnlyMemory<byte> body;
        try
        {
            body = http.Decoded(place, MaxRecordBytes);
        }
        catch (DamagedFileException e)
        {
            file.Bad(place, e.Message[(place.Length + 2)..], record.Offset, record.Block.Span);
            return null;
        }

        var url = record["warc-target-uri"].Trim('<', '>');
        if (isText)
            return Plain(file, Encoding.UTF8.GetBytes(Charset.Decode(body.Span, http.Charset, html: false)), record, place);
        if (HtmlSource.Extract(body.Span, http.Charset, Text, url.Length > 0 ? url : null) is not { } page)
        {
            file.Report.Empty++;
            return null;
        }

        AddMeta(page.Meta, record);
        return new Document(page.Text, place, Meta: page.Meta);
    }

    private static Document? Converted(SourceFile file, WarcRecord record, string place)
    {
        if (!record["content-type"].StartsWith("text/plain", StringComparison.OrdinalIgnoreCase))
        {
            file.Report.LeaveOut($"warc: type {Known(HttpResponse.MediaType(record["content-type"]).Type)}");
            return null;
        }

        return file.Utf8Text(record.Block.Span, place, record.Offset) is { } text ? Plain(file, text, record, place) : null;
    }

    private static Document? Plain(SourceFile file, byte[] text, WarcRecord record, string place)
    {
        var trimmed = text.AsMemory(0, text.AsSpan().TrimEnd(" \t\r\n"u8).Length);
        if (trimmed.Length == 0)
        {
            file.Report.Empty++;
            return null;
        }

        var meta = new SortedDictionary<string, string>(StringComparer.Ordinal);
        if (record["warc-target-uri"].Trim('<', '>') is { Length: > 0 } url)
            meta[MetaKeys.Url] = url;
        AddMeta(meta, record);
        return new Document(trimmed, place, Meta: meta);
    }

    private static void AddMeta(SortedDictionary<string, string> meta, WarcRecord record)
    {
        if (IsoDate.Of(record["warc-date"]) is { } date)
            meta[MetaKeys.Date] = date; // of the fetch: what the page says of itself is less to be trusted
        if (record["warc-record-id"].Trim('<', '>') is { Length: > 0 } id)
            meta[MetaKeys.Id] = id;
        if (record["warc-identified-content-language"].Split(',')[0].Trim() is { Length: > 0 } language)
            meta.TryAdd(MetaKeys.Language, Languages.Bcp47(language));
    }

    // Types come from strangers; the report may not grow with them.
    private static string Known(string type) => type.Split('/')[0] is "image" or "audio" or "video" or "font" ? type.Split('/')[0] : type is "application/pdf" or "application/json" or "text/css" or "text/xml" or "application/xml" or "application/javascript" or "text/javascript" or "application/octet-stream" or "application/rss+xml" or "text/dns" ? type : "other";
}

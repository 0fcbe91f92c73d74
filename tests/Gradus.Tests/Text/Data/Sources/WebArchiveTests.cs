using System.Text;
using Gradus.Text.Data;
using Gradus.Text.Data.Sources;
using Gradus.Text.Data.Sources.Web;

namespace Gradus.Tests.Text.Data.Sources;

public sealed class WebArchiveTests : SourceBench
{
    private static WarcSource Shared(string name) => new() { Path = Repo.SharedData("warc/" + name) };

    [Fact]
    [Row("B1", "B9")]
    public void A_warc_file_gives_its_answers_and_counts_the_rest()
    {
        var (documents, report) = ReadAll(Shared("example.warc"));
        var page = Assert.Single(documents);
        Assert.Contains("This domain is established to be used for illustrative examples in documents.", Text(page));
        Assert.Equal(("http://example.com/", "2017-03-06T04:02:06Z", "Example Domain"), (page.Meta![MetaKeys.Url], page.Meta[MetaKeys.Date], page.Meta[MetaKeys.Title]));
        Assert.Equal([("warc: request", 2L), ("warc: revisit", 1), ("warc: warcinfo", 2)], report.LeftOut.Select(l => (l.Key, l.Value)));
    }

    [Fact]
    [Row("B1")]
    public void Record_by_record_gzip_chunks_and_arc_read_like_plain_warc()
    {
        var (packed, report) = ReadAll(Shared("example.warc.gz"));
        Assert.Contains("Example Domain", packed[0].Meta![MetaKeys.Title]);
        Assert.Equal((1, 1L), (packed.Count, report.LeftOut["warc: status 302"]));
        var (arc, _) = ReadAll(Shared("example.arc.gz"));
        Assert.Equal("http://example.com/", Assert.Single(arc).Meta![MetaKeys.Url]);
        Assert.Equal("2014-02-16T05:02:21Z", arc[0].Meta![MetaKeys.Date]);
        var (chunked, _) = ReadAll(Shared("example-iana.org-chunked.warc"));
        Assert.StartsWith("New Root Zone trust anchor being distributed.", Text(Assert.Single(chunked)));
        Assert.Contains("The global coordination of the DNS Root, IP addressing, and other Internet protocol resources", Texts(Shared("example-iana.org-chunked.warc") with { Text = HtmlText.All })[0]); // it stands in the page's header
        Assert.DoesNotContain("001c37", Text(chunked[0])); // a chunk's size
    }

    [Fact]
    public void A_record_whose_length_lies_is_bad_and_the_next_one_is_found()
    {
        var message = Fails(Shared("example-trunc.warc"));
        Assert.Contains("example-trunc.warc:byte 1197: the record is not as long as its Content-Length of 973 says", message);
        var (kept, report) = ReadAll(new WarcSource { Path = Write("a.warc", Response("200 OK", "text/plain", "first") + Response("200 OK", "text/plain", "second").Replace("Content-Length: ", "Content-Length: 1", StringComparison.Ordinal) + Response("200 OK", "text/plain", "third")), BadRecords = BadRecords.Skip });
        Assert.Equal(["first", "third"], kept.ConvertAll(Text));
        Assert.Equal(1L, report.Skipped);
        // A sample whose lengths count letters, not bytes: every one of its records is found, and none is used.
        Assert.Contains("no records left: 4 were skipped", Fails(Shared("cc_net-sample.wet.txt") with { BadRecords = BadRecords.Skip }));
    }

    [Fact]
    public void Digests_are_compared_in_every_form_and_only_when_asked()
    {
        var bytes = "WARC"u8.ToArray();
#pragma warning disable CA5350 // what the format uses
        var sha1 = System.Security.Cryptography.SHA1.HashData(bytes);
#pragma warning restore CA5350
        foreach (var form in new[] { Convert.ToHexStringLower(sha1), Convert.ToBase64String(sha1), Convert.ToBase64String(sha1).Replace('+', '-').Replace('/', '_'), Base32(sha1) })
        {
            Assert.True(WarcDigest.Matches("sha1:" + form, bytes), form);
            Assert.False(WarcDigest.Matches("SHA1:" + form, "WARc"u8), form);
        }

        Assert.Null(WarcDigest.Matches("crc32:00", bytes));
        var text = File.ReadAllText(Repo.SharedData("warc/example.warc"), Encoding.Latin1);
        var spoilt = Write("a.warc", Encoding.Latin1.GetBytes(text.Replace("Last-Modified: Fri, 09", "Last-Modified: Fri, 08", StringComparison.Ordinal)));
        Assert.Contains("do not have the digest sha1:DR5MBP7OD3OPA7RFKWJUD4CTNUQUGFC5", Fails(new WarcSource { Path = spoilt }));
        Assert.Single(Texts(new WarcSource { Path = spoilt, CheckDigests = false })); // the control: unasked, it goes unseen
    }

    [Theory]
    [InlineData(1)]
    [InlineData(49)] // at 50 % it is cut between two records, which nothing can tell
    [InlineData(99)]
    public void A_cut_warc_file_keeps_what_was_read_before_when_it_may(int percent)
    {
        var record = Response("200 OK", "text/html", "<p>" + new string('w', 300) + "</p>");
        var file = string.Concat(Enumerable.Repeat(record, 20));
        var cut = file[..(file.Length * percent / 100)];
        var whole = cut.Length / record.Length;
        Assert.Contains(percent == 1 ? "a header line without a colon" : "the file ends inside", Fails(new WarcSource { Path = Write("a.warc", cut) }));
        var source = new WarcSource { Path = Write("a.warc", cut), BadRecords = BadRecords.Skip };
        if (whole == 0)
        {
            Assert.Contains("no records left: 1 were skipped", Fails(source));
            return;
        }

        var (documents, report) = ReadAll(source);
        Assert.Equal((whole, 1L), (documents.Count, report.Skipped));
    }

    [Fact]
    public void Answers_are_decoded_as_their_headers_say()
    {
        string Body(Document d) => Text(d);
        var latin = new WarcSource { Path = Write("l.warc", Encoding.Latin1.GetBytes(Response("200 OK", "text/html; charset=iso-8859-1", "<p>caf\u00E9 " + new string('x', 200) + "</p>"))) };
        Assert.StartsWith("café", Body(ReadAll(latin).Documents[0]));
        var meta = new WarcSource { Path = Write("m.warc", Encoding.Latin1.GetBytes(Response("200 OK", "text/html", "<meta charset=\"windows-1251\"><p>\u00CF\u00F0\u00E8\u00E2\u00E5\u00F2 " + new string('x', 200) + "</p>"))) };
        Assert.StartsWith("Привет", Body(ReadAll(meta).Documents[0]));
        var packed = Encoding.Latin1.GetString(Gzip(Encoding.UTF8.GetBytes("plain text, packed")));
        var gzip = new WarcSource { Path = Write("g.warc", Encoding.Latin1.GetBytes(Response("200 OK", "text/plain\r\nContent-Encoding: gzip", packed))) };
        Assert.Equal("plain text, packed", Body(ReadAll(gzip).Documents[0]));
        var cut = new WarcSource { Path = Write("c.warc", Encoding.Latin1.GetBytes(Response("200 OK", "text/plain\r\nContent-Encoding: gzip", packed[..^9]))) };
        Assert.Contains("cut off", Fails(cut));
        var image = ReadAll(new WarcSource { Path = Write("i.warc", Response("200 OK", "image/png", "x") + Response("200 OK", "text/plain", "words") + Response("404 Not Found", "text/html", "no")) });
        Assert.Equal(("words", 1L, 1L), (Body(Assert.Single(image.Documents)), image.Report.LeftOut["warc: type image"], image.Report.LeftOut["warc: status 404"]));
    }

    private static string Response(string status, string type, string body)
    {
        var http = $"HTTP/1.1 {status}\r\nContent-Type: {type}\r\n\r\n{body}";
        return $"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://a.example/\r\nWARC-Date: 2020-01-02T03:04:05Z\r\nContent-Type: application/http; msgtype=response\r\nContent-Length: {http.Length}\r\n\r\n{http}\r\n\r\n";
    }

    private static string Base32(byte[] bytes)
    {
        var bits = string.Concat(bytes.Select(b => Convert.ToString(b, 2).PadLeft(8, '0')));
        return string.Concat(Enumerable.Range(0, bits.Length / 5).Select(i => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[Convert.ToInt32(bits.Substring(i * 5, 5), 2)]));
    }
}

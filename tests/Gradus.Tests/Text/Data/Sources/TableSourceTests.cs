using System.Text;
using Gradus.Text.Data;
using Gradus.Text.Data.Export;
using Gradus.Text.Data.Sources;
using Gradus.Text.Data.Sources.DuckDb;

namespace Gradus.Tests.Text.Data.Sources;

public sealed class TableSourceTests : SourceBench
{
    private List<string> Rows(RowSource source) => [.. source.ReadRows(source.Path, new SourceReport()).Select(r => Encoding.UTF8.GetString(r.Json.Span))];

    [Fact]
    [Row("B1")]
    public void Csv_cells_may_hold_separators_quotes_and_lines()
    {
        var path = Write("a.csv", "id,text\r\n1,\"a, \"\"b\"\"\nsecond line\"\r\n2,plain \"quote\" inside\r\n\r\n3,\n4,=cmd()");
        Assert.Equal(["{\"id\":\"1\",\"text\":\"a, \\\"b\\\"\\nsecond line\"}", "{\"id\":\"2\",\"text\":\"plain \\\"quote\\\" inside\"}", "{\"id\":\"3\",\"text\":\"\"}", "{\"id\":\"4\",\"text\":\"=cmd()\"}"], Rows(new CsvSource { Path = path }));
        var (documents, report) = ReadAll(new CsvSource { Path = path });
        Assert.Equal(["a, \"b\"\nsecond line", "plain \"quote\" inside", "=cmd()"], documents.Select(Text));
        Assert.Equal((1L, "1", $"{path}:2", $"{path}:4"), (report.Empty, documents[0].Meta![MetaKeys.Id], documents[0].Origin, documents[1].Origin));
    }

    [Theory]
    [InlineData("text;n\na;1\nb;2\n", "a", "b")]
    [InlineData("text\tn\na \"x\t1\nb\t2\n", "a \"x", "b")]
    [InlineData("n|text|m\n1|a, c|2\n2|b|3\n", "a, c", "b")]
    public void The_separator_is_found(string csv, string first, string second) => Assert.Equal([first, second], Texts(new CsvSource { Path = Write("a.csv", csv) }));

    [Fact]
    public void Bad_csv_rows_are_named_and_cost_only_themselves()
    {
        var path = Write("a.csv", "text,n\nfine,1\nragged\nmore,2,3\n\"open,4\nlast,5\n\"junk\" behind,6\nend,7\n");
        Assert.Contains("a.csv:3: the row has 1 cells, the first row has 2", Fails(new CsvSource { Path = path }));
        var (documents, report) = ReadAll(new CsvSource { Path = path, BadRecords = BadRecords.Skip });
        Assert.Equal(["fine", "last", "end"], documents.Select(Text));
        Assert.Equal(4, report.Skipped);
        foreach (var (reason, says) in report.Reasons.Zip([".csv:3: the row has 1 cells", ".csv:4: the row has 3 cells", ".csv:5: a quote is opened that is never closed", ".csv:7: text follows a closing quote"]))
            Assert.Contains(says, reason);
    }

    [Fact]
    public void A_hundred_thousand_columns_and_a_quote_that_swallows_the_file_are_bounded()
    {
        Assert.Contains("more than 16384 columns", Fails(new CsvSource { Path = Write("a.csv", string.Join(',', Enumerable.Range(0, 100_000)) + "\n1") }));
        var path = Write("b.csv", "text,n\n\"never closed\n" + string.Concat(Enumerable.Repeat("row,1\n", 50_000)));
        var (documents, report) = ReadAll(new CsvSource { Path = path, BadRecords = BadRecords.Skip });
        Assert.Equal((50_000, 1L), (documents.Count, report.Skipped));
        Assert.Contains("comes twice", Fails(new CsvSource { Path = Write("c.csv", "text,text\na,b\n") }));
    }

    [Fact]
    [Row("B1")]
    public void Json_files_are_lists_objects_with_a_list_or_objects_in_a_row()
    {
        foreach (var json in new[] { "[{\"text\":\"a\"},\n {\"text\":\"b]\\\"\"}]", "{\"version\":[1,2],\"data\":[{\"text\":\"a\"},{\"text\":\"b]\\\"\"}],\"n\":1}", "{\"text\":\"a\"}\n{\"text\":\"b]\\\"\"}", "\uFEFF [ {\"text\" : \"a\"} , {\"text\":\"b]\\\"\"} ] " })
            Assert.Equal(["a", "b]\""], Texts(new JsonSource { Path = Write("a.json", json) }));
        Assert.Equal(["whole"], Texts(new JsonSource { Path = Write("a.json", "{\"text\":\"whole\",\"x\":{\"data\":[1]}}") }));
        Assert.Contains("cut off", Fails(new JsonSource { Path = Write("a.json", "[{\"text\":\"a\"},{\"text\":\"b") }));
        Assert.Contains("not valid JSON at byte 13", Fails(new JsonSource { Path = Write("a.json", "[{\"text\":\"a\"}{\"text\":\"b\"}]") }));
        Assert.Contains("row 1: the row is not a JSON object but an array", Fails(new JsonSource { Path = Write("a.json", "[" + new string('[', 500_000) + new string(']', 500_000) + "]") }));
        Assert.Contains("row 1: not valid JSON", Fails(new JsonSource { Path = Write("a.json", "[{\"text\":\"a\",\"x\":" + new string('[', 500_000) + new string(']', 500_000) + "}]") }));
        Assert.Contains("max_record_bytes", Fails(new JsonSource { Path = Write("a.json", "[{\"text\":\"" + new string('x', 5000) + "\"}]"), MaxRecordBytes = 1000 }));
        Assert.Contains("no records", Fails(new JsonSource { Path = Write("a.json", "[]") }));
    }

    [Fact]
    public void Metadata_comes_under_its_usual_names()
    {
        var path = Write("a.jsonl", """{"content":"words","uri":"http://x","timestamp":1556197074,"meta":{"lang":"en","score":0.5},"own":"kept","id":12,"tags":["no"]}""");
        var meta = ReadAll(new JsonlSource { Path = path, Keep = ["own"] }).Documents[0].Meta!;
        Assert.Equal("date=2019-04-25T12:57:54Z id=12 language=en own=kept score=0.5 url=http://x", string.Join(' ', meta.Select(m => $"{m.Key}={m.Value}")));
        Assert.Equal(["deep"], Texts(new JsonlSource { Path = Write("b.jsonl", """{"a":{"b":"deep"},"text":"no"}"""), Field = "a.b" }));
    }

    [Theory]
    [InlineData("2019-04-25", "2019-04-25")]
    [InlineData("2019-04-25T12:57:54Z", "2019-04-25T12:57:54Z")]
    [InlineData("2019-04-25 12:57:54.123", "2019-04-25T12:57:54Z")]
    [InlineData("20140216050221", "2014-02-16T05:02:21Z")]
    [InlineData("Thu, 25 Apr 2019 12:57:54 +0200 (CEST)", "2019-04-25T10:57:54Z")]
    [InlineData("April 25, 2019", "2019-04-25")]
    [InlineData("1851", "1851")]
    [InlineData("2019-04", "2019-04")]
    [InlineData("1556197074.5", "2019-04-25T12:57:54Z")]
    [InlineData("soon", null)]
    [InlineData("2019-13-45", null)]
    [InlineData("12", null)]
    public void Dates_are_iso_or_nothing(string text, string? date) => Assert.Equal(date, IsoDate.Of(text));

    [Fact]
    [Row("B1", "B9")]
    public void Arrow_files_of_hugging_face_read_whole_and_every_cut_is_seen()
    {
        var path = Repo.SharedData("pd-books/tiny_open_domain_books_453.arrow");
        var (documents, report) = ReadAll(SourceOptions.FromPath(path));
        Assert.Equal((453, 2_801_639L), (documents.Count, report.Bytes));
        var bytes = File.ReadAllBytes(path);
        foreach (var percent in new[] { 1, 50, 99 })
            Assert.Contains("cut off", Fails(new ArrowSource { Path = Write("a.arrow", bytes[..(bytes.Length * percent / 100)]) }));
        var counter = new Gradus.Foundation.Files.Counter(5, "arrow");
        for (ulong i = 0; i < 300; i++) // flipped bytes in the description: an error or other text, never a crash
        {
            var flipped = bytes.AsSpan(0, 60_000).ToArray();
            flipped[(int)counter.Below(2 * i, 700)] ^= (byte)(1 + counter.Below((2 * i) + 1, 255));
            try
            {
                ReadAll(new ArrowSource { Path = Write("b.arrow", flipped) });
            }
            catch (Gradus.Foundation.Files.UserException)
            {
            }
        }
    }

    [Fact]
    [Row("B1")]
    public void Parquet_is_written_and_read_back_row_by_row()
    {
        Assert.SkipUnless(DuckDbLibrary.IsHere(), "needs libduckdb (GRADUS_DUCKDB, or the cache that `gradus data convert x y.parquet` fills)");
        string[] rows = ["""{"id":"001","text":"héllo","date":"2019-04-25","n":1,"list":[{"role":"user","content":"hi"}]}""", """{"id":"2","text":"b","date":"1776","n":2,"list":[]}"""];
        var path = System.IO.Path.Combine(Folder, "a[1].parquet");
        using (var writer = RowWriter.Create(path))
        {
            foreach (var row in rows)
                writer.Add(Encoding.UTF8.GetBytes(row));
            writer.Finish();
        }

        Assert.Equal(rows, Rows(new ParquetSource { Path = path }));
        Assert.Equal(["a[1].parquet"], Directory.GetFileSystemEntries(Folder).Select(System.IO.Path.GetFileName));
        var bytes = File.ReadAllBytes(path);
        foreach (var percent in new[] { 1, 50, 99 })
            Assert.Contains("footer", Fails(new ParquetSource { Path = Write("b.parquet", bytes[..Math.Max(4, bytes.Length * percent / 100)]) }));
        foreach (var at in new[] { 8, bytes.Length / 2, bytes.Length - 9, bytes.Length - 40 })
        {
            var flipped = bytes.ToArray();
            flipped[at] ^= 0x55;
            try
            {
                Rows(new ParquetSource { Path = Write("c.parquet", flipped) });
            }
            catch (Gradus.Foundation.Files.UserException e)
            {
                Assert.DoesNotContain('\n', e.Message);
            }
        }
    }

    [Fact]
    [Row("B1")]
    public void Rows_are_written_as_csv_with_formulas_made_text()
    {
        var path = System.IO.Path.Combine(Folder, "a.csv");
        using (var writer = RowWriter.Create(path))
        {
            writer.Add("""{"a":"=cmd()","b":"-5","c":"x, \"y\""}"""u8);
            writer.Add("""{"a":"@x","b":null,"c":"two\nlines"}"""u8);
            writer.Finish();
            Assert.Equal(2, writer.EscapedFormulas);
        }

        Assert.Equal("a,b,c\n'=cmd(),-5,\"x, \"\"y\"\"\"\n'@x,,\"two\nlines\"\n", File.ReadAllText(path));
        Assert.Equal(["{\"a\":\"'=cmd()\",\"b\":\"-5\",\"c\":\"x, \\\"y\\\"\"}", "{\"a\":\"'@x\",\"b\":\"\",\"c\":\"two\\nlines\"}"], Rows(new CsvSource { Path = path }));
    }

    [Theory]
    [InlineData("a.jsonl")]
    [InlineData("a.jsonl.gz")]
    [InlineData("a.jsonl.zst")]
    public void Written_files_are_whole_or_not_there_and_the_same_bytes_each_time(string name)
    {
        byte[] Once()
        {
            var path = System.IO.Path.Combine(Folder, name);
            using var writer = RowWriter.Create(path);
            for (var i = 0; i < 20_000; i++)
                writer.Add(Encoding.UTF8.GetBytes($"{{\"text\":\"row {i} {i * 7919 % 1000}\"}}"));
            Assert.False(File.Exists(path));
            writer.Finish();
            Assert.Equal(20_000, Texts(new JsonlSource { Path = path }).Count);
            var bytes = File.ReadAllBytes(path);
            File.Delete(path);
            return bytes;
        }

        Assert.Equal(Once(), Once());
        using (var abandoned = RowWriter.Create(System.IO.Path.Combine(Folder, name)))
            abandoned.Add("{}"u8);
        Assert.Empty(Directory.GetFileSystemEntries(Folder));
    }
}

using System.Text;
using Gradus.Foundation.Files;
using Gradus.Text.Data.Sources;

namespace Gradus.Tests.Text.Data;

public sealed class SourceTests : IDisposable
{
    private readonly TempFolder _temp = Repo.Temp();

    public void Dispose() => _temp.Dispose();

    private string Write(string name, params byte[][] parts)
    {
        var path = _temp.File(name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, [.. parts.SelectMany(p => p)]);
        return path;
    }

    private string Write(string name, string text) => Write(name, Encoding.UTF8.GetBytes(text));

    private static List<string> Read(SourceOptions source, SourceReport? report = null) =>
        [.. source.Read(report ?? new SourceReport()).Select(d => Encoding.UTF8.GetString(d.Utf8.Span))];

    private static string Fails(SourceOptions source) => Assert.ThrowsAny<UserException>(() => Read(source)).Message;

    [Fact]
    public void Only_a_line_feed_ends_a_record()
    {
        var path = Write("a.txt", "one\r\ntwo\rstill two\u2028and on\n\nthree");
        Assert.Equal(["one", "two\rstill two\u2028and on", "three"], Read(new TextSource { Path = path, Documents = TextUnit.Line }));
    }

    [Fact]
    public void Paragraphs_end_at_blank_lines_and_passages_at_the_first_one_after_enough()
    {
        var path = Write("a.md", "\n\na\nb\n \t\nc\r\n\r\n\nlonger paragraph\n\nd\n");
        Assert.Equal(["a\nb", "c", "longer paragraph", "d"], Read(new TextSource { Path = path, Documents = TextUnit.Paragraph }));
        Assert.Equal(["a\nb\n\nc", "longer paragraph", "d"], Read(new TextSource { Path = path, Documents = TextUnit.Passage, PassageBytes = 5 }));
    }

    [Fact]
    public void Appending_to_a_book_leaves_its_earlier_passages_alone()
    {
        string Passage(int i) => $"Paragraph {i} " + new string('x', i % 7 * 10) + "\n\n";
        var first = Write("a.txt", string.Concat(Enumerable.Range(0, 50).Select(Passage)));
        var second = Write("b.txt", string.Concat(Enumerable.Range(0, 80).Select(Passage)));
        var before = Read(new TextSource { Path = first, Documents = TextUnit.Passage, PassageBytes = 100 });
        var after = Read(new TextSource { Path = second, Documents = TextUnit.Passage, PassageBytes = 100 });
        Assert.Equal(before[..^1], after[..(before.Count - 1)]);
    }

    [Fact]
    public void A_text_without_blank_lines_still_falls_into_passages()
    {
        var lines = string.Concat(Enumerable.Range(0, 1000).Select(i => $"line {i}\n"));
        var passages = Read(new TextSource { Path = Write("a.txt", lines), Documents = TextUnit.Passage, PassageBytes = 100 });
        Assert.All(passages[..^1], p => Assert.InRange(p.Length, 400, 420));
        Assert.Equal(lines, string.Join('\n', passages) + "\n");
    }

    [Fact]
    public void A_whole_file_is_one_document_without_its_byte_order_mark() =>
        Assert.Equal(["a\n\nb\n"], Read(new TextSource { Path = Write("a.txt", "\uFEFFa\n\nb\n") }));

    [Theory]
    [InlineData("")]
    [InlineData(" \r\n\t\n")]
    [InlineData("\uFEFF")]
    public void A_file_without_text_has_no_records(string text)
    {
        foreach (var unit in Enum.GetValues<TextUnit>())
            Assert.EndsWith("a.txt: no records.", Fails(new TextSource { Path = Write("a.txt", text), Documents = unit }));
        Assert.EndsWith("a.jsonl: no records.", Fails(new JsonlSource { Path = Write("a.jsonl", text) }));
    }

    [Theory]
    [InlineData("ab\nc\u00FF", 4, "0xFF", false)] // a lone FF
    [InlineData("\u00C0\u0080", 0, "0xC0", false)] // an overlong NUL
    [InlineData("abc\u00ED\u00A0\u0080", 3, "0xED", false)] // a surrogate
    [InlineData("\u00FF\u00FEa\0", 0, "looks like UTF-16", false)]
    [InlineData("x\u00E2\u0082", 1, "0xE2", true)] // a character cut by the end of the file
    public void Bytes_that_are_not_utf8_are_placed_or_replaced(string latin1, int offset, string says, bool onePart)
    {
        var bytes = Encoding.Latin1.GetBytes(latin1);
        foreach (var unit in Enum.GetValues<TextUnit>())
        {
            var source = new TextSource { Path = Write("a.txt", bytes), Documents = unit };
            var message = Fails(source);
            Assert.Contains($"byte {offset} ", message);
            Assert.Contains(says, message);
            var report = new SourceReport();
            var text = string.Join('\n', Read(source with { BadUtf8 = BadUtf8.Replace }, report));
            Assert.Equal(text.Count(c => c == '\uFFFD'), report.Replaced);
            Assert.Equal(new UTF8Encoding(false).GetString(bytes), text); // .NET's own replacement
            Assert.True(!onePart || report.Replaced == 1);
        }
    }

    [Fact]
    public void Nul_bytes_and_control_characters_are_text() =>
        Assert.Equal(["a\0b\u0001"], Read(new TextSource { Path = Write("a.txt", "a\0b\u0001"), Documents = TextUnit.Line }));

    [Fact]
    public void Jsonl_takes_the_field_asked_for()
    {
        var path = Write("a.jsonl", "{\"text\": \"one \\u00e9\\n\", \"n\": [1, {\"text\": 2}]}\r\n\n  {\"body\":\"x\",\"text\":\"two\"}  \n{\"text\":\"\"}");
        var report = new SourceReport();
        Assert.Equal(["one \u00e9\n", "two"], Read(new JsonlSource { Path = path }, report));
        Assert.Equal((2, 1), (report.Documents, report.Empty));
        Assert.Equal(["x"], Read(new JsonlSource { Path = path, Field = "body", BadRecords = BadRecords.Skip }));
    }

    [Theory]
    [InlineData("{\"text\": \"a\"", "not valid JSON")]
    [InlineData("{\"text\": \"a\"} x", "not valid JSON")]
    [InlineData("{\"text\": \"a\"}{\"text\": \"b\"}", "not valid JSON")]
    [InlineData("[\"text\"]", "not a JSON object but an array")]
    [InlineData("null", "not a JSON object but null")]
    [InlineData("{\"text\": 3}", "not a string but a number")]
    [InlineData("{\"text\": null}", "not a string but null")]
    [InlineData("{\"texts\": \"a\"}", "no field 'text'; did you mean 'texts'?")]
    [InlineData("{\"text\": \"a\", \"text\": \"b\"}", "appears twice")]
    [InlineData("{\"text\": \"\\ud800\"}", "surrogate")]
    [InlineData("{\"a\": NaN, \"text\": \"\"}", "not valid JSON")]
    public void A_bad_row_is_named_by_line_or_skipped_and_counted(string row, string says)
    {
        var path = Write("a.jsonl", "{\"text\": \"fine\"}\n" + row + "\n{\"text\": \"also fine\"}\n");
        var message = Fails(new JsonlSource { Path = path });
        Assert.StartsWith($"{path}:2: ", message);
        Assert.Contains(says, message);
        Assert.DoesNotContain('\n', message);
        var report = new SourceReport();
        Assert.Equal(["fine", "also fine"], Read(new JsonlSource { Path = path, BadRecords = BadRecords.Skip }, report));
        Assert.Equal(1, report.Skipped);
        Assert.Equal([message], report.Reasons);
    }

    [Fact]
    public void Json_nested_a_million_deep_is_a_bad_row()
    {
        var path = Write("a.jsonl", "{\"a\":" + new string('[', 1_000_000) + "\n");
        Assert.Contains(":1: not valid JSON", Fails(new JsonlSource { Path = path }));
    }

    [Fact]
    public void A_record_over_the_cap_is_bad_and_the_next_one_is_read_whole()
    {
        var jsonl = Write("a.jsonl", "{\"text\": \"fine\"}\n{\"text\": \"" + new string('x', 300_000) + "\"}\n{\"text\": \"after\"}\n");
        Assert.Contains(":2: the row is longer than 1000 bytes", Fails(new JsonlSource { Path = jsonl, MaxRecordBytes = 1000 }));
        Assert.Equal(["fine", "after"], Read(new JsonlSource { Path = jsonl, MaxRecordBytes = 1000, BadRecords = BadRecords.Skip }));
        var text = Write("a.txt", "fine\n\n" + new string('x', 300_000) + "\n\nafter");
        foreach (var unit in new[] { TextUnit.Line, TextUnit.Paragraph, TextUnit.Passage })
        {
            Assert.Contains(":3: ", Fails(new TextSource { Path = text, Documents = unit, PassageBytes = 1, MaxRecordBytes = 1000 }));
            Assert.Equal(["fine", "after"], Read(new TextSource { Path = text, Documents = unit, PassageBytes = 1, MaxRecordBytes = 1000, BadRecords = BadRecords.Skip }));
        }

        Assert.Contains("documents: passage", Fails(new TextSource { Path = text, MaxRecordBytes = 1000 }));
    }

    [Fact]
    public void A_huge_line_costs_the_cap_not_its_length()
    {
        var path = _temp.File("sparse.txt");
        using (var file = File.Create(path))
        {
            file.SetLength(256L << 20); // sparse: no disk, 256 MB of NUL bytes without a line feed
            file.Position = file.Length;
            file.Write("\nafter\n"u8);
        }

        var before = GC.GetTotalAllocatedBytes(precise: true);
        Assert.Equal(["after"], Read(new TextSource { Path = path, Documents = TextUnit.Line, MaxRecordBytes = 1 << 20, BadRecords = BadRecords.Skip }));
        Assert.InRange(GC.GetTotalAllocatedBytes(precise: true) - before, 0, 16 << 20); // the buffer grows to twice the cap, and one copy of the cap
    }

    [Fact]
    public void Folders_and_globs_give_files_in_one_order()
    {
        Write("d/b.txt", "b");
        Write("d/a.md", "a");
        Write("d/sub/c.txt", "c");
        Write("d/sub/deep/e.txt", "e");
        Write("d/other.bin", "never");
        Write("d/.hidden.txt", "never");
        Directory.CreateSymbolicLink(_temp.File("d/sub/loop"), _temp.File("d"));
        Assert.Equal(["a", "b", "c", "e"], Read(new TextSource { Path = _temp.File("d") }));
        Assert.Equal(["b"], Read(new TextSource { Path = _temp.File("d/*.txt") }));
        Assert.Equal(["b", "c", "e"], Read(new TextSource { Path = _temp.File("d/**/*.txt") }));
        Assert.Equal(["c"], Read(new TextSource { Path = _temp.File("d/su?/?.txt") }));
        Assert.Contains("no file matches", Fails(new TextSource { Path = _temp.File("d/*.tex") }));
        Assert.Contains(".jsonl", Fails(new JsonlSource { Path = _temp.File("d") }));
        Assert.Contains("did you mean 'b.txt'?", Fails(new TextSource { Path = _temp.File("d/c.txt") }));
    }

    [Fact]
    public void A_bare_path_finds_its_source_by_name()
    {
        Write("d/a.txt", "a");
        Assert.IsType<JsonlSource>(SourceOptions.FromPath(Write("x.jsonl", "{}")));
        Assert.IsType<JsonlSource>(SourceOptions.FromPath(Write("x.jsonl.gz", "{}")));
        Assert.Equal(_temp.File("d"), Assert.IsType<TextSource>(SourceOptions.FromPath(_temp.File("d"))).Path);
        Assert.Equal(TextUnit.Passage, Assert.IsType<TextSource>(SourceOptions.FromPath(Write("LICENSE", "x"))).Documents);
    }

    [Fact]
    public void The_quickstart_corpora_read_with_their_published_sizes()
    {
        var report = new SourceReport();
        foreach (var _ in SourceOptions.FromPath(Repo.SharedData("sotu/sotu.jsonl.gz")).Read(report))
        {
        }

        Assert.Equal((233, 10_761_202), (report.Documents, report.Bytes));
        var moby = Read(new TextSource { Path = Repo.SharedData("moby-dick/moby-dick.txt") });
        Assert.Equal(1_204_997, Encoding.UTF8.GetByteCount(Assert.Single(moby)));
        Assert.StartsWith("CHAPTER 1. Loomings.", moby[0]);
    }

    [Fact]
    public void Compressed_jsonl_reads_like_plain()
    {
        var documents = Read(SourceOptions.FromPath(Repo.SharedData("udhr/udhr.jsonl.xz")) with { BadRecords = BadRecords.Skip });
        Assert.True(documents.Count > 400, $"{documents.Count} language versions");
    }
}

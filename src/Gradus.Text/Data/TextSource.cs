using System.Buffers;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Data;

/// <summary>What in a text file is a document.</summary>
public enum TextUnit
{
    /// <summary>The whole file.</summary>
    File,

    /// <summary>Each paragraph; blank lines separate them.</summary>
    Paragraph,

    /// <summary>Passages of about <see cref="TextSource.PassageBytes"/>: makes one book many documents, which can be split.</summary>
    Passage,

    /// <summary>Each line.</summary>
    Line,
}

/// <summary>Plain text and Markdown files.</summary>
[Component("text")]
public sealed record TextSource : SourceOptions
{
    private static readonly SearchValues<byte> s_blank = SearchValues.Create(" \t\r\n\f\v"u8);

    /// <summary>What a document is: the file, a paragraph, a passage or a line.</summary>
    public TextUnit Documents { get; init; } = TextUnit.File;

    /// <summary>With <c>documents: passage</c>: a passage ends at the first blank line after this many bytes, or, where there is none, at the first line end after four times as many.</summary>
    [AtLeast(1)]
    [AtMost(1 << 28)]
    public int PassageBytes { get; init; } = 8192;

    protected internal override IReadOnlyList<string> FileEndings => [".txt", ".text", ".md", ".markdown"];

    protected override IEnumerable<Document> ReadFile(Stream file, string name, SourceReport report) => Documents switch
    {
        TextUnit.Line => Lines(file, name, report),
        TextUnit.Paragraph => Blocks(file, name, report, wanted: 1, enough: int.MaxValue),
        TextUnit.Passage => Blocks(file, name, report, PassageBytes, 4 * PassageBytes),
        _ => Whole(file, name, report),
    };

    private IEnumerable<Document> Lines(Stream file, string name, SourceReport report)
    {
        var reader = new RecordReader(file, MaxRecordBytes);
        while (reader.TryRead(out var line))
        {
            var place = $"{name}:{reader.Line}";
            if (reader.TooLong)
                Bad($"{place}: the line is longer than {MaxRecordBytes} bytes (max_record_bytes).", report);
            else if (IsBlank(line.Span))
                report.Empty++;
            else if (Utf8Text(line.Span, place, reader.Offset, report) is { } text)
                yield return new Document(text, place);
        }
    }

    /// <summary>Runs of lines that end at a blank line, once they have <paramref name="wanted"/> bytes, or at any line, once they have <paramref name="enough"/>.</summary>
    private IEnumerable<Document> Blocks(Stream file, string name, SourceReport report, int wanted, int enough)
    {
        var reader = new RecordReader(file, MaxRecordBytes);
        var text = new ArrayBufferWriter<byte>();
        var (blanks, tooLong, first, offset) = (0, false, 0L, 0L);
        while (reader.TryRead(out var line))
        {
            if (IsBlank(line.Span) && !reader.TooLong)
            {
                blanks++;
                continue;
            }

            if ((blanks > 0 && (tooLong || text.WrittenCount >= wanted)) || text.WrittenCount >= enough)
            {
                if (Finish(text, ref tooLong, $"{name}:{first}", offset, report) is { } document)
                    yield return document;
            }

            if (text.WrittenCount == 0 && !tooLong)
                (first, offset) = (reader.Line, reader.Offset);
            else if (!tooLong)
                text.Write("\n\n"u8[..(blanks > 0 ? 2 : 1)]); // runs of blank lines become one
            blanks = 0;
            tooLong |= reader.TooLong || text.WrittenCount + line.Length > MaxRecordBytes;
            if (!tooLong)
                text.Write(line.Span);
        }

        if ((text.WrittenCount > 0 || tooLong) && Finish(text, ref tooLong, $"{name}:{first}", offset, report) is { } last)
            yield return last;
    }

    private Document? Finish(ArrayBufferWriter<byte> text, ref bool tooLong, string place, long offset, SourceReport report)
    {
        var bytes = text.WrittenSpan;
        Document? document = null;
        if (tooLong)
            Bad($"{place}: the passage is longer than {MaxRecordBytes} bytes (max_record_bytes).", report);
        else if (Utf8Text(bytes, place, offset, report) is { } utf8)
            document = new Document(utf8, place);
        text.ResetWrittenCount();
        tooLong = false;
        return document;
    }

    private IEnumerable<Document> Whole(Stream file, string name, SourceReport report)
    {
        var text = new ArrayBufferWriter<byte>(1 << 16);
        int n;
        while ((n = file.Read(text.GetSpan(1 << 16))) > 0)
        {
            text.Advance(n);
            if (text.WrittenCount > MaxRecordBytes)
            {
                Bad($"{name}: the file is longer than {MaxRecordBytes} bytes; set documents: passage, paragraph or line, or raise max_record_bytes.", report);
                yield break;
            }
        }

        var start = text.WrittenSpan.StartsWith("\uFEFF"u8) ? 3 : 0;
        if (IsBlank(text.WrittenSpan[start..]))
            report.Empty++;
        else if (Utf8Text(text.WrittenSpan[start..], name, start, report) is { } utf8)
            yield return new Document(utf8, name);
    }

    private static bool IsBlank(ReadOnlySpan<byte> line) => line.IndexOfAnyExcept(s_blank) < 0;
}

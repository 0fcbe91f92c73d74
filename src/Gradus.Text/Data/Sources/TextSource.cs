using System.Buffers;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Data.Sources;

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

    protected override IEnumerable<Document> ReadFile(SourceFile file) => Documents switch
    {
        TextUnit.Line => Lines(file),
        TextUnit.Paragraph => Blocks(file, wanted: 1, enough: int.MaxValue),
        TextUnit.Passage => Blocks(file, PassageBytes, 4 * PassageBytes),
        _ => Whole(file),
    };

    /// <summary>For texts that come out of another format.</summary>
    internal IEnumerable<Document> Cut(SourceFile file) => ReadFile(file);

    private IEnumerable<Document> Lines(SourceFile file)
    {
        var reader = new LineReader(file.Bytes, MaxRecordBytes);
        while (reader.TryRead(out var line))
        {
            var place = $"{file.Name}:{reader.Line}";
            if (reader.TooLong)
                file.Bad(place, $"the line is longer than {MaxRecordBytes} bytes (max_record_bytes).", reader.Offset, line.Span);
            else if (IsBlank(line.Span))
                file.Report.Empty++;
            else if (file.Utf8Text(line.Span, place, reader.Offset) is { } text)
                yield return new Document(text, place);
        }
    }

    /// <summary>Runs of lines that end at a blank line, once they have <paramref name="wanted"/> bytes, or at any line, once they have <paramref name="enough"/>.</summary>
    private IEnumerable<Document> Blocks(SourceFile file, int wanted, int enough)
    {
        var reader = new LineReader(file.Bytes, MaxRecordBytes);
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
                if (Finish(file, text, ref tooLong, $"{file.Name}:{first}", offset) is { } document)
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

        if ((text.WrittenCount > 0 || tooLong) && Finish(file, text, ref tooLong, $"{file.Name}:{first}", offset) is { } last)
            yield return last;
    }

    private Document? Finish(SourceFile file, ArrayBufferWriter<byte> text, ref bool tooLong, string place, long offset)
    {
        var bytes = text.WrittenSpan;
        Document? document = null;
        if (tooLong)
            file.Bad(place, $"the passage is longer than {MaxRecordBytes} bytes (max_record_bytes).", offset, bytes);
        else if (file.Utf8Text(bytes, place, offset) is { } utf8)
            document = new Document(utf8, place);
        text.ResetWrittenCount();
        tooLong = false;
        return document;
    }

    private IEnumerable<Document> Whole(SourceFile file)
    {
        if (file.ReadWhole("set documents: passage, paragraph or line, or raise max_record_bytes") is not { } bytes)
            yield break;
        var start = bytes.Span.StartsWith("\uFEFF"u8) ? 3 : 0;
        if (IsBlank(bytes.Span[start..]))
            file.Report.Empty++;
        else if (file.Utf8Text(bytes.Span[start..], file.Name, start) is { } utf8)
            yield return new Document(utf8, file.Name);
    }

    private static bool IsBlank(ReadOnlySpan<byte> line) => line.IndexOfAnyExcept(s_blank) < 0;
}

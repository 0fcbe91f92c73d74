using Gradus.Foundation.Recipes;

namespace Gradus.Text.Data.Sources;

/// <summary>One JSON object a line; one of its fields is the document's text.</summary>
[Component("jsonl")]
public sealed record JsonlSource : RowSource
{
    protected internal override IReadOnlyList<string> FileEndings => [".jsonl", ".ndjson"];

    protected internal override IEnumerable<SourceRow> Rows(SourceFile file)
    {
        var reader = new LineReader(file.Bytes, MaxRecordBytes);
        while (reader.TryRead(out var line))
        {
            var place = $"{file.Name}:{reader.Line}";
            if (reader.TooLong)
            {
                file.Bad(place, $"the row is longer than {MaxRecordBytes} bytes (max_record_bytes).", reader.Offset, line.Span);
                continue;
            }

            if (line.Span.IndexOfAnyExcept(" \t\r"u8) < 0)
                continue;
            if (file.Utf8Text(line.Span, place, reader.Offset) is { } utf8)
                yield return new SourceRow(utf8, place, reader.Offset);
        }
    }
}

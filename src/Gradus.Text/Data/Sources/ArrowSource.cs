using Gradus.Foundation.Recipes;
using Gradus.Text.Data.Sources.Arrow;

namespace Gradus.Text.Data.Sources;

/// <summary>Arrow IPC streams and files: what Hugging Face's datasets keep on disk.</summary>
[Component("arrow")]
public sealed record ArrowSource : RowSource
{
    protected internal override IReadOnlyList<string> FileEndings => [".arrow", ".feather"];

    protected internal override bool Recognises(ReadOnlySpan<byte> head) => ArrowReader.IsStart(head);

    protected internal override IEnumerable<SourceRow> Rows(SourceFile file)
    {
        foreach (var (row, json, why) in new ArrowReader(file.Bytes, file.Name).Rows())
        {
            var place = $"{file.Name}:row {row}";
            if (json is null)
                file.Bad(place, why);
            else if (json.Length > MaxRecordBytes)
                file.Bad(place, $"the row is longer than {MaxRecordBytes} bytes (max_record_bytes).", -1, json);
            else
                yield return new SourceRow(json, place);
        }
    }
}

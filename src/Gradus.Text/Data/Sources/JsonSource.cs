using Gradus.Foundation.Recipes;
using Gradus.Text.Data.Sources.Tables;

namespace Gradus.Text.Data.Sources;

/// <summary>JSON files: a list of objects, an object that holds such a list, or objects one behind the other; streamed, each a row.</summary>
[Component("json")]
public sealed record JsonSource : RowSource
{
    private static readonly string[] s_lists = ["data", "rows", "examples", "records", "items", "documents", "articles", "train", "instances"];

    /// <summary>The member that holds the rows, when the file is one object; null tries <c>data</c>, <c>rows</c>, <c>examples</c>, <c>records</c>, <c>items</c>, <c>documents</c>, <c>articles</c>, <c>train</c>, <c>instances</c>.</summary>
    public string? List { get; init; }

    protected internal override IReadOnlyList<string> FileEndings => [".json"];

    protected internal override IEnumerable<SourceRow> Rows(SourceFile file)
    {
        var row = 0L;
        foreach (var (offset, json, tooLong) in new JsonElements(file.Bytes, file.Name, MaxRecordBytes, List is null ? s_lists : [List]).Values())
        {
            var place = $"{file.Name}:row {++row}";
            if (tooLong)
                file.Bad(place, $"the row is longer than {MaxRecordBytes} bytes (max_record_bytes).", offset, json.Span);
            else if (file.Utf8Text(json.Span, place, offset) is { } utf8)
                yield return new SourceRow(utf8, place, offset);
        }
    }
}

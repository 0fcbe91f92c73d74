using System.Text.Json;
using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;
using Gradus.Text.Data.Sources;

namespace Gradus.Text.Data.Records;

/// <summary>A set of records: where its rows are and what they are. Both are found by looking when they are not said.</summary>
public sealed record RecordOptions : IValidated
{
    /// <summary>A file, a folder or a glob of any format of rows: jsonl, json, csv, tsv, parquet, arrow, CoNLL.</summary>
    public string? Path { get; init; }

    /// <summary>The rows' source when a bare path does not say enough: <c>{ kind: parallel, path: …, target: … }</c>.</summary>
    public SourceOptions? Source { get; init; }

    /// <summary>What the rows are; null looks at the first one.</summary>
    public RecordFormat? Format { get; init; }

    /// <summary>What to do with a row that is no record.</summary>
    public BadRecords BadRecords { get; init; } = BadRecords.Stop;

    /// <summary>Longest row, in bytes.</summary>
    [AtLeast(1)]
    [AtMost(1 << 30)]
    public int MaxRecordBytes { get; init; } = 16 << 20;

    public IEnumerable<(string Key, string Message)> Problems()
    {
        if (Path is null == (Source is null))
            yield return (nameof(Path), "name either a path or a source");
        if (Source is not (null or RowSource))
            yield return (nameof(Source), $"'{Components.KindOf(Source.GetType())}' yields documents, not rows; use jsonl, json, csv, parquet, arrow, huggingface, conll or parallel");
        if (Format is not null)
            foreach (var (field, _) in Format.Columns)
                if (!Format.Fields.Contains(field))
                    yield return ("format.columns", $"'{Components.KindOf(Format.GetType())}' has no field '{field}'{NearestName.Hint(field, Format.Fields)}");
    }

    /// <summary>The source of the rows, found by looking at the path when none is said.</summary>
    public RowSource Rows()
    {
        foreach (var (key, message) in Problems())
            throw new UserException($"{key}: {message}");
        var source = Source ?? SourceOptions.FromPath(Path!);
        return source is RowSource rows ? rows with { BadRecords = BadRecords, MaxRecordBytes = MaxRecordBytes }
            : throw new UserException($"{Path}: holds {Components.KindOf(source.GetType())}, not rows of records; give a jsonl, json, csv, parquet, arrow or conll file.");
    }

    /// <summary>All records, in the order of the rows.</summary>
    /// <exception cref="UserException">A row that is none (unless left out), fields that fit no format, or no record at all.</exception>
    public IEnumerable<DataRecord> Read(SourceReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        var source = Rows();
        RecordFormat? format = Format;
        foreach (var path in source.Files())
        {
            foreach (var record in source.ReadRows<DataRecord>(path, report, (row, file) =>
            {
                if (Parse(row, file) is not { } document)
                    return [];
                using (document)
                {
                    format ??= Detect(document.RootElement, row.Place);
                    return Make(format, document.RootElement, row, file);
                }
            }))
                yield return record;
        }

        if (report.Documents == 0)
            throw new UserException(report.Skipped > 0 ? $"{source.Path}: no records left: {report.Skipped} were skipped; the first: {report.Reasons[0]}" : $"{source.Path}: no records.");
    }

    /// <summary>The format that a row has.</summary>
    /// <exception cref="UserException">None; its fields and what the formats want.</exception>
    public static RecordFormat Detect(JsonElement row, string place) => TryDetect(row, place)
        ?? throw new UserException($"{place}: the fields {Names(row)} fit no format ({string.Join(", ", Components.Of(typeof(RecordFormat)).Select(c => c.Kind))}); say format: {{ kind: …, columns: {{ … }} }}.");

    /// <summary>As <see cref="Detect"/>, or null.</summary>
    public static RecordFormat? TryDetect(JsonElement row, string place) =>
        Components.Of(typeof(RecordFormat)).Select(c => (RecordFormat)Activator.CreateInstance(c.Type)!).OrderBy(f => f.Rank).FirstOrDefault(f => f.FitsRow(row, place));

    private static JsonDocument? Parse(SourceRow row, SourceFile file)
    {
        try
        {
            return StrictJson.Parse(row.Json, row.Place);
        }
        catch (UserException e)
        {
            file.Bad(row.Place, "not valid JSON" + e.Message[row.Place.Length..], row.Offset, row.Json.Span);
            return null;
        }
    }

    private static List<DataRecord> Make(RecordFormat format, JsonElement row, SourceRow source, SourceFile file)
    {
        try
        {
            return format.MakeAll(row, source.Place);
        }
        catch (RecordFault e)
        {
            file.Bad(source.Place, e.Message, source.Offset, source.Json.Span);
            return [];
        }
    }

    private static string Names(JsonElement row) => row.ValueKind == JsonValueKind.Object ? string.Join(", ", row.EnumerateObject().Take(12).Select(p => p.Name)) : $"of {RecordFields.Kind(row)}";
}

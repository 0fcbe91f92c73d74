using System.Text;
using Gradus.Foundation.Recipes;
using Gradus.Text.Data.Compression;
using Gradus.Text.Data.Sources.DuckDb;

namespace Gradus.Text.Data.Sources;

/// <summary>Parquet files through DuckDB's library, which is found on the machine or fetched once. Nested columns become JSON.</summary>
[Component("parquet")]
public sealed record ParquetSource : RowSource
{
    protected internal override IReadOnlyList<string> FileEndings => [".parquet"];

    protected internal override bool Recognises(ReadOnlySpan<byte> head) => head.StartsWith("PAR1"u8);

    protected override bool ReadsPath => true;

    protected internal override IEnumerable<SourceRow> Rows(SourceFile file)
    {
        var path = System.IO.Path.GetFullPath(file.Path!);
        CheckEnds(path, file.Name);
        using var duckdb = new DuckDbSession();
        using var rows = duckdb.Texts("SELECT to_json(t) FROM read_parquet(?) t", Escaped(path)).GetEnumerator();
        for (var row = 1L; ; row++)
        {
            var place = $"{file.Name}:row {row}";
            try
            {
                if (!rows.MoveNext())
                    yield break;
            }
            catch (InvalidDataException e)
            {
                throw new DamagedFileException($"{place}: {e.Message.Replace(path, file.Name, StringComparison.Ordinal)}.", e);
            }

            var json = rows.Current ?? [];
            if (json.Length > MaxRecordBytes)
                file.Bad(place, $"the row is longer than {MaxRecordBytes} bytes (max_record_bytes).", -1, json);
            else if (file.Utf8Text(json, place, 0) is { } utf8)
                yield return new SourceRow(utf8, place);
        }
    }

    /// <summary>A file that was cut has lost its footer, which stands at the end: said before a library looks at it.</summary>
    private static void CheckEnds(string path, string name)
    {
        using var file = CompressedFile.OpenPlain(path);
        Span<byte> mark = stackalloc byte[4];
        if (file.ReadAtLeast(mark, 4, throwOnEndOfStream: false) < 4 || !mark.SequenceEqual("PAR1"u8))
            throw new DamagedFileException(file.Length == 0 ? $"{name}: the file is empty; a Parquet file never is. Fetch it again." : $"{name}: does not start like a Parquet file; it is damaged, packed or misnamed.");
        if (file.Length < 12)
            throw new DamagedFileException($"{name}: the Parquet file is cut off: its footer is missing. Fetch it again.");
        file.Position = file.Length - 4;
        file.ReadExactly(mark);
        if (!mark.SequenceEqual("PAR1"u8))
            throw new DamagedFileException($"{name}: the Parquet file is cut off: its footer, which stands at the end, is missing. Fetch it again.");
    }

    // DuckDB takes the path for a glob.
    private static string Escaped(string path)
    {
        var text = new StringBuilder();
        foreach (var c in path)
            _ = c is '*' or '?' or '[' ? text.Append('[').Append(c).Append(']') : text.Append(c);
        return text.ToString();
    }
}

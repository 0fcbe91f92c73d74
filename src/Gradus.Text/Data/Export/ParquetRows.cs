using Gradus.Foundation.Files;
using Gradus.Text.Data.Sources.DuckDb;

namespace Gradus.Text.Data.Export;

/// <summary>Parquet (zstd) through DuckDB: the rows go to a file beside the result first, which DuckDB then reads with one schema for all.</summary>
internal sealed class ParquetRows : IRowFormat
{
    private const int MaxRow = 64 << 20;

    private readonly string _rows;
    private readonly JsonlRows _jsonl;

    public ParquetRows(string building)
    {
        _rows = Path.GetFullPath(building) + ".rows.jsonl";
        DuckDbLibrary.Load(); // said before the work, not after
        _jsonl = new JsonlRows(new FileStream(_rows, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16));
    }

    public void Add(ReadOnlySpan<byte> json) => _jsonl.Add(json);

    public void Dispose() => _jsonl.Dispose();

    public void Abandon() => File.Delete(_rows);

    public void Complete(string building)
    {
        try
        {
            // No text is a date or a time to Parquet: '%%' is the form of none.
            using var duckdb = new DuckDbSession();
            duckdb.Run(FormattableString.Invariant($"COPY (SELECT * FROM read_json({Quoted(_rows)}, format = 'newline_delimited', sample_size = -1, maximum_object_size = {MaxRow}, dateformat = '%%', timestampformat = '%%')) TO {Quoted(Path.GetFullPath(building))} (FORMAT parquet, COMPRESSION zstd)"));
        }
        catch (InvalidDataException e)
        {
            throw new UserException($"{building[..^".building".Length]}: DuckDB could not write it: {e.Message}.", e);
        }
        finally
        {
            File.Delete(_rows);
        }
    }

    private static string Quoted(string path) => "'" + path.Replace("'", "''", StringComparison.Ordinal) + "'";
}

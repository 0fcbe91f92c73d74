using System.IO.Compression;
using Gradus.Foundation.Files;
using Gradus.Text.Data.Compression;

namespace Gradus.Text.Data.Export;

/// <summary>
/// Writes rows, JSON objects, as a file whose name says how: <c>.jsonl</c>, <c>.csv</c>, <c>.tsv</c> (with <c>.gz</c> or <c>.zst</c> behind)
/// or <c>.parquet</c>. The file appears whole or not at all, and is the same bytes for the same rows.
/// </summary>
public sealed class RowWriter : IDisposable
{
    private readonly string _path, _building;
    private readonly IRowFormat _format;
    private readonly FileStream? _file;
    private readonly ZstdWriteStream? _packed;
    private bool _finished;

    private RowWriter(string path, string building, IRowFormat format, FileStream? file = null, Stream? stream = null) =>
        (_path, _building, _format, _file, _packed) = (path, building, format, file, stream as ZstdWriteStream);

    /// <summary>Rows written.</summary>
    public long Rows { get; private set; }

    /// <summary>Cells of a CSV that began like a formula and were made text.</summary>
    public long EscapedFormulas => _format.Escaped;

    /// <exception cref="UserException">The name's ending says no format that is written.</exception>
    public static RowWriter Create(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var building = path + ".building";
        var plain = CompressedFile.PlainName(path);
        var ending = Path.GetExtension(plain).ToLowerInvariant();
        if (ending is not (".jsonl" or ".ndjson" or ".csv" or ".tsv" or ".parquet") || path.EndsWith(".xz", StringComparison.OrdinalIgnoreCase) || path.EndsWith(".bz2", StringComparison.OrdinalIgnoreCase) || (ending == ".parquet" && plain.Length < path.Length))
            throw new UserException($"{path}: say by the ending what to write: .jsonl, .csv, .tsv (plain, .gz or .zst) or .parquet.");
        if (Directory.Exists(path))
            throw new UserException($"{path}: is a folder; name a file.");
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder)
            Directory.CreateDirectory(folder);
        if (ending == ".parquet")
            return new RowWriter(path, building, new ParquetRows(building));
        var file = new FileStream(building, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16);
        try
        {
            Stream stream = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? new GZipStream(file, CompressionLevel.Optimal)
                : path.EndsWith(".zst", StringComparison.OrdinalIgnoreCase) ? new ZstdWriteStream(file) : file;
            return new RowWriter(path, building, ending is ".csv" or ".tsv" ? new CsvRows(stream, ending == ".tsv" ? '\t' : ',') : new JsonlRows(stream), file, stream);
        }
        catch
        {
            file.Dispose();
            File.Delete(building);
            throw;
        }
    }

    /// <summary>Adds a row: one JSON object in UTF-8.</summary>
    public void Add(ReadOnlySpan<byte> json)
    {
        _format.Add(json);
        Rows++;
    }

    /// <summary>Closes the file and gives it its name.</summary>
    public void Finish()
    {
        _packed?.Finish();
        _format.Dispose();
        _file?.Dispose();
        _format.Complete(_building);
        _finished = true;
        File.Move(_building, _path, overwrite: true);
    }

    public void Dispose()
    {
        if (_finished)
            return;
        _format.Dispose();
        _file?.Dispose();
        _format.Abandon();
        File.Delete(_building);
    }
}

/// <summary>One way to write rows.</summary>
internal interface IRowFormat : IDisposable
{
    long Escaped => 0;

    void Add(ReadOnlySpan<byte> json);

    /// <summary>After <see cref="IDisposable.Dispose"/>: what else was written goes.</summary>
    void Abandon()
    {
    }

    /// <summary>After <see cref="IDisposable.Dispose"/>: makes the file under its building name, when that is not it already.</summary>
    void Complete(string building)
    {
    }
}

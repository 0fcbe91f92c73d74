using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Data;

/// <summary>
/// Where documents come from. A source is one sealed record with <c>[Component]</c> in one file: it says which files are its own
/// and how one opened file falls into documents; finding, decompressing, checking and counting are done here.
/// </summary>
[Socket("sources")]
public abstract record SourceOptions
{
    /// <summary>A file, a folder (searched to the bottom for files of this kind) or a glob (<c>*</c>, <c>?</c>, <c>**</c>). Plain or gzip, xz, zstd.</summary>
    public required string Path { get; init; }

    /// <summary>Puts every document of this source in one split; null lets its content decide.</summary>
    public DataSplit? Split { get; init; }

    /// <summary>What to do with bytes that are not UTF-8.</summary>
    public BadUtf8 BadUtf8 { get; init; } = BadUtf8.Reject;

    /// <summary>What to do with a record that cannot be used.</summary>
    public BadRecords BadRecords { get; init; } = BadRecords.Stop;

    /// <summary>Longest record, in bytes; a longer one is a bad record. Bounds the memory, whatever the input.</summary>
    [AtLeast(1)]
    [AtMost(1 << 30)]
    public int MaxRecordBytes { get; init; } = 16 << 20;

    /// <summary>File-name endings this source takes from a folder, without any compression ending: <c>.txt</c>.</summary>
    protected internal abstract IReadOnlyList<string> FileEndings { get; }

    /// <summary>The documents of one file, in order. Bad records go to <see cref="Bad"/>.</summary>
    /// <param name="file">Its uncompressed bytes.</param>
    /// <param name="name">Its name, for messages.</param>
    /// <param name="report">Counts of what was skipped or changed; documents themselves are counted by the caller.</param>
    protected abstract IEnumerable<Document> ReadFile(Stream file, string name, SourceReport report);

    /// <summary>The files this source reads, in the order it reads them: ordinal by path.</summary>
    public IReadOnlyList<string> Files() => SourceFiles.Find(Path, FileEndings);

    /// <summary>All documents, in an order that depends on nothing but the files.</summary>
    /// <exception cref="UserException">No such file, a damaged file, a bad record (unless skipped), or no record at all.</exception>
    public IEnumerable<Document> Read(SourceReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        long found = 0;
        foreach (var path in Files())
        {
            var before = report.Documents;
            using (var file = CompressedFile.Open(path))
            {
                foreach (var document in ReadFile(file, path, report))
                {
                    report.Documents++;
                    report.Bytes += document.Utf8.Length;
                    yield return document with { Split = Split };
                }
            }

            report.Files++;
            if (report.Documents == before)
                report.EmptyFiles++;
            found += report.Documents - before;
        }

        if (found == 0)
            throw new UserException(report.Skipped > 0 ? $"{Path}: no records left: {report.Skipped} were skipped; the first: {report.Reasons[0]}" : $"{Path}: no records.");
    }

    /// <summary>
    /// The source that suits a path by its file names: what a bare <c>--data FILE</c> means. Text when nothing else claims it;
    /// one text file falls into passages, so that it can be split.
    /// </summary>
    public static SourceOptions FromPath(string path)
    {
        var pieces = Components.Of(typeof(SourceOptions)).Select(c => (SourceOptions)Activator.CreateInstance(c.Type)!);
        var claims = pieces.Where(s => s is not TextSource).FirstOrDefault(s => SourceFiles.TryFind(path, s.FileEndings).Count > 0);
        return claims is not null ? claims with { Path = path } : new TextSource { Path = path, Documents = File.Exists(path) ? TextUnit.Passage : TextUnit.File };
    }

    /// <summary>Stops or skips, as <see cref="BadRecords"/> says.</summary>
    protected void Bad(string reason, SourceReport report)
    {
        if (BadRecords == BadRecords.Stop)
            throw new UserException(reason);
        report.Skip(reason);
    }

    /// <summary>A copy of the bytes as valid UTF-8, or null when they are bad and were skipped.</summary>
    /// <param name="bytes">A record's bytes.</param>
    /// <param name="place"><c>file</c> or <c>file:line</c>.</param>
    /// <param name="offset">Where the record starts in the uncompressed file.</param>
    /// <param name="report">Counts replaced parts.</param>
    protected byte[]? Utf8Text(ReadOnlySpan<byte> bytes, string place, long offset, SourceReport report)
    {
        var first = StrictUtf8.FirstInvalid(bytes);
        if (first < 0)
            return bytes.ToArray();
        if (BadUtf8 == BadUtf8.Replace)
            return StrictUtf8.Replace(bytes, report);
        Bad($"{place}: byte {offset + first} (0x{bytes[first]:X2}) is not valid UTF-8{StrictUtf8.Guess(bytes, offset)}. Convert the file, or set bad_utf8: replace.", report);
        return null;
    }
}

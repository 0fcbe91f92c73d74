using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Data.Sources;

/// <summary>
/// Where documents come from. A source is one sealed record with <c>[Component]</c> in one file: it says which files are its own
/// and how one opened file falls into documents; finding, unpacking, checking and counting are done here.
/// </summary>
[Socket("sources")]
public abstract record SourceOptions
{
    /// <summary>A file, a folder (searched to the bottom for files of this kind) or a glob (<c>*</c>, <c>?</c>, <c>**</c>). Plain or gzip, bzip2, xz, zstd; zip and tar archives by their own path.</summary>
    public required string Path { get; init; }

    /// <summary>What a mixture calls this source; unset: its file's or folder's name without ending.</summary>
    public string? Name { get; init; }

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

    /// <summary>Whether zip and tar archives are opened and their files read. A format that is a zip itself says no.</summary>
    protected virtual bool OpensArchives => true;

    /// <summary>How many archives may lie in each other.</summary>
    protected virtual int ArchiveDepth => 1;

    /// <summary>The file is read by its path, not as a stream; so it may be neither compressed nor in an archive.</summary>
    protected virtual bool ReadsPath => false;

    /// <summary>Whether the first bytes of a file can only be this source's. What no source recognises goes by its name.</summary>
    /// <param name="head">Up to <see cref="SourceGuess.HeadBytes"/> uncompressed bytes.</param>
    protected internal virtual bool Recognises(ReadOnlySpan<byte> head) => false;

    /// <summary>Whether a file is this source's for its ending alone. No, where the ending is also another format's and only a recipe or the bytes can tell.</summary>
    protected internal virtual bool ClaimsByName => true;

    /// <summary>Whether a file's whole name can only be this source's: <c>urlsf_subset01-23_data.xz</c>.</summary>
    protected internal virtual bool RecognisesName(string name) => false;

    /// <summary>Whether a folder is laid out in this source's own way.</summary>
    protected internal virtual bool RecognisesFolder(string path) => false;

    /// <summary>The documents of one file, in order. Bad records go to <see cref="SourceFile.Bad"/>.</summary>
    protected abstract IEnumerable<Document> ReadFile(SourceFile file);

    /// <summary>The files this source reads, in the order it reads them: ordinal by path.</summary>
    public virtual IReadOnlyList<string> Files() => SourceFiles.Find(Path, FileEndings);

    /// <summary>The name of the source in a mixture: <c>wiki</c> of <c>data/wiki.xml.bz2</c> and of <c>data/wiki/*.jsonl</c>.</summary>
    internal string GroupName
    {
        get
        {
            if (Name is { Length: > 0 })
                return Name;
            var parts = Path.Split('/', StringSplitOptions.RemoveEmptyEntries);
            var last = Array.FindLastIndex(parts, p => p.AsSpan().IndexOfAny('*', '?') < 0 && p is not ("." or ".."));
            var name = last < 0 ? Path : parts[last];
            var dot = name.IndexOf('.', 1);
            return dot > 0 ? name[..dot] : name;
        }
    }

    /// <summary>All documents, in an order that depends on nothing but the files.</summary>
    /// <exception cref="UserException">No such file, a damaged file, a bad record (unless left out), or no record at all.</exception>
    public IEnumerable<Document> Read(SourceReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        long found = 0;
        foreach (var path in Files())
        {
            var before = report.Documents;
            foreach (var document in ReadOne(path, report))
                yield return document;
            found += report.Documents - before;
        }

        if (found == 0)
            throw new UserException(report.Skipped > 0 ? $"{Path}: no records left: {report.Skipped} were skipped; the first: {report.Reasons[0]}" : $"{Path}: no records.");
    }

    /// <summary>The documents of one of the <see cref="Files"/>: what is cut into parts that are read apart from each other. None is no error here.</summary>
    public IEnumerable<Document> ReadOne(string path, SourceReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        var before = report.Documents;
        foreach (var document in Opened(path, report, ReadFile))
        {
            report.Documents++;
            report.Bytes += document.Utf8.Length;
            yield return Split is null ? document : document with { Split = Split };
        }

        report.Files++;
        if (report.Documents == before)
            report.EmptyFiles++;
    }

    /// <summary>
    /// The source that suits a path: by the first bytes where they tell, else by names, else text. One text file falls into passages,
    /// so that it can be split. What a bare <c>--data FILE</c> means.
    /// </summary>
    public static SourceOptions FromPath(string path) => SourceGuess.Of(path)[0];

    /// <summary>As <see cref="FromPath"/>, for a folder or glob of several kinds: a source for each kind, the commonest first.</summary>
    public static IReadOnlyList<SourceOptions> AllFromPath(string path) => SourceGuess.Of(path);

    /// <summary>What <paramref name="read"/> makes of a file, or of each fitting file of an archive.</summary>
    private protected IEnumerable<T> Opened<T>(string path, SourceReport report, Func<SourceFile, IEnumerable<T>> read)
    {
        var walk = new SourceWalk(this, path, report, OpensArchives, ArchiveDepth, ReadsPath);
        return walk.Read(read);
    }
}

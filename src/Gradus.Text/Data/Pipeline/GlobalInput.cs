namespace Gradus.Text.Data.Pipeline;

/// <summary>What a global step sees: the sorted index of all partitions, and any document.</summary>
internal sealed class GlobalInput : IDisposable
{
    private const int MaxOpenFiles = 256;

    private readonly IReadOnlyList<string> _parts;
    private readonly DocumentReader[] _readers;
    private readonly long[] _starts;

    public GlobalInput(IReadOnlyList<string> parts, string scratch, int workers, CancellationToken cancel)
    {
        (_parts, Scratch, Workers, Cancel) = (parts, scratch, workers, cancel);
        _readers = [.. parts.Select(p => new DocumentReader(p))];
        _starts = new long[parts.Count + 1];
        for (var p = 0; p < parts.Count; p++)
            _starts[p + 1] = _starts[p] + _readers[p].Documents;
    }

    /// <summary>A folder for files that are needed until the decision is made.</summary>
    public string Scratch { get; }

    public int Workers { get; }

    public CancellationToken Cancel { get; }

    public int Partitions => _parts.Count;

    /// <summary>Documents of all partitions.</summary>
    public long Documents => _starts[^1];

    /// <summary>Documents of one partition.</summary>
    public long DocumentsOf(int partition) => _starts[partition + 1] - _starts[partition];

    /// <summary>A document's number over all partitions.</summary>
    public long Global(uint partition, uint ordinal) => _starts[partition] + ordinal;

    /// <summary>The partition and number of a document.</summary>
    public (uint Partition, uint Ordinal) Local(long global)
    {
        var at = Array.BinarySearch(_starts, global);
        var partition = at >= 0 ? at : ~at - 1;
        while (_starts[partition + 1] == global) // empty partitions share their start with the next
            partition++;
        return ((uint)partition, (uint)(global - _starts[partition]));
    }

    /// <summary>One document. Safe to call from several threads.</summary>
    public Document Read(uint partition, uint ordinal) => _readers[partition].Read(ordinal);

    /// <summary>All documents of a partition, in order.</summary>
    public IEnumerable<Document> ReadAll(int partition) => _readers[partition].Read();

    /// <summary>All entries of all partitions, sorted.</summary>
    public IEnumerable<IndexEntry> Entries()
    {
        var files = _parts.Select(p => Path.Combine(p, PartBuilder.IndexName)).ToList();
        for (var round = 0; files.Count > MaxOpenFiles; round++)
        {
            var fewer = new List<string>();
            foreach (var some in files.Chunk(MaxOpenFiles))
            {
                var path = Path.Combine(Scratch, FormattableString.Invariant($"merge-{round}-{fewer.Count}"));
                EntrySorter.Write(path, EntrySorter.Merge(some));
                fewer.Add(path);
            }

            files = fewer;
        }

        return EntrySorter.Merge(files);
    }

    public void Dispose()
    {
        foreach (var reader in _readers)
            reader.Dispose();
    }
}

using Gradus.Foundation.Files;

namespace Gradus.Text.Data.Pipeline;

/// <summary>What a global step may decide of a document.</summary>
internal enum DecisionKind
{
    /// <summary>It goes.</summary>
    Drop = 0,

    /// <summary>A range of its bytes goes.</summary>
    Cut = 1,

    /// <summary>It stays, in the split of another document.</summary>
    KeepTogether = 2,
}

/// <summary>One decision about one document.</summary>
internal readonly record struct Decision(DecisionKind Kind, int Start, int Length, uint Partition, uint Ordinal)
{
    /// <summary>No other document is named.</summary>
    public const uint Nobody = uint.MaxValue;
}

/// <summary>Takes the decisions of a global step in any order and writes them for each partition, in the order of its documents.</summary>
internal sealed class DecisionWriter(string scratch, int partitions) : IDisposable
{
    private readonly EntrySorter _sorter = new(scratch, "decisions");
    private readonly SortedDictionary<string, long> _notes = new(StringComparer.Ordinal);

    /// <summary>Drops a document, in favour of another (or of <see cref="Decision.Nobody"/>).</summary>
    public void Drop(uint partition, uint ordinal, uint keptPartition, uint keptOrdinal) => Add(DecisionKind.Drop, partition, ordinal, 0, 0, keptPartition, keptOrdinal);

    /// <summary>Cuts bytes out of a document; ranges may overlap.</summary>
    public void Cut(uint partition, uint ordinal, int start, int length, uint keptPartition, uint keptOrdinal) => Add(DecisionKind.Cut, partition, ordinal, start, length, keptPartition, keptOrdinal);

    /// <summary>Puts a document in the split of another.</summary>
    public void KeepTogether(uint partition, uint ordinal, uint firstPartition, uint firstOrdinal) => Add(DecisionKind.KeepTogether, partition, ordinal, 0, 0, firstPartition, firstOrdinal);

    /// <summary>A figure for the report.</summary>
    public void Note(string name, long value) => _notes[name] = value;

    public void Finish(string folder)
    {
        using (var entries = _sorter.Sorted().GetEnumerator())
        {
            var more = entries.MoveNext();
            for (var p = 0; p < partitions; p++)
            {
                using var file = new FileStream(Path.Combine(folder, FileOf(p)), FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16);
                for (; more && (int)(entries.Current.High >> 32) == p; more = entries.MoveNext())
                {
                    var entry = entries.Current;
                    file.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes(new ReadOnlySpan<IndexEntry>(in entry)));
                }
            }
        }

        File.WriteAllText(Path.Combine(folder, "notes.json"), System.Text.Json.JsonSerializer.Serialize(_notes) + "\n");
    }

    public void Dispose() => _sorter.Dispose();

    public static string FileOf(int partition) => FormattableString.Invariant($"part-{partition:D5}");

    public static SortedDictionary<string, long> ReadNotes(string folder)
    {
        var path = Path.Combine(folder, "notes.json");
        return new SortedDictionary<string, long>(StrictJson.Read<Dictionary<string, long>>(File.ReadAllBytes(path), path), StringComparer.Ordinal);
    }

    private void Add(DecisionKind kind, uint partition, uint ordinal, int start, int length, uint otherPartition, uint otherOrdinal) =>
        _sorter.Add(new IndexEntry((ulong)partition << 32 | ordinal, (ulong)kind << 56 | (uint)start, otherPartition, otherOrdinal, (uint)length, 0));
}

/// <summary>Reads a partition's decisions beside its documents.</summary>
internal sealed class DecisionReader(string folder, int partition) : IDisposable
{
    private readonly IEnumerator<IndexEntry> _entries = EntrySorter.ReadFile(Path.Combine(folder, DecisionWriter.FileOf(partition))).GetEnumerator();
    private bool _more, _started;

    /// <summary>The decisions about the next document; ordinals must be asked for in order.</summary>
    public Decision[]? Of(long ordinal)
    {
        if (!_started)
            (_started, _more) = (true, _entries.MoveNext());
        List<Decision>? found = null;
        for (; _more && (uint)_entries.Current.High == ordinal; _more = _entries.MoveNext())
        {
            var e = _entries.Current;
            (found ??= []).Add(new Decision((DecisionKind)(e.Low >> 56), (int)(uint)e.Low, (int)e.A, e.Partition, e.Ordinal));
        }

        return found?.ToArray();
    }

    public void Dispose() => _entries.Dispose();
}

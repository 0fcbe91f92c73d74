using System.Buffers;
using System.Runtime.InteropServices;

namespace Gradus.Text.Data.Pipeline;

/// <summary>Sorts any number of entries in bounded memory: runs of <c>capacity</c> are sorted and put on disk, then merged.</summary>
/// <remarks>Files hold the entries as they lie in memory (little-endian): they are read by the processes that share a working folder.</remarks>
internal sealed class EntrySorter(string folder, string name, int capacity = EntrySorter.DefaultCapacity) : IDisposable
{
    /// <summary>8 MB of entries.</summary>
    public const int DefaultCapacity = 1 << 18;

    /// <summary>Runs merged at once: their read buffers bound the memory.</summary>
    private const int FanIn = 64;

    // Lent: a sorter a part would leave as much for the collector as it holds, part after part.
    private static readonly ArrayPool<IndexEntry> s_pool = ArrayPool<IndexEntry>.Shared;

    private readonly List<string> _runs = [];
    private IndexEntry[] _buffer = s_pool.Rent(Math.Min(capacity, 1 << 10));
    private int _count, _files;

    public long Count { get; private set; }

    public void Add(in IndexEntry entry)
    {
        if (_count == capacity)
            Spill();
        else if (_count == _buffer.Length)
            Grow();

        _buffer[_count++] = entry;
        Count++;
    }

    /// <summary>All entries in order; once.</summary>
    public IEnumerable<IndexEntry> Sorted()
    {
        if (_runs.Count == 0)
        {
            _buffer.AsSpan(0, _count).Sort();
            return _buffer.Take(_count);
        }

        Spill();
        GiveBack();
        return MergeAll();
    }

    /// <summary>Writes all entries in order to a file.</summary>
    public void WriteSorted(string path) => Write(path, Sorted());

    public void Dispose()
    {
        GiveBack();
        foreach (var run in _runs)
            File.Delete(run);
    }

    /// <summary>The entries of several sorted files in one order.</summary>
    public static IEnumerable<IndexEntry> Merge(IReadOnlyList<string> files)
    {
        var heads = new PriorityQueue<IEnumerator<IndexEntry>, (IndexEntry Entry, int File)>();
        var open = new List<IEnumerator<IndexEntry>>();
        try
        {
            for (var i = 0; i < files.Count; i++)
            {
                var file = ReadFile(files[i]).GetEnumerator();
                open.Add(file);
                if (file.MoveNext())
                    heads.Enqueue(file, (file.Current, i));
            }

            while (heads.TryPeek(out var file, out var head))
            {
                yield return head.Entry;
                if (file.MoveNext())
                    heads.DequeueEnqueue(file, (file.Current, head.File));
                else
                    heads.Dequeue();
            }
        }
        finally
        {
            foreach (var file in open)
                file.Dispose();
        }
    }

    /// <summary>The entries of one file.</summary>
    public static IEnumerable<IndexEntry> ReadFile(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 0, FileOptions.SequentialScan);
        if (file.Length % IndexEntry.Bytes != 0)
            throw new Foundation.Files.UserException($"{path}: is damaged: it ends in the middle of an entry. Delete the folder it is in; it is made again.");
        var buffer = new byte[1 << 16];
        while (true)
        {
            var n = file.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
            if (n == 0)
                yield break;
            for (var at = 0; at < n; at += IndexEntry.Bytes)
                yield return MemoryMarshal.Read<IndexEntry>(buffer.AsSpan(at));
        }
    }

    private IEnumerable<IndexEntry> MergeAll()
    {
        // More runs than can be open at once are first merged into fewer.
        while (_runs.Count > FanIn)
        {
            var some = _runs[..FanIn];
            var path = NextFile();
            Write(path, Merge(some));
            _runs.RemoveRange(0, FanIn);
            _runs.Add(path);
            foreach (var run in some)
                File.Delete(run);
        }

        return Merge(_runs);
    }

    private void Grow()
    {
        var larger = s_pool.Rent(Math.Min(capacity, 4 * _count));
        _buffer.AsSpan(0, _count).CopyTo(larger);
        s_pool.Return(_buffer);
        _buffer = larger;
    }

    private void GiveBack()
    {
        if (_buffer.Length > 0)
            s_pool.Return(_buffer);
        _buffer = [];
    }

    private void Spill()
    {
        if (_count == 0)
            return;
        _buffer.AsSpan(0, _count).Sort();
        var path = NextFile();
        using (var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 0))
            file.Write(MemoryMarshal.AsBytes(_buffer.AsSpan(0, _count)));
        _runs.Add(path);
        _count = 0;
    }

    private string NextFile() => Path.Combine(folder, FormattableString.Invariant($"{name}.run-{_files++}"));

    internal static void Write(string path, IEnumerable<IndexEntry> entries)
    {
        using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 0);
        var (buffer, n) = (new IndexEntry[1 << 11], 0);
        foreach (var entry in entries)
        {
            buffer[n++] = entry;
            if (n < buffer.Length)
                continue;
            file.Write(MemoryMarshal.AsBytes<IndexEntry>(buffer));
            n = 0;
        }

        file.Write(MemoryMarshal.AsBytes(buffer.AsSpan(0, n)));
    }
}

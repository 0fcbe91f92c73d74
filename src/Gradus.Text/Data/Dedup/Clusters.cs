using System.IO.MemoryMappedFiles;

namespace Gradus.Text.Data.Dedup;

/// <summary>Union-find over all documents, in a mapped file: the first document of a cluster stands for it. The order of joins does not matter.</summary>
internal sealed unsafe class Clusters : IDisposable
{
    private const long Marked = 1L << 62;

    private readonly MemoryMappedFile? _file;
    private readonly MemoryMappedViewAccessor? _view;
    private readonly long* _parents; // parent + 1, so that a fresh file means "each alone"; 0: itself

    public Clusters(string path, long count)
    {
        if (count == 0)
            return;
        _file = MemoryMappedFile.CreateFromFile(path, FileMode.CreateNew, null, checked(8 * count));
        _view = _file.CreateViewAccessor();
        byte* start = null;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        _parents = (long*)(start + _view.PointerOffset);
    }

    /// <summary>The first document of the cluster that a document is in.</summary>
    public long Find(long document)
    {
        var root = document;
        while ((_parents[root] & ~Marked) is > 0 and var parent)
            root = parent - 1;
        while (document != root)
        {
            var next = (_parents[document] & ~Marked) - 1;
            _parents[document] = root + 1;
            document = next;
        }

        return root;
    }

    /// <summary>Makes one cluster of two.</summary>
    public void Join(long a, long b)
    {
        (a, b) = (Find(a), Find(b));
        if (a != b)
            _parents[Math.Max(a, b)] = Math.Min(a, b) + 1;
    }

    /// <summary>Marks a cluster's first document; true the first time.</summary>
    public bool Mark(long root)
    {
        var fresh = (_parents[root] & Marked) == 0;
        _parents[root] |= Marked;
        return fresh;
    }

    public void Dispose()
    {
        if (_parents != null)
            _view!.SafeMemoryMappedViewHandle.ReleasePointer();
        _view?.Dispose();
        _file?.Dispose();
    }
}

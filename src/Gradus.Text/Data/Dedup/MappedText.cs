using System.IO.MemoryMappedFiles;
using Gradus.Text.Data.Pipeline;

namespace Gradus.Text.Data.Dedup;

/// <summary>The text of all documents, one after the other, in a mapped file; with a bit for each byte that starts a repeated window.</summary>
internal sealed unsafe class MappedText : IDisposable
{
    private readonly MemoryMappedFile[] _files;
    private readonly MemoryMappedViewAccessor[] _views;
    private readonly byte* _text, _marks;
    private readonly long* _starts;
    private readonly int _window;
    private readonly long _length;

    public MappedText(GlobalInput input, int window)
    {
        _window = window;
        Documents = input.Documents;
        var (textPath, startsPath, marksPath) = (Path.Combine(input.Scratch, "text"), Path.Combine(input.Scratch, "starts"), Path.Combine(input.Scratch, "marks"));
        using (var text = new FileStream(textPath, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16))
        using (var starts = new FileStream(startsPath, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16))
        {
            for (var p = 0; p < input.Partitions; p++)
            {
                foreach (var document in input.ReadAll(p))
                {
                    starts.Write(BitConverter.GetBytes(text.Position));
                    text.Write(document.Utf8.Span);
                }
            }

            starts.Write(BitConverter.GetBytes(text.Position));
            _length = text.Position;
            text.Write(new byte[1]); // an empty file cannot be mapped
        }

        _files =
        [
            MemoryMappedFile.CreateFromFile(textPath, FileMode.Open), MemoryMappedFile.CreateFromFile(startsPath, FileMode.Open), MemoryMappedFile.CreateFromFile(marksPath, FileMode.CreateNew, null, _length / 8 + 8),
        ];
        _views = [.. _files.Select(f => f.CreateViewAccessor())];
        var pointers = stackalloc byte*[3];
        for (var i = 0; i < 3; i++)
        {
            byte* at = null;
            _views[i].SafeMemoryMappedViewHandle.AcquirePointer(ref at);
            pointers[i] = at + _views[i].PointerOffset;
        }

        _text = pointers[0];
        _marks = pointers[2];
        _starts = (long*)pointers[1];
    }

    public long Documents { get; }

    public long Start(long document) => _starts[document];

    public long End(long document) => _starts[document + 1];

    public byte[] Copy(long start, long end) => new ReadOnlySpan<byte>(_text + start, checked((int)(end - start))).ToArray();

    /// <summary>The window that starts at a position.</summary>
    public ReadOnlySpan<byte> Window(long position) => new(_text + position, _window);

    public void Mark(long position) => _marks[position >> 3] |= (byte)(1 << (int)(position & 7));

    /// <summary>Whether a whole window of one document starts here; positions must be asked for in order.</summary>
    public IEnumerable<(long Start, long End)> WindowStarts(long from, long to)
    {
        // Binary search for the first document, then on.
        var (low, high) = (0L, Documents);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (End(middle) <= from)
                low = middle + 1;
            else
                high = middle;
        }

        for (var document = low; document < Documents && Start(document) < to; document++)
            if (End(document) - Start(document) >= _window)
                yield return (Start(document), End(document) - _window + 1);
    }

    /// <summary>What the marked windows of a document cover, drawn in to whole characters.</summary>
    public IEnumerable<(int Start, int Length)> MarkedRanges(long document)
    {
        var (start, end) = (Start(document), End(document));
        var (from, until) = (-1L, -1L);
        for (var at = start; at + _window <= end; at++)
        {
            if (!IsMarked(at))
                continue;
            if (from >= 0 && at > until)
            {
                if (Whole(from, until, end) is { Length: > 0 } range)
                    yield return ((int)(range.Start - start), range.Length);
                from = -1;
            }

            from = from < 0 ? at : from;
            until = at + _window;
        }

        if (from >= 0 && Whole(from, until, end) is { Length: > 0 } last)
            yield return ((int)(last.Start - start), last.Length);
    }

    public void Dispose()
    {
        foreach (var view in _views)
        {
            view.SafeMemoryMappedViewHandle.ReleasePointer();
            view.Dispose();
        }

        foreach (var file in _files)
            file.Dispose();
    }

    private bool IsMarked(long position) => (_marks[position >> 3] >> (int)(position & 7) & 1) != 0;

    private (long Start, int Length) Whole(long from, long until, long end)
    {
        while (from < until && (_text[from] & 0xC0) == 0x80)
            from++;
        while (until > from && until < end && (_text[until] & 0xC0) == 0x80)
            until--;
        return (from, (int)(until - from));
    }
}

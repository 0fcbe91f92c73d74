using System.Runtime.InteropServices;

namespace Gradus.Text.Data.Dedup;

/// <summary>Positions of a text in the order of the windows that start there: a file for each piece, merged by comparing windows.</summary>
internal static class SortedPositions
{
    /// <summary>Sorts the suffixes of a piece and writes those that start a whole window.</summary>
    public static string Write(string path, MappedText text, long from, long to)
    {
        var piece = text.Copy(from, to);
        var order = SuffixArray.Of(piece, piece.Length);
        // A bit for each position that starts a window: the others would read over the end of their document.
        var starts = new System.Collections.BitArray(piece.Length);
        foreach (var (start, end) in text.WindowStarts(from, to))
            for (var at = start; at < end; at++)
                starts[(int)(at - from)] = true;
        using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 0);
        var (buffer, n) = (new long[1 << 13], 0);
        foreach (var position in order)
        {
            if (!starts[position])
                continue;
            buffer[n++] = from + position;
            if (n < buffer.Length)
                continue;
            file.Write(MemoryMarshal.AsBytes<long>(buffer));
            n = 0;
        }

        file.Write(MemoryMarshal.AsBytes(buffer.AsSpan(0, n)));
        return path;
    }

    /// <summary>Every position whose window stands at an earlier position too.</summary>
    public static IEnumerable<long> Repeated(IReadOnlyList<string> files, MappedText text, CancellationToken cancel)
    {
        var (first, previous, any, seen) = (0L, 0L, false, 0L);
        foreach (var position in Merge(files, text))
        {
            if ((++seen & 0xFFFF) == 0)
                cancel.ThrowIfCancellationRequested();
            if (!any || !text.Window(previous).SequenceEqual(text.Window(position)))
            {
                (first, any) = (position, true);
            }
            else if (position < first)
            {
                yield return first;
                first = position;
            }
            else
            {
                yield return position;
            }

            previous = position;
        }
    }

    private static IEnumerable<long> Merge(IReadOnlyList<string> files, MappedText text)
    {
        var heads = new PriorityQueue<IEnumerator<long>, long>(Comparer<long>.Create((a, b) => text.Window(a).SequenceCompareTo(text.Window(b)) is not 0 and var order ? order : a.CompareTo(b)));
        var open = new List<IEnumerator<long>>();
        try
        {
            foreach (var path in files)
            {
                var file = Read(path).GetEnumerator();
                open.Add(file);
                if (file.MoveNext())
                    heads.Enqueue(file, file.Current);
            }

            while (heads.TryPeek(out var file, out var position))
            {
                yield return position;
                if (file.MoveNext())
                    heads.DequeueEnqueue(file, file.Current);
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

    private static IEnumerable<long> Read(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 0, FileOptions.SequentialScan);
        var buffer = new byte[1 << 16];
        int n;
        while ((n = file.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false)) > 0)
            for (var at = 0; at < n; at += 8)
                yield return BitConverter.ToInt64(buffer, at);
    }
}

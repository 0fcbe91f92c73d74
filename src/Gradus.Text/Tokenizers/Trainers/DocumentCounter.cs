using System.Runtime.ExceptionServices;

namespace Gradus.Text.Tokenizers.Trainers;

/// <summary>Counts words of documents on several threads; the documents are read once, from one thread at a time.</summary>
internal static class DocumentCounter
{
    private const int BatchBytes = 1 << 20;

    /// <summary>Adds the words of a document. Runs on one thread with the same counts, and with scratch of its own, each time.</summary>
    public delegate void Counter(ReadOnlySpan<byte> document, WordCounts counts);

    /// <summary>The words, the most frequent first, equal ones by their bytes: nothing depends on threads or the order of documents.</summary>
    public static (byte[] Word, long Times)[] Sorted(WordCounts counts)
    {
        var sorted = Enumerable.Range(0, counts.Count).Select(i => (Word: counts.Word(i).ToArray(), Times: counts.Times(i))).ToArray();
        Array.Sort(sorted, (a, b) => a.Times != b.Times ? b.Times.CompareTo(a.Times) : a.Word.AsSpan().SequenceCompareTo(b.Word));
        return sorted;
    }

    /// <summary>The words of all documents, on <paramref name="threads"/> threads (0: all processors): many small documents a turn, or one large one.</summary>
    public static WordCounts Count(IEnumerable<ReadOnlyMemory<byte>> documents, int threads, Counter add)
    {
        using var source = documents.GetEnumerator();
        var gate = new Lock();
        var counts = new WordCounts[threads == 0 ? Environment.ProcessorCount : threads];
        Exception? failure = null;
        Parallel.For(0, counts.Length, new ParallelOptions { MaxDegreeOfParallelism = counts.Length }, t =>
        {
            var own = counts[t] = new WordCounts();
            var batch = new List<ReadOnlyMemory<byte>>();
            while (true)
            {
                batch.Clear();
                lock (gate)
                {
                    try
                    {
                        for (var bytes = 0; bytes < BatchBytes && failure is null && source.MoveNext(); bytes += source.Current.Length + 64)
                            batch.Add(source.Current);
                    }
                    catch (Exception e) when (failure is null)
                    {
                        failure = e; // a bad document: as itself to the caller, not wrapped by the loop
                    }
                }

                if (batch.Count == 0 || failure is not null)
                    return;
                foreach (var document in batch)
                    add(document.Span, own);
            }
        });
        if (failure is not null)
            ExceptionDispatchInfo.Throw(failure);
        var total = counts[0];
        foreach (var other in counts.Skip(1))
            total.Add(other);
        return total;
    }
}

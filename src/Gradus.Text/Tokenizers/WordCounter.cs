namespace Gradus.Text.Tokenizers;

/// <summary>Counts the pieces of documents on several threads: long documents are cut where the splitter says nothing changes.</summary>
internal static class WordCounter
{
    private const int SliceBytes = 1 << 20;

    /// <param name="documents">Read once, from one thread at a time.</param>
    /// <param name="splitter">Cuts them into pieces.</param>
    /// <param name="borders">Special tokens: their text is left out and nothing spans it.</param>
    /// <param name="threads">How many threads; 0 for all processors.</param>
    public static WordCounts Count(IEnumerable<ReadOnlyMemory<byte>> documents, Splitter splitter, AddedTokens borders, int threads)
    {
        using var slices = Slices(documents, splitter, borders).GetEnumerator();
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
                lock (gate) // many small documents a turn, or one slice of a large one
                {
                    try
                    {
                        for (var bytes = 0; bytes < SliceBytes && failure is null && slices.MoveNext(); bytes += slices.Current.Length + 64)
                            batch.Add(slices.Current);
                    }
                    catch (Exception e) when (failure is null)
                    {
                        failure = e; // a bad document: as itself to the caller, not wrapped by the loop
                    }
                }
                if (batch.Count == 0 || failure is not null)
                    return;
                foreach (var slice in batch)
                    own.AddText(slice.Span, splitter);
            }
        });
        if (failure is not null)
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
        var total = counts[0];
        foreach (var other in counts.Skip(1))
            total.Add(other);
        return total;
    }

    private static IEnumerable<ReadOnlyMemory<byte>> Slices(IEnumerable<ReadOnlyMemory<byte>> documents, Splitter splitter, AddedTokens borders)
    {
        foreach (var document in documents)
            foreach (var part in Parts(document, borders))
                for (var at = 0; at < part.Length;)
                {
                    var end = part.Length - at <= SliceBytes ? part.Length : splitter.SafeCut(part.Span, at + SliceBytes);
                    yield return part[at..end];
                    at = end;
                }
    }

    private static IEnumerable<ReadOnlyMemory<byte>> Parts(ReadOnlyMemory<byte> document, AddedTokens borders)
    {
        if (borders.None)
        {
            yield return document;
            yield break;
        }

        var at = 0;
        while (borders.Next(document.Span, at, out var start, out var end, out _))
        {
            yield return document[at..start];
            at = end;
        }

        yield return document[at..];
    }
}

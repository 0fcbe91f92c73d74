using Gradus.Text.Tokenizers;

namespace Gradus.Text.Data;

/// <summary>A document as tokens, without end-of-text.</summary>
internal readonly record struct EncodedDocument(int[] Ids, int TextBytes, DataSplit Split);

/// <summary>Tokenizes on several threads and hands the documents back in the order they came. Memory is bounded by workers × batch.</summary>
internal static class ParallelEncoder
{
    private const int BatchBytes = 1 << 18;

    public static IEnumerable<EncodedDocument[]> Encode(DataOptions options, Tokenizer tokenizer, SourceReport report, int workers)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(workers);
        if (workers == 0)
            workers = Environment.ProcessorCount;
        // The splits are hashed by the workers too, so documents come straight from the sources.
        var pending = new Queue<Task<EncodedDocument[]>>();
        foreach (var batch in Batches(options.Sources.SelectMany(s => s.Read(report))))
        {
            if (pending.Count == workers)
                yield return pending.Dequeue().GetAwaiter().GetResult();
            pending.Enqueue(Task.Run(() => batch.ConvertAll(d => Encode(d, options.Split, tokenizer)).ToArray()));
        }

        while (pending.TryDequeue(out var task))
            yield return task.GetAwaiter().GetResult();
    }

    private static EncodedDocument Encode(Document document, SplitOptions split, Tokenizer tokenizer)
    {
        var ids = new List<int>(document.Utf8.Length / 3 + 8);
        tokenizer.Encode(document.Utf8.Span, ids, addSpecialTokens: false);
        return new EncodedDocument([.. ids], document.Utf8.Length, document.Split ?? split.Of(document.Utf8.Span));
    }

    private static IEnumerable<List<Document>> Batches(IEnumerable<Document> documents)
    {
        var (batch, bytes) = (new List<Document>(), 0);
        foreach (var document in documents)
        {
            batch.Add(document);
            bytes += document.Utf8.Length;
            if (bytes < BatchBytes)
                continue;
            yield return batch;
            (batch, bytes) = ([], 0);
        }

        if (batch.Count > 0)
            yield return batch;
    }
}

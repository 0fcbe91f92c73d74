using Gradus.Text.Tokenizers.Trainers;

namespace Gradus.Text.Tokenizers;

/// <summary>Counts the pieces of documents on several threads: long documents are cut where the splitter says nothing changes.</summary>
internal static class WordCounter
{
    private const int SliceBytes = 1 << 20;

    /// <param name="documents">Read once, from one thread at a time.</param>
    /// <param name="splitter">Cuts them into pieces.</param>
    /// <param name="borders">Special tokens: their text is left out and nothing spans it.</param>
    /// <param name="options">Threads and memory.</param>
    /// <param name="report">Receives what was counted, or null.</param>
    public static WordCounts Count(IEnumerable<ReadOnlyMemory<byte>> documents, Splitter splitter, AddedTokens borders, TokenizerTrainerOptions options, TrainingReport? report) =>
        DocumentCounter.Count(Slices(documents, splitter, borders), options, report, (slice, counts) => counts.AddText(slice, splitter));

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

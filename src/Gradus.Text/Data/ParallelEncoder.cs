using Gradus.Text.Data.Pipeline;
using Gradus.Text.Tokenizers;

namespace Gradus.Text.Data;

/// <summary>A document as tokens, without end-of-text.</summary>
internal readonly record struct EncodedDocument(int[] Ids, int TextBytes, DataSplit Split);

/// <summary>Tokenizes on several threads and hands the documents back in the order they came. Memory is bounded by workers × batch.</summary>
internal static class ParallelEncoder
{
    public static IEnumerable<EncodedDocument[]> Encode(IEnumerable<Document> documents, SplitOptions split, Tokenizer tokenizer, int workers)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(workers);
        // The splits are hashed by the workers too, so documents come without.
        return OrderedMap.Run(OrderedMap.Batches(documents), workers == 0 ? Environment.ProcessorCount : workers, batch => batch.ConvertAll(d => Encode(d, split, tokenizer)).ToArray());
    }

    private static EncodedDocument Encode(Document document, SplitOptions split, Tokenizer tokenizer)
    {
        var ids = new List<int>(document.Utf8.Length / 3 + 8);
        tokenizer.Encode(document.Utf8.Span, ids, addSpecialTokens: false);
        return new EncodedDocument([.. ids], document.Utf8.Length, document.Split ?? split.Of(document.Utf8.Span));
    }
}

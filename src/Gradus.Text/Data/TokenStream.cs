namespace Gradus.Text.Data;

/// <summary>Documents as one long run of token ids, each document ending in the end-of-text token if there is one.</summary>
public abstract class TokenStream : IDisposable
{
    /// <summary>All tokens, end-of-text included.</summary>
    public abstract long Tokens { get; }

    /// <summary>Number of documents.</summary>
    public abstract long Documents { get; }

    /// <summary>UTF-8 bytes of the documents' text: the denominator of bits per byte.</summary>
    public abstract long TextBytes { get; }

    /// <summary>One more than the highest id possible.</summary>
    public abstract int VocabSize { get; }

    /// <summary>The token behind each document, or null.</summary>
    public abstract int? EndOfText { get; }

    /// <summary>Copies tokens from <paramref name="start"/> on, as many as fit.</summary>
    public abstract void CopyTo(long start, Span<int> into);

    /// <summary>Where document <paramref name="index"/> starts; for index = <see cref="Documents"/>, where the last one ends.</summary>
    public abstract long DocumentStart(long index);

    /// <summary>The document that holds a token: a binary search.</summary>
    public long DocumentAt(long position)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(position);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(position, Tokens);
        long low = 0, high = Documents;
        while (high - low > 1)
        {
            var middle = low + (high - low) / 2;
            if (DocumentStart(middle) <= position)
                low = middle;
            else
                high = middle;
        }

        return low;
    }

    /// <summary>All tokens in memory. For streams of up to two thousand million tokens.</summary>
    public int[] ToArray()
    {
        var all = new int[checked((int)Tokens)];
        CopyTo(0, all);
        return all;
    }

    /// <summary>A stream over documents in memory.</summary>
    /// <param name="documents">Token ids without end-of-text.</param>
    /// <param name="vocabSize">One more than the highest id.</param>
    /// <param name="endOfText">Appended to each document, if any.</param>
    /// <param name="textBytes">UTF-8 bytes the tokens stand for, if known.</param>
    public static TokenStream Of(IEnumerable<IReadOnlyList<int>> documents, int vocabSize, int? endOfText = null, long textBytes = 0)
    {
        ArgumentNullException.ThrowIfNull(documents);
        var tokens = new List<int>();
        var starts = new List<long>();
        foreach (var document in documents)
        {
            starts.Add(tokens.Count);
            tokens.AddRange(document);
            if (endOfText is { } end)
                tokens.Add(end);
        }

        starts.Add(tokens.Count);
        return new InMemory([.. tokens], [.. starts], vocabSize, endOfText, textBytes);
    }

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
    }

    private sealed class InMemory(int[] tokens, long[] starts, int vocabSize, int? endOfText, long textBytes) : TokenStream
    {
        public override long Tokens => tokens.Length;
        public override long Documents => starts.Length - 1;
        public override long TextBytes => textBytes;
        public override int VocabSize => vocabSize;
        public override int? EndOfText => endOfText;
        public override void CopyTo(long start, Span<int> into) => tokens.AsSpan(checked((int)start), into.Length).CopyTo(into);
        public override long DocumentStart(long index) => starts[index];
    }
}

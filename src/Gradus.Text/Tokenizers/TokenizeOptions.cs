namespace Gradus.Text.Tokenizers;

/// <summary>How <see cref="Tokenizer.Tokenize(string, string?, TokenizeOptions?)"/> works.</summary>
public sealed record TokenizeOptions
{
    /// <summary>Adds what the post-processor asks for.</summary>
    public bool AddSpecialTokens { get; init; } = true;

    /// <summary>Reads special tokens written out in the text as such, which is what Hugging Face's library does: for trusted text only.</summary>
    public bool ParseSpecialTokens { get; init; }

    /// <summary>Cuts texts; null for no limit. What the tokenizer's file asks for is <see cref="Tokenizer.FileTruncation"/>.</summary>
    public TruncationOptions? Truncation { get; init; }

    /// <summary>Fills texts up; null for none. What the tokenizer's file asks for is <see cref="Tokenizer.FilePadding"/>.</summary>
    public PaddingOptions? Padding { get; init; }

    /// <summary>Threads for batches; 0 for all processors. The result does not depend on it.</summary>
    public int Threads { get; init; }

    /// <summary>Spells at random where the model can (BPE-dropout, subword sampling), differently for each seed; null for the one best spelling.</summary>
    public int? SamplingSeed { get; init; }

    /// <summary>With <see cref="SamplingSeed"/>: the share of merges that BPE leaves out (0: none, 1: all of them); null for what the tokenizer's file says.</summary>
    public double? Dropout { get; init; }

    /// <summary>Bytes of the text, in order, in which no special token is read, whatever <see cref="ParseSpecialTokens"/> says: what users wrote.</summary>
    internal IReadOnlyList<Piece>? Untrusted { get; init; }
}

namespace Gradus.Text.Tokenizers;

/// <summary>Everything a byte-level BPE tokenizer is made of, as plain data.</summary>
internal sealed record BpeModel
{
    public required Vocabulary Vocabulary { get; init; }

    public required MergeTable Merges { get; init; }

    public required Splitter Splitter { get; init; }

    /// <summary>The id of every byte; -1 where the vocabulary lacks it; then the byte is dropped, as Hugging Face does.</summary>
    public required int[] ByteIds { get; init; }

    public IReadOnlyList<AddedToken> Added { get; init; } = [];

    /// <summary>Ids that the post-processor puts before every text.</summary>
    public int[] Before { get; init; } = [];

    /// <summary>Ids that the post-processor puts behind every text.</summary>
    public int[] After { get; init; } = [];

    /// <summary>A text that does not start with a space gets one, so that its first word is spelt like the others.</summary>
    public bool AddPrefixSpace { get; init; }

    /// <summary>Text is brought into Unicode's form NFC first.</summary>
    public bool Nfc { get; init; }

    /// <summary>A piece that is a token as a whole is that token, merges or not (tiktoken; <c>ignore_merges</c> in Hugging Face files).</summary>
    public bool IgnoreMerges { get; init; }

    /// <summary>Pieces by their bytes, when <see cref="IgnoreMerges"/> asks for them.</summary>
    public Dictionary<byte[], int>.AlternateLookup<ReadOnlySpan<byte>>? WholePieces { get; init; }
}

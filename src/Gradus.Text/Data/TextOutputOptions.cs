using Gradus.Foundation.Recipes;

namespace Gradus.Text.Data;

/// <summary>How the files of a text dataset are packed.</summary>
public enum TextCompression
{
    /// <summary>zstd, by the system's libzstd.</summary>
    Zstd,

    /// <summary>Not at all.</summary>
    None,
}

/// <summary>How a text dataset is written: what <c>gradus data prepare</c> makes without a tokenizer.</summary>
public sealed record TextOutputOptions
{
    /// <summary>Text in a shard, in UTF-8 bytes; the last document may go over it.</summary>
    [AtLeast(1)]
    public long ShardBytes { get; init; } = 256L << 20;

    /// <summary>Packing of the shards.</summary>
    public TextCompression Compression { get; init; }
}

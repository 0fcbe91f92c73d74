using Gradus.Text.Tokenizers;

namespace Gradus.Text.Data.Rows;

/// <summary>One row of a batch before it is filled up: tokens, and what is to be said where. It knows no network.</summary>
/// <param name="Ids">Tokens, special ones included.</param>
/// <param name="Targets">As <see cref="TokenBatch.Targets"/>, one a token.</param>
public sealed record EncodedRow(int[] Ids, int[] Targets)
{
    /// <summary>Segments; null: all 0.</summary>
    public int[]? Types { get; init; }

    /// <summary>How much the row's targets count; 1 for all.</summary>
    public float Weight { get; init; } = 1;

    /// <summary>The number to be said, for a regression.</summary>
    public float? Value { get; init; }

    /// <summary>Which record it is of.</summary>
    public int Record { get; init; }

    /// <summary>Where the answers of the row stand: for each word, or for the row as a whole, the token whose state is read; -1 where it was cut off.</summary>
    public int[] Places { get; init; } = [];

    /// <summary>For question answering: the stretch of the context, in UTF-16 units, that each token stands for; null for tokens that are no part of it.</summary>
    public TextSpan?[]? Spans { get; init; }

    /// <summary>Something of the text did not fit.</summary>
    public bool Truncated { get; init; }
}

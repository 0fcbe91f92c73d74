namespace Gradus.Text.Tokenizers;

/// <summary>A side of a text.</summary>
public enum CutSide
{
    /// <summary>The end.</summary>
    Right,

    /// <summary>The beginning.</summary>
    Left,
}

/// <summary>Which text of a pair gives way.</summary>
public enum TruncationStrategy
{
    /// <summary>The longer one first; then both.</summary>
    LongestFirst,

    /// <summary>The first one only.</summary>
    OnlyFirst,

    /// <summary>The second one only.</summary>
    OnlySecond,
}

/// <summary>Cutting texts to a length.</summary>
public sealed record TruncationOptions
{
    /// <summary>Tokens that remain, special ones included.</summary>
    public int MaxLength { get; init; } = 512;

    /// <summary>Tokens that neighbouring parts share.</summary>
    public int Stride { get; init; }

    /// <summary>Which text of a pair gives way.</summary>
    public TruncationStrategy Strategy { get; init; } = TruncationStrategy.LongestFirst;

    /// <summary>The side that is cut off.</summary>
    public CutSide Direction { get; init; } = CutSide.Right;
}

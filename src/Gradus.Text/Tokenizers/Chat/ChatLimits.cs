namespace Gradus.Text.Tokenizers.Chat;

/// <summary>
/// What a chat template may use up. A template is a program from a file that somebody published; these bounds make a hostile or broken
/// one an error within a tenth of a second instead of a hang. They grow with the input, so long conversations pass.
/// </summary>
public sealed record ChatLimits
{
    /// <summary>The bounds in use unless others are given.</summary>
    public static ChatLimits Default { get; } = new();

    /// <summary>Characters of a template's source. The longest published ones have some 60,000.</summary>
    public int SourceLength { get; init; } = 1 << 18;

    /// <summary>Operations of one rendering, besides one for each byte of the input and <see cref="StepsPerMessage"/>.</summary>
    public long Steps { get; init; } = 200_000;

    /// <summary>Operations allowed for each message more.</summary>
    public long StepsPerMessage { get; init; } = 5_000;

    /// <summary>Bytes of strings and lists that one rendering may make, the input's own size times <see cref="MemoryPerInputByte"/> not counted.</summary>
    public long Memory { get; init; } = 24 << 20;

    /// <summary>Bytes allowed for each byte of the input.</summary>
    public long MemoryPerInputByte { get; init; } = 64;

    /// <summary>Items of one <c>range</c>.</summary>
    public int RangeLength { get; init; } = 100_000;

    /// <summary>Macros inside macros.</summary>
    public int CallDepth { get; init; } = 100;

    /// <summary>Brackets inside brackets, blocks inside blocks, lists inside lists.</summary>
    public int Nesting { get; init; } = 100;
}

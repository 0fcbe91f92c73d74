using Gradus.Foundation.Recipes;

namespace Gradus.Inference.Generation;

/// <summary>How the next token is chosen. Defaults are plain sampling; temperature 0 is greedy.</summary>
public sealed record Sampling
{
    /// <summary>How <c>gradus chat</c> draws unless told otherwise.</summary>
    public static Sampling Chat { get; } = new() { Temperature = 0.7, TopP = 0.95, MaxNewTokens = 256 };

    /// <summary>Logits are divided by this; 0 takes the most likely token every time.</summary>
    [AtLeast(0), AtMost(100)]
    public double Temperature { get; init; } = 1;

    /// <summary>Keeps the k most likely tokens; 0 keeps all.</summary>
    [AtLeast(0)]
    public int TopK { get; init; }

    /// <summary>Keeps the smallest set of tokens whose probability reaches p (nucleus sampling, Holtzman et al., 2020); 1 keeps all.</summary>
    [Above(0), AtMost(1)]
    public double TopP { get; init; } = 1;

    /// <summary>Drops tokens less likely than this share of the most likely one (min-p, Nguyen et al., 2024); 0 drops none.</summary>
    [AtLeast(0), AtMost(1)]
    public double MinP { get; init; }

    /// <summary>Divides positive and multiplies negative logits of tokens already in the text (Keskar et al., 2019); 1 changes nothing.</summary>
    [Above(0), AtMost(100)]
    public double RepetitionPenalty { get; init; } = 1;

    /// <summary>Most new tokens.</summary>
    [AtLeast(0)]
    public int MaxNewTokens { get; init; } = 128;

    /// <summary>The text ends before the first of these.</summary>
    public IReadOnlyList<string> Stop { get; init; } = [];

    /// <summary>Goes on after the end-of-text token.</summary>
    public bool IgnoreEos { get; init; }

    /// <summary>Names the random stream; the same seed gives the same text.</summary>
    public ulong Seed { get; init; } = 1;
}

using Gradus.Foundation.Recipes;

namespace Gradus.Text.Data.Mixing;

/// <summary>What a weight is a share of.</summary>
public enum MixUnit
{
    /// <summary>Documents.</summary>
    Documents,

    /// <summary>Bytes of text.</summary>
    Bytes,
}

/// <summary>When a mixture ends.</summary>
public enum MixUntil
{
    /// <summary>Every document was seen at least once; small groups come round again (oversampling).</summary>
    AllSeen,

    /// <summary>The first group has come to its end; of the others a part is left out (undersampling).</summary>
    FirstSeen,
}

/// <summary>In which order documents are trained on.</summary>
public enum MixOrder
{
    /// <summary>Groups take turns; within a group the documents keep their order.</summary>
    Given,

    /// <summary>Groups take turns; within a group the documents are shuffled, anew each time round.</summary>
    Shuffled,

    /// <summary>From easy to difficult.</summary>
    Curriculum,
}

/// <summary>What makes a document difficult.</summary>
public enum Difficulty
{
    /// <summary>Its length in bytes.</summary>
    Length,

    /// <summary>How rare its words are: mean −log2 of their share in the whole corpus.</summary>
    Rarity,

    /// <summary>How badly a Kneser-Ney model of the <c>reference</c> predicts it.</summary>
    Perplexity,
}

/// <summary>
/// How the training documents are mixed and ordered; validation and test stay as they are. Groups take turns so that the shares are right at
/// every moment, not only on average: counted in documents, each group is always less than one from its share.
/// </summary>
public sealed record MixOptions : IValidated
{
    /// <summary>What groups are: <c>source</c> (by the name of the source), or something known of each document: <c>language</c>, <c>label</c> …</summary>
    public string By { get; init; } = "source";

    /// <summary>Shares by group, in any unit; groups that are not named are left out. Unset: by size.</summary>
    public IReadOnlyDictionary<string, double>? Weights { get; init; }

    /// <summary>Without weights: a group of size n gets a share of n^(1/T). 1: as they are; 3.3: small ones raised as mT5 did; large: nearly equal.</summary>
    [AtLeast(1)]
    public double Temperature { get; init; } = 1;

    /// <summary>Without weights: every group gets the same share.</summary>
    public bool Balance { get; init; }

    /// <summary>What shares are counted in.</summary>
    public MixUnit Unit { get; init; }

    /// <summary>When the mixture ends.</summary>
    public MixUntil Until { get; init; }

    /// <summary>How often a document may come at most; a group that has come round so often leaves the mixture. Unset: any number.</summary>
    [AtLeast(1)]
    public int? MaxRepeats { get; init; }

    /// <summary>Ends the mixture after this many documents.</summary>
    [AtLeast(1)]
    public long? Documents { get; init; }

    /// <summary>The order of the documents.</summary>
    public MixOrder Order { get; init; } = MixOrder.Shuffled;

    /// <summary>With <c>order: curriculum</c>: what is difficult.</summary>
    public Difficulty Difficulty { get; init; }

    /// <summary>With <c>difficulty: perplexity</c>: the texts that are easy (a text or .jsonl file).</summary>
    public string? Reference { get; init; }

    /// <summary>What is done to every further copy of a document, so that it is not merely repeated.</summary>
    public IReadOnlyList<Augmentation.TextAugmentation> Augment { get; init; } = [];

    /// <summary>Another seed is another order.</summary>
    [AtLeast(0)]
    public long Seed { get; init; }

    public IEnumerable<(string Key, string Message)> Problems()
    {
        if (By.Length == 0)
            yield return (nameof(By), "is empty; name source, or a key such as language");
        if (Weights is { Count: 0 })
            yield return (nameof(Weights), "names no group");
        foreach (var (name, weight) in Weights ?? new Dictionary<string, double>())
            if (!(weight > 0) || !double.IsFinite(weight))
                yield return (nameof(Weights), FormattableString.Invariant($"'{name}' has weight {weight}; a weight is above 0 (leave a group out by not naming it)"));
        if (Weights is not null && (Balance || Temperature != 1))
            yield return (nameof(Weights), "stand beside temperature or balance; choose one");
        if (Balance && Temperature != 1)
            yield return (nameof(Balance), "stands beside temperature; choose one");
        if (Order == MixOrder.Curriculum && Difficulty == Difficulty.Perplexity && Reference is null)
            yield return (nameof(Reference), "is not set; perplexity is measured by a model of reference texts");
    }
}

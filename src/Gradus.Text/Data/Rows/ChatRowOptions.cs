using Gradus.Foundation.Recipes;

namespace Gradus.Text.Data.Rows;

/// <summary>Which words of a conversation are learned.</summary>
public enum LearnedTurns
{
    /// <summary>All the assistant says.</summary>
    Every,

    /// <summary>What the assistant says last.</summary>
    Last,

    /// <summary>Everything, the template and the user's words too.</summary>
    All,
}

/// <summary>What becomes of conversations that are too long.</summary>
public enum LongRows
{
    /// <summary>They lose their end, and are counted.</summary>
    Cut,

    /// <summary>They are left out, and counted.</summary>
    Drop,

    /// <summary>The run stops and names the first.</summary>
    Stop,
}

/// <summary>What becomes of conversations in which nothing is learned.</summary>
public enum EmptyRows
{
    /// <summary>They are left out, and counted.</summary>
    Drop,

    /// <summary>The run stops and names the first.</summary>
    Stop,
}

/// <summary>The <c>chat</c> section: how conversations, or prompts with their answers, become rows to learn from.</summary>
public sealed record ChatRowOptions
{
    /// <summary>Most tokens a row.</summary>
    [AtLeast(8), AtMost(1 << 20)]
    public int MaxLength { get; init; } = 512;

    /// <summary>Which words are learned.</summary>
    public LearnedTurns Learn { get; init; }

    /// <summary>A chat template file, or a folder with one; unset: the model's own.</summary>
    public string? Template { get; init; }

    /// <summary>Puts several conversations into one row, each a document of its own that attention does not leave; else rows of about one length come together and are filled up.</summary>
    public bool Pack { get; init; } = true;

    /// <summary>Conversations of more than <see cref="MaxLength"/> tokens.</summary>
    public LongRows TooLong { get; init; }

    /// <summary>Conversations in which nothing is learned: the assistant says nothing, or not before the cut.</summary>
    public EmptyRows NothingToLearn { get; init; }

    /// <summary>How rows come together without packing.</summary>
    public RowOptions Rows { get; init; } = new();
}

using System.Text.Json;
using Gradus.Text.Tokenizers.Chat;

namespace Gradus.Text.Data.Records;

/// <summary>One item of a labelled set: a conversation, a preference, a labelled text … What a fine-tuning trains on.</summary>
public abstract record DataRecord
{
    /// <summary><c>file:line</c> or <c>file:row</c>, for messages.</summary>
    public required string Place { get; init; }

    /// <summary>Records with the same text here belong on the same side of a split: what one side learned must not be what the other asks.</summary>
    public virtual string SplitKey => Place;

    /// <summary>The texts of a record, for training a tokenizer.</summary>
    public virtual IReadOnlyList<string> Texts => [];
}

/// <summary>Turns of a conversation; the assistant's are learned.</summary>
public sealed record Conversation : DataRecord
{
    public required IReadOnlyList<ChatMessage> Messages { get; init; }

    /// <summary>Tools the assistant may call, as the template wants them, or null.</summary>
    public JsonElement? Tools { get; init; }

    /// <summary>How much a message counts in the loss: its <c>weight</c>, or 1.</summary>
    public double Weight(int message) => Messages[message].Json.TryGetProperty("weight", out var w) && w.ValueKind == JsonValueKind.Number ? w.GetDouble() : 1;
}

/// <summary>A prompt and what is to follow it, both plain text, without a template.</summary>
public sealed record Completion : DataRecord
{
    public required string Prompt { get; init; }

    public required string Response { get; init; }
}

/// <summary>One prompt, a better and a worse answer (DPO, reward models).</summary>
public sealed record Preference : DataRecord
{
    public required IReadOnlyList<ChatMessage> Prompt { get; init; }

    public required IReadOnlyList<ChatMessage> Chosen { get; init; }

    public required IReadOnlyList<ChatMessage> Rejected { get; init; }
}

/// <summary>One prompt, one answer, and whether it is wanted (KTO).</summary>
public sealed record RatedAnswer : DataRecord
{
    public required IReadOnlyList<ChatMessage> Prompt { get; init; }

    public required IReadOnlyList<ChatMessage> Answer { get; init; }

    public required bool Desirable { get; init; }
}

/// <summary>A text, or a pair of texts, with its class or its number.</summary>
public sealed record LabelledText : DataRecord
{
    public required string Text { get; init; }

    /// <summary>The second text of a pair, or null.</summary>
    public string? Pair { get; init; }

    /// <summary>The class by its name or number as the file has it; for a regression the number, invariant.</summary>
    public required string Label { get; init; }

    public override string SplitKey => Text;

    public override IReadOnlyList<string> Texts => Pair is null ? [Text] : [Text, Pair];
}

/// <summary>Words with a tag each.</summary>
public sealed record TaggedTokens : DataRecord
{
    public required IReadOnlyList<string> Tokens { get; init; }

    public required IReadOnlyList<string> Tags { get; init; }

    public override string SplitKey => string.Join(' ', Tokens);

    public override IReadOnlyList<string> Texts => [SplitKey];
}

/// <summary>An answer inside a context.</summary>
/// <param name="Text">Its words.</param>
/// <param name="Start">Where it begins in the context, in UTF-16 units (files count code points).</param>
public readonly record struct AnswerSpan(string Text, int Start);

/// <summary>A question about a context; no answers means that the context has none.</summary>
public sealed record QuestionAnswer : DataRecord
{
    public required string Id { get; init; }

    public required string Context { get; init; }

    public required string Question { get; init; }

    public required IReadOnlyList<AnswerSpan> Answers { get; init; }

    public override string SplitKey => Context;

    public override IReadOnlyList<string> Texts => [Context, Question];
}

/// <summary>A sentence and its translation, or any text and what it becomes.</summary>
public sealed record ParallelText : DataRecord
{
    public required string Source { get; init; }

    public required string Target { get; init; }

    /// <summary>Language codes where the file says them.</summary>
    public string? SourceLanguage { get; init; }

    public string? TargetLanguage { get; init; }
}

using System.Text.Json;

namespace Gradus.Text.Tokenizers.Chat;

/// <summary>What a conversation is rendered with, besides its messages.</summary>
public sealed record ChatOptions
{
    /// <summary>Nothing besides the messages.</summary>
    public static ChatOptions None { get; } = new();

    /// <summary>The tools the model may call: a JSON list of function schemas.</summary>
    public JsonElement? Tools { get; init; }

    /// <summary>Documents to answer from: a JSON list.</summary>
    public JsonElement? Documents { get; init; }

    /// <summary>Ends with the beginning of an answer, for a model to go on.</summary>
    public bool AddGenerationPrompt { get; init; }

    /// <summary>Ends inside the last message, for a model to go on with it.</summary>
    public bool ContinueFinalMessage { get; init; }

    /// <summary>The template of this name, where the file has several; null for <c>tool_use</c> with tools and <c>default</c> otherwise.</summary>
    public string? TemplateName { get; init; }

    /// <summary>
    /// Names the template reads besides (<c>enable_thinking</c> …), a JSON object. Only names the template does read, and none that
    /// Gradus sets itself, are accepted.
    /// </summary>
    public JsonElement? Arguments { get; init; }

    /// <summary>What <c>strftime_now</c> gives.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>What a rendering may use up.</summary>
    public ChatLimits Limits { get; init; } = ChatLimits.Default;
}

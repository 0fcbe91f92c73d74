namespace Gradus.Text.Tokenizers.Chat;

/// <summary>A stretch of a rendered conversation.</summary>
/// <param name="Start">Its first character.</param>
/// <param name="End">One past its last character.</param>
/// <param name="Message">The message it belongs to, or -1 (a role, a tool's schema, an argument).</param>
public readonly record struct ChatSpan(int Start, int End, int Message);

/// <summary>A rendered conversation that knows which of its parts came from whom.</summary>
/// <param name="Text">The text.</param>
/// <param name="Data">What came from the caller, in order. Everything else was written by the template; only there do special tokens count.</param>
/// <param name="Assistant">What the assistant says, end-of-turn tokens included: what training learns.</param>
/// <param name="AssistantIsMarked">The template marks it itself (<c>{% generation %}</c>).</param>
public sealed record ChatText(string Text, IReadOnlyList<ChatSpan> Data, IReadOnlyList<ChatSpan> Assistant, bool AssistantIsMarked);

/// <summary>A rendered conversation as ids.</summary>
/// <param name="Text">The text and its stretches.</param>
/// <param name="Ids">Its ids.</param>
/// <param name="AssistantMessage">For every id the number of the message, when it is one that the assistant says (its turn's end included); else -1.</param>
public sealed record ChatPrompt(ChatText Text, int[] Ids, int[] AssistantMessage)
{
    /// <summary>For every id whether the assistant says it.</summary>
    public bool[] AssistantMask { get; } = Array.ConvertAll(AssistantMessage, message => message >= 0);
}

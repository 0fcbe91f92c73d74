namespace Gradus.Text.Tokenizers.Chat;

/// <summary>Something a template did or says is wrong. Whoever knows the place turns it into the one line a user sees.</summary>
internal sealed class TemplateFault(string message, int at = -1) : Exception(message)
{
    /// <summary>Where in the source, when known at the throw.</summary>
    public int At { get; } = at;

    /// <summary>The message is the template's own (<c>raise_exception</c>): it speaks of the messages, not of a line.</summary>
    public bool OfTemplate { get; init; }

    public static TemplateFault NotAllowed(string what, int at = -1) => new($"{what} is not allowed in a chat template", at);
}

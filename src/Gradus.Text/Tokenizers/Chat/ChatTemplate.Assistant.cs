using Gradus.Foundation.Files;

namespace Gradus.Text.Tokenizers.Chat;

public sealed partial class ChatTemplate
{
    /// <summary>
    /// What the assistant says in a rendered text. Where the template marks it, those stretches; else every assistant message from where
    /// a model would begin to write it (the end of the generation prompt before it) to the last of its words and on to the control token
    /// that closes the turn. Nothing is searched for in the text: every character knows which message it is of.
    /// </summary>
    private List<ChatSpan> Assistant(Template template, IReadOnlyList<ChatMessage> messages, ChatOptions options, TextValue text)
    {
        var spans = new List<ChatSpan>();
        if (template.HasGeneration)
        {
            foreach (var mark in text.Marks)
                if ((mark.Tag & Mark.Generated) != 0)
                {
                    if (spans.Count > 0 && spans[^1].End == mark.Start)
                        spans[^1] = spans[^1] with { End = mark.End };
                    else
                        spans.Add(new(mark.Start, mark.End, -1));
                }

            return spans;
        }

        for (var i = 0; i < messages.Count; i++)
            if (messages[i].Role == "assistant" && Words(text, i) is { } words)
                spans.Add(new(Begin(template, messages, options, text, i, words.Start), End(template, messages, options, text, i, words.End), i));
        return spans;
    }

    /// <summary>From the first character of a message's words to behind the last.</summary>
    private static (int Start, int End)? Words(TextValue text, int message)
    {
        var (start, end) = (-1, -1);
        foreach (var mark in text.Marks)
            if (mark.MessageIndex == message)
                (start, end) = (start < 0 ? mark.Start : start, mark.End);
        return start < 0 ? null : (start, end);
    }

    private int Begin(Template template, IReadOnlyList<ChatMessage> messages, ChatOptions options, TextValue text, int message, int words)
    {
        foreach (var prompt in new[] { true, false })
            if (Part(template, messages, options, message, prompt) is { } before && before.Length <= words && text.Text.StartsWith(before, StringComparison.Ordinal)
                && !text.Marks.Any(m => m.Start < before.Length && m.MessageIndex >= message))
                return before.Length;
        return words;
    }

    private int End(Template template, IReadOnlyList<ChatMessage> messages, ChatOptions options, TextValue text, int message, int words)
    {
        // The turn ends where the text of the conversation up to here does; what follows belongs to the next.
        var limit = text.Marks.Where(m => m.Start >= words && (m.Tag & Mark.Data) != 0).Select(m => m.Start).DefaultIfEmpty(text.Text.Length).Min();
        if (Part(template, messages, options, message + 1, prompt: false) is { } upTo && text.Text.StartsWith(upTo, StringComparison.Ordinal))
            limit = Math.Min(limit, upTo.Length);
        for (var at = words; at < limit; at++)
            foreach (var token in _control)
                if (string.CompareOrdinal(text.Text, at, token, 0, token.Length) == 0 && at + token.Length <= limit)
                    return at + token.Length;
        return words;
    }

    private string? Part(Template template, IReadOnlyList<ChatMessage> messages, ChatOptions options, int count, bool prompt)
    {
        if (count == 0 && !prompt)
            return null;
        try
        {
            return Text(template, [.. messages.Take(count)], options with { AddGenerationPrompt = prompt, ContinueFinalMessage = false }).Text;
        }
        catch (UserException)
        {
            return null; // no conversation by itself: the words alone decide
        }
    }
}

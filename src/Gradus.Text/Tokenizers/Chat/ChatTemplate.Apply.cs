using System.Text;
using Gradus.Foundation.Files;

namespace Gradus.Text.Tokenizers.Chat;

public sealed partial class ChatTemplate
{
    /// <summary>
    /// A conversation as ids, and which of them the assistant says. Special tokens count where the template wrote them; where a message
    /// spells one out, its characters are encoded. Everything else is encoded as Hugging Face's library encodes the whole text.
    /// </summary>
    /// <exception cref="UserException">As for <see cref="Render"/>.</exception>
    public ChatPrompt Apply(IReadOnlyList<ChatMessage> messages, ChatOptions? options = null)
    {
        if (_tokenizer is null)
            throw new InvalidOperationException("The template was loaded without a tokenizer.");
        var text = Render(messages, options);
        var places = new BytePlaces(text.Text);
        var untrusted = text.Data.Select(span => new Piece(places.Of(span.Start), places.Of(span.End))).ToArray();
        List<DraftToken> tokens;
        try
        {
            // Before post-processing: that trims white space out of offsets, and a mask must not have holes.
            tokens = _tokenizer.Draft(Encoding.UTF8.GetBytes(text.Text), 0, new() { AddSpecialTokens = false, ParseSpecialTokens = true, Untrusted = untrusted }).Tokens;
        }
        catch (NotSupportedException e)
        {
            throw new UserException("this kind of tokenizer gives no offsets, which chats need; save it as tokenizer.json and load that", e);
        }

        var speaker = new int[tokens.Count];
        Array.Fill(speaker, -1);
        foreach (var span in text.Assistant)
        {
            // A stretch that the template marks itself is of the message whose words are in it.
            var message = span.Message >= 0 ? span.Message : text.Data.FirstOrDefault(data => data.Message >= 0 && data.Start < span.End && data.End > span.Start, new(0, 0, LastAssistant(messages))).Message;
            var (start, end) = (places.Of(span.Start), places.Of(span.End));
            for (var i = 0; i < speaker.Length; i++)
                if (tokens[i].Bytes.Start < end && tokens[i].Bytes.End > start)
                    speaker[i] = message;
        }

        return new(text, [.. tokens.Select(t => t.Id)], speaker);
    }

    private static int LastAssistant(IReadOnlyList<ChatMessage> messages)
    {
        var last = messages.Count - 1;
        while (last > 0 && messages[last].Role != "assistant")
            last--;
        return Math.Max(0, last);
    }

    /// <summary>Places in a string as places in its UTF-8; asked from left to right it goes through the text once.</summary>
    private sealed class BytePlaces(string text)
    {
        private int _chars, _bytes;

        public int Of(int place)
        {
            if (place < _chars)
                (_chars, _bytes) = (0, 0);
            _bytes += Encoding.UTF8.GetByteCount(text.AsSpan(_chars, place - _chars));
            _chars = place;
            return _bytes;
        }
    }
}

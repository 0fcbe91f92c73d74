using System.Text;

namespace Gradus.Text.Tokenizers.Chat;

public sealed partial class ChatTemplate
{
    /// <summary>
    /// A conversation as ids, and which of them the assistant says. Special tokens count where the template wrote them; where a message
    /// spells one out, its characters are encoded. Everything else is encoded as Hugging Face's library encodes the whole text.
    /// </summary>
    /// <exception cref="Foundation.Files.UserException">As for <see cref="Render"/>.</exception>
    public ChatPrompt Apply(IReadOnlyList<ChatMessage> messages, ChatOptions? options = null)
    {
        if (_tokenizer is null)
            throw new InvalidOperationException("The template was loaded without a tokenizer.");
        var text = Render(messages, options);
        var places = new BytePlaces(text.Text);
        var untrusted = text.Data.Select(span => new Piece(places.Of(span.Start), places.Of(span.End))).ToArray();
        var encoding = _tokenizer.Tokenize(text.Text, null, new() { AddSpecialTokens = false, ParseSpecialTokens = true, Untrusted = untrusted });
        var mask = new bool[encoding.Ids.Count];
        foreach (var span in text.Assistant)
        {
            var (start, end) = (places.Of(span.Start), places.Of(span.End));
            for (var i = 0; i < mask.Length; i++)
                mask[i] |= encoding.ByteOffsets[i] is var (from, to) && from < end && to > start;
        }

        return new(text, [.. encoding.Ids], mask);
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

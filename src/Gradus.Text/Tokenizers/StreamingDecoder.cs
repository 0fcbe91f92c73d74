namespace Gradus.Text.Tokenizers;

/// <summary>Decodes ids one at a time, holding back the bytes of a character until the character is whole.</summary>
/// <remarks>
/// What the pushes and the final flush return adds up to <see cref="Tokenizer.Decode"/> of all the ids. To continue a prompt, push the
/// prompt's ids first and throw their text away: the first piece of a text may lose a space that a later piece keeps.
/// </remarks>
public sealed class StreamingDecoder(Tokenizer tokenizer, bool skipSpecialTokens = true)
{
    private DecodeStream _stream = tokenizer.NewDecodeStream(skipSpecialTokens);

    /// <summary>The text that <paramref name="id"/> completes; empty when a character is still open.</summary>
    public string Push(int id) => _stream.Push(id);

    /// <summary>Ends the text: U+FFFD if a character was left open, else nothing or what waited for a next token. The decoder then starts anew.</summary>
    public string Flush()
    {
        var rest = _stream.Flush();
        _stream = tokenizer.NewDecodeStream(skipSpecialTokens);
        return rest;
    }
}

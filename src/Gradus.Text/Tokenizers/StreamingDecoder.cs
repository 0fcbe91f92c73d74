using System.Text;

namespace Gradus.Text.Tokenizers;

/// <summary>Decodes ids one at a time, holding back the bytes of a character until the character is whole.</summary>
/// <remarks>
/// What the pushes and the final flush return adds up to <see cref="Tokenizer.Decode"/> of all the ids. To continue a prompt, push the
/// prompt's ids first and throw their text away: the first piece of a text may lose a space that a later piece keeps.
/// </remarks>
public sealed class StreamingDecoder(Tokenizer tokenizer, bool skipSpecialTokens = true)
{
    // The framework's decoder keeps an unfinished sequence between calls and writes U+FFFD only for what can no longer become a character.
    private readonly Decoder _utf8 = Encoding.UTF8.GetDecoder();
    private bool _atStart = tokenizer.StartsWithAddedSpace;

    /// <summary>The text that <paramref name="id"/> completes; empty when a character is still open.</summary>
    public string Push(int id)
    {
        var bytes = tokenizer.TokenBytes(id);
        if (tokenizer.IsSpecial(id))
        {
            if (skipSpecialTokens)
                return "";
        }
        else if (_atStart)
        {
            _atStart = false;
            if (bytes is [(byte)' ', ..])
                bytes = bytes[1..];
        }

        return Convert(bytes, flush: false);
    }

    /// <summary>Ends the text: U+FFFD if a character was left open, else nothing. The decoder then starts anew.</summary>
    public string Flush()
    {
        var rest = Convert([], flush: true);
        _atStart = tokenizer.StartsWithAddedSpace;
        return rest;
    }

    private string Convert(ReadOnlySpan<byte> bytes, bool flush)
    {
        Span<char> chars = bytes.Length <= 250 ? stackalloc char[256] : new char[bytes.Length + 4];
        var count = _utf8.GetChars(bytes, chars, flush);
        return count == 0 ? "" : new string(chars[..count]);
    }
}

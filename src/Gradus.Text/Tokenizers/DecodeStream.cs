using System.Text;
using Gradus.Text.Tokenizers.Decoders;

namespace Gradus.Text.Tokenizers;

/// <summary>Decodes one text id by id. The text of an id may come with a later one, when it is whole.</summary>
internal abstract class DecodeStream
{
    /// <summary>The text that is whole now.</summary>
    public abstract string Push(int id);

    /// <summary>The rest. The stream has ended.</summary>
    public abstract string Flush();
}

/// <summary>Tokens that are bytes: the text is their UTF-8.</summary>
internal sealed class BytesDecodeStream(Tokenizer tokenizer, bool skipSpecialTokens) : DecodeStream
{
    // The framework's decoder keeps an unfinished sequence between calls and writes U+FFFD only for what can no longer become a character.
    private readonly Decoder _utf8 = Encoding.UTF8.GetDecoder();

    private bool _atStart = tokenizer.StartsWithAddedSpace;

    public override string Push(int id)
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

    public override string Flush() => Convert([], flush: true);

    private string Convert(ReadOnlySpan<byte> bytes, bool flush)
    {
        Span<char> chars = bytes.Length <= 250 ? stackalloc char[256] : new char[bytes.Length + 4];
        var count = _utf8.GetChars(bytes, chars, flush);
        return count == 0 ? "" : new string(chars[..count]);
    }
}

/// <summary>Tokens that go through a decoder; without one, a space stands between them.</summary>
internal sealed class PipelineDecodeStream : DecodeStream
{
    private readonly PipelineTokenizer _tokenizer;
    private readonly bool _skipSpecialTokens;
    private readonly TextWork _text;
    private readonly DecoderWork _work;

    public PipelineDecodeStream(PipelineTokenizer tokenizer, TokenDecoder? decoder, bool skipSpecialTokens)
    {
        (_tokenizer, _skipSpecialTokens) = (tokenizer, skipSpecialTokens);
        _text = new TextWork(decoder is null ? " " : "");
        _work = decoder?.NewWork(_text) ?? _text;
    }

    public override string Push(int id)
    {
        _tokenizer.NameOf(id); // an id outside the vocabulary is a caller's fault
        if ((!_skipSpecialTokens || !_tokenizer.IsSpecial(id)) && _tokenizer.DecodedName(id) is { } name)
            _work.Push(name, ends: true);
        return _text.Take();
    }

    public override string Flush()
    {
        _work.Flush();
        return _text.Take();
    }
}

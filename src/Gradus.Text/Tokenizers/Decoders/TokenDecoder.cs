using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers.Decoders;

/// <summary>The decode step: turns the names of tokens back into text, token by token.</summary>
/// <remarks>Decoding a whole text is pushing all its tokens and flushing, so a text that is streamed is the text that is decoded at once.</remarks>
[Socket("token-decoders", InRecipes = false)]
internal abstract record TokenDecoder : PipelinePart
{
    /// <summary>A worker for one text that hands on to <paramref name="next"/>.</summary>
    public abstract DecoderWork NewWork(DecoderWork next);

    /// <summary>What a token that does not start a text stands for, as bytes: as near as can be said of a token alone.</summary>
    public virtual byte[] Bytes(byte[] name) => name;
}

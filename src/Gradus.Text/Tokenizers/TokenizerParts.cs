using Gradus.Text.Tokenizers.Decoders;
using Gradus.Text.Tokenizers.Models;
using Gradus.Text.Tokenizers.Normalizers;
using Gradus.Text.Tokenizers.PostProcessors;
using Gradus.Text.Tokenizers.PreTokenizers;

namespace Gradus.Text.Tokenizers;

/// <summary>Everything that <c>tokenizer.json</c> says, as plain data.</summary>
internal sealed record TokenizerParts
{
    public Normalizer? Normalizer { get; init; }

    public PreTokenizer? PreTokenizer { get; init; }

    public required TokenModel Model { get; init; }

    public PostProcessor? PostProcessor { get; init; }

    public TokenDecoder? Decoder { get; init; }

    public IReadOnlyList<AddedToken> Added { get; init; } = [];

    public TruncationOptions? Truncation { get; init; }

    public PaddingOptions? Padding { get; init; }
}

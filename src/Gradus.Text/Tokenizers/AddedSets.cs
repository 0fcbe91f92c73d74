using System.Text;

namespace Gradus.Text.Tokenizers;

/// <summary>Added tokens as a text meets them: some are looked for in the text as it is, the others, normalised, in the normalised text.</summary>
internal sealed class AddedSets
{
    private readonly Dictionary<int, string> _normalized = [];
    private readonly IReadOnlyList<Piece>? _untrusted;

    public AddedSets(TokenizerParts parts, IEnumerable<AddedToken> tokens)
    {
        var all = tokens.OrderBy(t => t.Id).ToList();
        Raw = new(all.Where(t => !t.Normalized));
        List<(AddedToken, byte[])> patterns = [];
        foreach (var token in all.Where(t => t.Normalized))
        {
            var text = new AlignedText(Encoding.UTF8.GetBytes(token.Content), track: false);
            parts.Normalizer?.Apply(text);
            patterns.Add((token, text.Bytes.ToArray()));
            _normalized[token.Id] = Encoding.UTF8.GetString(text.Bytes);
        }

        Normalized = new(patterns);
    }

    private AddedSets(AddedSets all, IReadOnlyList<Piece> untrusted)
    {
        (_normalized, _untrusted) = (all._normalized, untrusted);
        (Raw, Normalized) = (all.Raw.Refusing(untrusted), all.Normalized);
    }

    public AddedTokens Raw { get; }

    private AddedTokens Normalized { get; }

    /// <summary>Those looked for in a normalised text.</summary>
    public AddedTokens NormalizedIn(AlignedText text) => _untrusted is null ? Normalized : Normalized.Refusing(_untrusted, text);

    /// <summary>The same, without special tokens in these bytes of the original.</summary>
    public AddedSets Refusing(IReadOnlyList<Piece> untrusted) => new(this, untrusted);

    /// <summary>What a token is decoded as: the normalised content where that is what is looked for.</summary>
    public string NormalizedContent(AddedToken token) => _normalized.GetValueOrDefault(token.Id, token.Content);
}

using System.Text;

namespace Gradus.Text.Tokenizers;

/// <summary>Added tokens as a text meets them: some are looked for in the text as it is, the others, normalised, in the normalised text.</summary>
internal sealed class AddedSets
{
    private readonly Dictionary<int, string> _normalized = [];

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

    public AddedTokens Raw { get; }

    public AddedTokens Normalized { get; }

    /// <summary>What a token is decoded as: the normalised content where that is what is looked for.</summary>
    public string NormalizedContent(AddedToken token) => _normalized.GetValueOrDefault(token.Id, token.Content);
}

using System.Globalization;
using System.Text;

namespace Gradus.Text.Tokenizers;

/// <summary>Where a text gets a space that nobody typed, so that its first word is spelt like the others.</summary>
internal enum PiecePrefix
{
    /// <summary>Nowhere.</summary>
    None,

    /// <summary>Before every text, and behind every added token in it (Llama 2).</summary>
    Every,

    /// <summary>The same, unless a space is there.</summary>
    EveryUnlessThere,

    /// <summary>At the very start only, unless a space is there.</summary>
    FirstUnlessThere,
}

/// <summary>Everything a SentencePiece-like BPE tokenizer is made of: pieces of characters with spaces marked, bytes for what no piece spells.</summary>
internal sealed class PieceModel
{
    /// <summary>SentencePiece's mark for a space, U+2581.</summary>
    public const string Mark = "\u2581";

    public PieceModel(IReadOnlyDictionary<string, int> vocab, MergeTable merges, IReadOnlyList<AddedToken> added)
    {
        (Merges, Added) = (merges, added);
        ByteIds = new int[256];
        Array.Fill(ByteIds, -1);
        var addedNames = added.Select(t => t.Content).ToHashSet(StringComparer.Ordinal);
        var tokens = new List<(int, string, byte[])>(vocab.Count + added.Count);
        foreach (var (name, id) in vocab)
        {
            if (addedNames.Contains(name))
                continue;
            if (ByteOf(name) is { } value)
            {
                ByteIds[value] = id;
                tokens.Add((id, name, [value]));
                continue;
            }

            var text = name.Replace(Mark, " ", StringComparison.Ordinal);
            tokens.Add((id, name, Encoding.UTF8.GetBytes(text)));
            if (Rune.TryGetRuneAt(text, 0, out var rune) && rune.Utf16SequenceLength == text.Length)
                CharIds[rune.Value] = id;
        }

        foreach (var token in added)
            tokens.Add((token.Id, token.Content, Encoding.UTF8.GetBytes(token.Content)));
        Vocabulary = new Vocabulary(tokens);
    }

    public Vocabulary Vocabulary { get; }

    public MergeTable Merges { get; }

    public IReadOnlyList<AddedToken> Added { get; }

    /// <summary>The pieces of one character, by code point.</summary>
    public Dictionary<int, int> CharIds { get; } = [];

    /// <summary>The pieces <c>&lt;0x00&gt;</c> to <c>&lt;0xFF&gt;</c>; -1 where one is missing.</summary>
    public int[] ByteIds { get; }

    public PiecePrefix Prefix { get; init; }

    public int[] Before { get; init; } = [];

    public int[] After { get; init; } = [];

    public int? UnknownId { get; init; }

    /// <summary>Several unknown characters in a row become one unknown id.</summary>
    public bool FuseUnknown { get; init; }

    /// <summary>A character that no piece spells becomes the pieces of its bytes.</summary>
    public bool ByteFallback { get; init; }

    private static byte? ByteOf(string name) =>
        name is ['<', '0', 'x', var a, var b, '>'] && byte.TryParse([a, b], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value) ? value : null;
}

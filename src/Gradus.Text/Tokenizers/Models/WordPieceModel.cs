using System.Text;
using System.Text.Json;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers.Models;

/// <summary>BERT's: the longest token that starts the word, then the longest that goes on, and so on; a word that does not come out even is unknown.</summary>
[Component("WordPiece")]
internal sealed record WordPieceModel : TokenModel
{
    private readonly Lazy<(Dictionary<byte[], int> First, Dictionary<byte[], int> Next, int Longest)> _ids;

    public WordPieceModel() => _ids = new(Index);

    private WordPieceModel(WordPieceModel other)
        : base(other)
    {
        (Tokens, UnknownToken, Prefix, MaxCharacters, Hidden) = (other.Tokens, other.UnknownToken, other.Prefix, other.MaxCharacters, other.Hidden);
        _ids = new(Index);
    }

    public Vocabulary Tokens { get; init; } = new([]);

    /// <summary>Tokens that are never found in text.</summary>
    public IReadOnlySet<int> Hidden { get; init; } = new HashSet<int>();

    public string UnknownToken { get; init; } = "[UNK]";

    /// <summary>What the names of tokens start with that do not start a word.</summary>
    public string Prefix { get; init; } = "##";

    /// <summary>A longer word is unknown.</summary>
    public int MaxCharacters { get; init; } = 100;

    public override Vocabulary Vocabulary => Tokens;

    public override int? UnknownId => Vocabulary.Id(UnknownToken);

    public override PipelinePart Read(JsonField field) => new WordPieceModel
    {
        Tokens = VocabularyJson.Named(VocabularyJson.Read(field["vocab"])),
        UnknownToken = field["unk_token"].Text(),
        Prefix = field["continuing_subword_prefix"].Text(),
        MaxCharacters = field["max_input_chars_per_word"].Count(),
    };

    public override void WriteSettings(Utf8JsonWriter json)
    {
        json.WriteString("unk_token", UnknownToken);
        json.WriteString("continuing_subword_prefix", Prefix);
        json.WriteNumber("max_input_chars_per_word", MaxCharacters);
        VocabularyJson.Write(json, Vocabulary);
    }

    public override TokenModel Without(IReadOnlySet<int> tokens) => this with { Hidden = tokens };

    public override TokenModel WithTokens(IEnumerable<(int Id, string Name)> more) => this with { Tokens = Tokens.With(more) };

    public override TokenModelWork NewWork(Random? random) => new Work(_ids.Value.First, _ids.Value.Next, _ids.Value.Longest, MaxCharacters, UnknownId);

    private (Dictionary<byte[], int> First, Dictionary<byte[], int> Next, int Longest) Index()
    {
        var first = ByteKeys.Of(Vocabulary, Hidden);
        var prefix = Encoding.UTF8.GetBytes(Prefix);
        var next = new Dictionary<byte[], int>(BytesComparer.Instance);
        var longest = 0;
        foreach (var (name, id) in first)
        {
            longest = Math.Max(longest, name.Length);
            if (name.AsSpan().StartsWith(prefix))
                next[name[prefix.Length..]] = id;
        }

        return (first, next, longest);
    }

    private sealed class Work(Dictionary<byte[], int> first, Dictionary<byte[], int> next, int longest, int maxCharacters, int? unknown) : TokenModelWork
    {
        private readonly Dictionary<byte[], int>.AlternateLookup<ReadOnlySpan<byte>> _first = first.GetAlternateLookup<ReadOnlySpan<byte>>();
        private readonly Dictionary<byte[], int>.AlternateLookup<ReadOnlySpan<byte>> _next = next.GetAlternateLookup<ReadOnlySpan<byte>>();

        public override void Spell(ReadOnlySpan<byte> piece, List<FoundToken> tokens)
        {
            var before = tokens.Count;
            var even = piece.Length <= maxCharacters || Characters(piece) <= maxCharacters;
            for (var start = 0; even && start < piece.Length;)
            {
                var id = -1;
                var end = Math.Min(piece.Length, start + longest);
                for (; end > start; end--)
                    if ((end == piece.Length || (piece[end] & 0xC0) != 0x80) && (start == 0 ? _first : _next).TryGetValue(piece[start..end], out id))
                        break;
                even = end > start;
                if (even)
                    tokens.Add(new(id, start, end));
                start = end;
            }

            if (even)
                return;
            tokens.RemoveRange(before, tokens.Count - before);
            if (unknown is { } u)
                tokens.Add(new(u, 0, piece.Length));
        }

        private static int Characters(ReadOnlySpan<byte> piece)
        {
            var count = 0;
            foreach (var b in piece)
                count += (b & 0xC0) != 0x80 ? 1 : 0;
            return count;
        }
    }
}

using System.Text.Json;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers.Models;

/// <summary>A piece is a token as a whole, or unknown.</summary>
[Component("WordLevel")]
internal sealed record WordLevelModel : TokenModel
{
    private readonly Lazy<Dictionary<byte[], int>> _ids;

    public WordLevelModel() => _ids = new(() => ByteKeys.Of(Tokens, Hidden));

    private WordLevelModel(WordLevelModel other)
        : base(other)
    {
        (Tokens, UnknownToken, Hidden) = (other.Tokens, other.UnknownToken, other.Hidden);
        _ids = new(() => ByteKeys.Of(Tokens, Hidden));
    }

    public Vocabulary Tokens { get; init; } = new([]);

    /// <summary>Tokens that are never found in text.</summary>
    public IReadOnlySet<int> Hidden { get; init; } = new HashSet<int>();

    public string UnknownToken { get; init; } = "<unk>";

    public override Vocabulary Vocabulary => Tokens;

    public override int? UnknownId => Vocabulary.Id(UnknownToken);

    public override PipelinePart Read(JsonField field) =>
        new WordLevelModel { Tokens = VocabularyJson.Named(VocabularyJson.Read(field["vocab"])), UnknownToken = field["unk_token"].Text() };

    public override void WriteSettings(Utf8JsonWriter json)
    {
        VocabularyJson.Write(json, Vocabulary);
        json.WriteString("unk_token", UnknownToken);
    }

    public override TokenModel Without(IReadOnlySet<int> tokens) => this with { Hidden = tokens };

    public override TokenModel WithTokens(IEnumerable<(int Id, string Name)> more) => this with { Tokens = Tokens.With(more) };

    public override TokenModelWork NewWork(Random? random) => new Work(_ids.Value.GetAlternateLookup<ReadOnlySpan<byte>>(), UnknownId);

    private sealed class Work(Dictionary<byte[], int>.AlternateLookup<ReadOnlySpan<byte>> ids, int? unknown) : TokenModelWork
    {
        public override void Spell(ReadOnlySpan<byte> piece, List<FoundToken> tokens)
        {
            if (ids.TryGetValue(piece, out var id) || (unknown is { } u && (id = u) >= 0))
                tokens.Add(new(id, 0, piece.Length));
        }
    }
}

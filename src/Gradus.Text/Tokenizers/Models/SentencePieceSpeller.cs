using System.Text;
using System.Text.Json;
using Gradus.Foundation.Recipes;
using Gradus.Text.Tokenizers.Formats;

namespace Gradus.Text.Tokenizers.Models;

/// <summary>
/// The models <c>bpe</c>, <c>char</c> and <c>word</c> of a SentencePiece file. BPE has no list of merges there: two neighbours merge when together they
/// are a piece, the piece of the highest score first, the leftmost among equals. Hugging Face's format has no such model: this kind is ours.
/// </summary>
[Component("SentencePiece")]
internal sealed record SentencePieceSpeller : TokenModel
{
    private Vocabulary _vocabulary = new([]);

    public override Vocabulary Vocabulary => _vocabulary;

    public override int? UnknownId => Unknown;

    public override bool WholeText => Kind == SentencePieceKind.Bpe;

    public SentencePieceKind Kind { get; private set; } = SentencePieceKind.Char;

    internal IReadOnlyList<SentencePiece> Pieces { get; private set; } = [];

    internal int Unknown { get; private set; }

    internal int[]? ByteIds { get; private set; }

    /// <summary>Pieces that text may be spelt with, by their bytes. Past the last id: characters that are no pieces but begin merges.</summary>
    internal Dictionary<byte[], int>.AlternateLookup<ReadOnlySpan<byte>> Ids { get; private set; }

    internal MergeTable Merges { get; private set; } = new(0);

    /// <summary>User-defined pieces, which nothing merges with.</summary>
    internal DoubleArray? Symbols { get; private set; }

    /// <summary>Unused pieces serve while merging and are taken apart again.</summary>
    internal bool HasUnused { get; private set; }

    public static SentencePieceSpeller From(SentencePieceModel file) => From(file.Kind, file.Pieces, file.ByteFallback);

    public static SentencePieceSpeller From(SentencePieceKind kind, IReadOnlyList<SentencePiece> pieces, bool byteFallback)
    {
        var ids = new Dictionary<byte[], int>(pieces.Count, BytesComparer.Instance);
        var tokens = new (int, string, byte[])[pieces.Count];
        var bytes = new int[256];
        List<byte[]> symbols = [];
        List<int> symbolIds = [];
        for (var id = 0; id < pieces.Count; id++)
        {
            var utf8 = Encoding.UTF8.GetBytes(pieces[id].Text);
            tokens[id] = (id, pieces[id].Text, utf8);
            if (pieces[id].Type == SentencePieceType.Byte)
                bytes[BytePieces.Read(pieces[id].Text)!.Value] = id;
            if (pieces[id].Type is SentencePieceType.Normal or SentencePieceType.UserDefined or SentencePieceType.Unused)
                ids.Add(utf8, id);
            if (pieces[id].Type == SentencePieceType.UserDefined)
            {
                symbols.Add(utf8);
                symbolIds.Add(id);
            }
        }

        var model = new SentencePieceSpeller
        {
            Kind = kind,
            Pieces = pieces,
            Unknown = pieces.TakeWhile(p => p.Type != SentencePieceType.Unknown).Count(),
            ByteIds = byteFallback ? bytes : null,
            Ids = ids.GetAlternateLookup<ReadOnlySpan<byte>>(),
            Symbols = symbols.Count == 0 ? null : DoubleArray.Build(symbols, symbolIds),
            HasUnused = pieces.Any(p => p.Type == SentencePieceType.Unused),
        };
        model._vocabulary = new Vocabulary(tokens);
        if (kind == SentencePieceKind.Bpe)
            model.AddMerges(ids);
        return model;
    }

    public override PipelinePart Read(JsonField field)
    {
        var pieces = new List<SentencePiece>();
        foreach (var item in field["vocab"].Items())
        {
            var parts = item.Items().ToArray();
            if (parts.Length != 3 || parts[1].Value.ValueKind != JsonValueKind.Number || !parts[1].Value.TryGetSingle(out var score) || !Enum.IsDefined((SentencePieceType)parts[2].Id()))
                throw item.Error("a piece is its text, its score and its type (1 to 6)");
            pieces.Add(new(parts[0].Text(), score, (SentencePieceType)parts[2].Id()));
        }

        var kind = Enum.TryParse<SentencePieceKind>(field["model_type"].Text(), ignoreCase: true, out var known) && Enum.IsDefined(known) && known != SentencePieceKind.Unigram
            ? known : throw field["model_type"].Error("expected bpe, word or char");
        new SentencePieceModel { Pieces = pieces, ByteFallback = field["byte_fallback"].Flag() }.Check($"{field.File}: {field.Path}.vocab");
        return From(kind, pieces, field["byte_fallback"].Flag());
    }

    public override void WriteSettings(Utf8JsonWriter json)
    {
        json.WriteString("model_type", Kind.ToString().ToLowerInvariant());
        json.WriteBoolean("byte_fallback", ByteIds is not null);
        json.WriteStartArray("vocab");
        foreach (var piece in Pieces)
        {
            json.WriteStartArray();
            json.WriteStringValue(piece.Text);
            json.WriteNumberValue(piece.Score);
            json.WriteNumberValue((int)piece.Type);
            json.WriteEndArray();
        }

        json.WriteEndArray();
    }

    public override TokenModelWork NewWork(Random? random) => new SentencePieceSpellerWork(this);

    /// <summary>Every split of a piece into two symbols is a merge; pieces of equal score share a rank.</summary>
    private void AddMerges(Dictionary<byte[], int> ids)
    {
        var more = Pieces.Count;
        foreach (var key in ids.Keys.ToArray())
            for (var at = 0; at < key.Length; at += UnigramUnknowns.Width(key[at]))
                if (!Ids.ContainsKey(key.AsSpan(at, UnigramUnknowns.Width(key[at]))))
                    ids.Add(key.AsSpan(at, UnigramUnknowns.Width(key[at])).ToArray(), more++);
        Merges = new MergeTable(ids.Count * 2);
        var (rank, score) = (-1, float.NaN);
        foreach (var (key, id) in ids.Where(p => p.Value < Pieces.Count).OrderByDescending(p => Pieces[p.Value].Score).ThenBy(p => p.Value))
        {
            if (Pieces[id].Score != score)
                (rank, score) = (rank + 1, Pieces[id].Score);
            for (var cut = UnigramUnknowns.Width(key[0]); cut < key.Length; cut += UnigramUnknowns.Width(key[cut]))
                if (Ids.TryGetValue(key.AsSpan(0, cut), out var left) && Ids.TryGetValue(key.AsSpan(cut), out var right) && !Frozen(left) && !Frozen(right))
                    Merges.Add(left, right, rank, id);
        }
    }

    private bool Frozen(int id) => id < Pieces.Count && Pieces[id].Type == SentencePieceType.UserDefined;
}

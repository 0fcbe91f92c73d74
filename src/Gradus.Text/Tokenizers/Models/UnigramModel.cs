using System.Globalization;
using System.Text;
using System.Text.Json;
using Gradus.Foundation.Recipes;
using Gradus.Text.Tokenizers.Formats;

namespace Gradus.Text.Tokenizers.Models;

/// <summary>
/// Unigram language model (Kudo, 2018): spells a text with the pieces whose scores, log probabilities, add up to most. As the Rust library does
/// it for <c>tokenizer.json</c>, as SentencePiece does it for a <c>.model</c>: they differ in precision, unknowns and special pieces.
/// </summary>
[Component("Unigram")]
internal sealed record UnigramModel : TokenModel
{
    private const double UnknownPenalty = 10;

    private Vocabulary _vocabulary = new([]);
    private bool _byteFallback;
    private int? _unknown;

    public override Vocabulary Vocabulary => _vocabulary;

    public override int? UnknownId => _unknown;

    public override bool UnknownKeepsText => true;

    /// <summary>Every piece by id.</summary>
    public IReadOnlyList<(string Text, double Score)> Pieces { get; private set; } = [];

    /// <summary>What every piece is, where the model is SentencePiece's; null for a model of <c>tokenizer.json</c>.</summary>
    public IReadOnlyList<SentencePieceType>? Types { get; private set; }

    /// <summary>For sampling: how peaked the distribution over spellings is; 0 takes all alike, large values nearly always the best.</summary>
    public double Alpha { get; init; } = 0.1;

    /// <summary>For sampling: draw among so many best spellings; 0 for all there are.</summary>
    public int BestOf { get; init; }

    /// <summary>The pieces in a trie.</summary>
    internal DoubleArray Trie { get; private set; } = DoubleArray.Build([], []);

    /// <summary>The score of each id; user-defined pieces have none of their own.</summary>
    internal double[] Scores { get; private set; } = [];

    internal double UnknownScore { get; private set; }

    /// <summary>The bytes of the longest piece.</summary>
    internal int LongestPiece { get; private set; }

    internal double HighestScore { get; private set; }

    /// <summary>The ids of the 256 byte pieces, or null when unknown text is not spelt in bytes.</summary>
    internal int[]? ByteIds { get; private set; }

    /// <summary>The model of a <c>tokenizer.json</c>.</summary>
    public static UnigramModel From(IReadOnlyList<(string Text, double Score)> pieces, int? unknown, bool byteFallback)
    {
        var model = new UnigramModel();
        model.Fill(pieces, null, unknown, byteFallback);
        return model;
    }

    /// <summary>The model of a SentencePiece file.</summary>
    public static UnigramModel From(SentencePieceModel file)
    {
        var model = new UnigramModel();
        var unknown = file.Pieces.TakeWhile(p => p.Type != SentencePieceType.Unknown).Count();
        model.Fill([.. file.Pieces.Select(p => (p.Text, (double)p.Score))], [.. file.Pieces.Select(p => p.Type)], unknown, file.ByteFallback);
        return model;
    }

    public override PipelinePart Read(JsonField field)
    {
        var pieces = new List<(string, double)>();
        foreach (var item in field["vocab"].Items())
        {
            var parts = item.Items().ToArray();
            if (parts.Length != 2)
                throw item.Error($"a piece is its text and its score, here are {parts.Length} values");
            if (parts[1].Value.ValueKind != JsonValueKind.Number || !parts[1].Value.TryGetDouble(out var score) || !double.IsFinite(score))
                throw parts[1].Error("expected a score (a number)");
            pieces.Add((parts[0].Text(), score));
        }

        int? unknown = field["unk_id"].IsNull ? null : field["unk_id"].Id();
        if (unknown >= pieces.Count)
            throw field["unk_id"].Error($"{unknown} is outside the vocabulary of {pieces.Count} pieces");
        var owners = new Dictionary<string, int>(pieces.Count, StringComparer.Ordinal);
        for (var id = 0; id < pieces.Count; id++)
        {
            var text = pieces[id].Item1;
            if (text.Length == 0 || text.Contains('\0', StringComparison.Ordinal))
                throw field["vocab"].Error($"piece {id} is empty or holds a zero character");
            if (!owners.TryAdd(text, id))
                throw field["vocab"].Error($"pieces {owners[text]} and {id} are both '{text}'");
        }

        var model = new UnigramModel { Alpha = Alpha, BestOf = BestOf };
        model.Fill(pieces, null, unknown, field["byte_fallback"].Flag());
        return model;
    }

    public override void WriteSettings(Utf8JsonWriter json)
    {
        if (_unknown is { } unknown)
            json.WriteNumber("unk_id", unknown);
        else
            json.WriteNull("unk_id");
        json.WriteStartArray("vocab");
        for (var id = 0; id < Pieces.Count; id++)
        {
            json.WriteStartArray();
            json.WriteStringValue(Pieces[id].Text);
            json.WriteNumberValue(Pieces[id].Score);
            json.WriteEndArray();
        }

        json.WriteEndArray();
        json.WriteBoolean("byte_fallback", _byteFallback);
    }

    public override TokenModel Without(IReadOnlySet<int> tokens)
    {
        var model = new UnigramModel { Alpha = Alpha, BestOf = BestOf };
        model.Fill(Pieces, Types, _unknown, _byteFallback, tokens);
        return model;
    }

    public override TokenModelWork NewWork(Random? random) => random is null ? new UnigramWork(this) : new UnigramSampler(this, random);

    /// <summary>The score of piece <paramref name="id"/> where it covers so many bytes.</summary>
    internal double Score(int id, int length) =>
        Types is not null && Types[id] == SentencePieceType.UserDefined ? (float)length * (float)HighestScore - 0.1 : Scores[id];

    private void Fill(
        IReadOnlyList<(string Text, double Score)> pieces, IReadOnlyList<SentencePieceType>? types, int? unknown, bool byteFallback, IReadOnlySet<int>? hidden = null)
    {
        (Pieces, Types, _unknown, _byteFallback) = (pieces, types, unknown, byteFallback);
        var tokens = new (int, string, byte[])[pieces.Count];
        Scores = new double[pieces.Count];
        List<byte[]> keys = [];
        List<int> ids = [];
        var lowest = types is null ? double.PositiveInfinity : float.MaxValue;
        HighestScore = 1.17549435e-38f; // FLT_MIN, where SentencePiece starts; it is what user-defined pieces weigh if all scores are negative
        var bytes = new int[256];
        Array.Fill(bytes, -1);
        for (var id = 0; id < pieces.Count; id++)
        {
            var (text, score) = pieces[id];
            var utf8 = Encoding.UTF8.GetBytes(text);
            tokens[id] = (id, text, utf8);
            if (types is null)
                score = AsRustReads(score);
            Scores[id] = score;
            if (BytePieces.Read(text) is { } value && (types is null || types[id] == SentencePieceType.Byte))
                bytes[value] = id;
            if (types is null || types[id] == SentencePieceType.Normal)
                (lowest, HighestScore) = (Math.Min(lowest, score), Math.Max(HighestScore, score));
            if ((types is null || types[id] is SentencePieceType.Normal or SentencePieceType.UserDefined) && hidden?.Contains(id) != true)
            {
                keys.Add(utf8);
                ids.Add(id);
            }
        }

        _vocabulary = new Vocabulary(tokens);
        Trie = DoubleArray.Build(keys, ids);
        LongestPiece = keys.Count == 0 ? 0 : keys.Max(k => k.Length);
        UnknownScore = types is null ? lowest - UnknownPenalty : (float)((float)lowest - (float)UnknownPenalty);
        ByteIds = byteFallback ? bytes : null;
    }

    /// <summary>
    /// The number that the Rust library makes of a score in <c>tokenizer.json</c>: all digits as one integer, divided by a power of ten. A
    /// quarter of T5's scores come out one unit in the last place off, and that decides which of equally good spellings wins (<c>-------</c>).
    /// </summary>
    private static double AsRustReads(double score)
    {
        var text = Math.Abs(score).ToString("R", CultureInfo.InvariantCulture).AsSpan();
        var mark = text.IndexOf('E');
        var exponent = mark < 0 ? 0 : int.Parse(text[(mark + 1)..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        var digits = mark < 0 ? text : text[..mark];
        var point = digits.IndexOf('.');
        if (point >= 0)
            exponent -= digits.Length - point - 1;
        var significand = 0L;
        foreach (var c in digits)
        {
            if (!char.IsAsciiDigit(c) && c != '.' || significand > long.MaxValue / 10 - 10)
                return score; // not finite, or longer than the shortest spelling of a score can be
            if (c != '.')
                significand = 10 * significand + (c - '0');
        }

        if (Math.Abs(exponent) > 300)
            return score;
        var power = double.Parse($"1e{Math.Abs(exponent)}", CultureInfo.InvariantCulture);
        return Math.CopySign(exponent < 0 ? significand / power : significand * power, score);
    }
}

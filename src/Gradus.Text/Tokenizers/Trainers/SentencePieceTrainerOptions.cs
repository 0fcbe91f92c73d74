using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;
using Gradus.Text.Tokenizers.Formats;
using Gradus.Text.Tokenizers.Normalizers;

namespace Gradus.Text.Tokenizers.Trainers;

/// <summary>
/// What training a SentencePiece model takes, whatever its kind. Ids: <c>&lt;unk&gt;</c>, <c>&lt;s&gt;</c>, <c>&lt;/s&gt;</c>, special tokens, user-defined symbols,
/// bytes, then what was learned. Defaults are those of <c>spm_train</c>.
/// </summary>
/// <remarks>Memory: the distinct words of the corpus with their counts (with <see cref="SplitByWhitespace"/> off: its distinct lines), not the corpus.</remarks>
public abstract record SentencePieceTrainerOptions : TokenizerTrainerOptions
{
    /// <summary>The defaults.</summary>
    protected SentencePieceTrainerOptions() => SpecialTokens = [];

    /// <summary>How text is rewritten first: nmt_nfkc (NFKC, control characters out, odd spaces to spaces), nfkc or identity.</summary>
    public string Normalization { get; init; } = "nmt_nfkc";

    /// <summary>The share of the corpus's characters that get a piece, the most frequent ones; the others are unknown.</summary>
    [AtLeast(0.5)]
    [AtMost(1)]
    public double CharacterCoverage { get; init; } = 0.9995;

    /// <summary>The longest piece, in characters.</summary>
    [AtLeast(1)]
    [AtMost(512)]
    public int MaxPieceLength { get; init; } = 16;

    /// <summary>No piece reaches over a space.</summary>
    public bool SplitByWhitespace { get; init; } = true;

    /// <summary>No piece holds two scripts (kana and Han count as one).</summary>
    public bool SplitByScript { get; init; } = true;

    /// <summary>No piece holds digits and letters.</summary>
    public bool SplitByNumber { get; init; } = true;

    /// <summary>Every digit is a piece of its own.</summary>
    public bool SplitDigits { get; init; }

    /// <summary>Runs of spaces become one; those at the ends go.</summary>
    public bool RemoveExtraSpaces { get; init; } = true;

    /// <summary>Puts a space before every text, so that its first word is spelt like the others.</summary>
    public bool AddDummyPrefix { get; init; } = true;

    /// <summary>Adds the 256 bytes, which spell what is unknown otherwise.</summary>
    public bool ByteFallback { get; init; }

    /// <summary>Pieces that are always taken from the text as a whole.</summary>
    public IReadOnlyList<string> UserDefined { get; init; } = [];

    /// <inheritdoc/>
    public sealed override Tokenizer Train(IEnumerable<ReadOnlyMemory<byte>> documents, TrainingReport? report = null)
    {
        ArgumentNullException.ThrowIfNull(documents);
        var meta = MetaPieces();
        var map = NormalizationRules.Find(Normalization);
        var normalizer = new SentencePieceNormalizer { Map = map, UserDefined = UserDefined, RemoveExtraWhitespaces = RemoveExtraSpaces, AddDummyPrefix = AddDummyPrefix };
        var corpus = PieceCorpus.Read(documents, normalizer, this, report);
        var room = VocabSize - meta.Count;
        if (Kind is SentencePieceKind.Unigram or SentencePieceKind.Bpe && room < corpus.Alphabet.Count)
            throw new UserException($"vocab_size: {VocabSize} is too few; {meta.Count} special pieces and {corpus.Alphabet.Count} characters make {meta.Count + corpus.Alphabet.Count}, or lower character_coverage");
        var names = meta.Select(p => p.Text).ToHashSet(StringComparer.Ordinal);
        List<SentencePiece> pieces = [.. meta, .. Learn(corpus, room).Where(p => !names.Contains(p.Text))]; // ordinary text may not become a special piece
        var training = new ProtoWriter();
        training.Int32(4, pieces.Count);
        training.Single(10, (float)CharacterCoverage);
        training.Int32(20, MaxPieceLength);
        foreach (var (field, id) in new[] { (40, 0), (41, 1), (42, 2), (43, -1) })
            training.Int32(field, id);
        var model = new SentencePieceModel
        {
            Pieces = pieces,
            Kind = Kind,
            ByteFallback = ByteFallback,
            Normalization = new() { Name = Normalization, CharsMap = map?.Blob ?? [], RemoveExtraWhitespaces = RemoveExtraSpaces, AddDummyPrefix = AddDummyPrefix },
            OtherTraining = training.Written.ToArray(),
        };
        return new SentencePieceTokenizer(model, map, [], []);
    }

    internal abstract SentencePieceKind Kind { get; }

    /// <summary>At most so many pieces, in the order of their ids.</summary>
    internal abstract IEnumerable<SentencePiece> Learn(PieceCorpus corpus, int room);

    private List<SentencePiece> MetaPieces()
    {
        List<SentencePiece> pieces = [new("<unk>", 0, SentencePieceType.Unknown), new("<s>", 0, SentencePieceType.Control), new("</s>", 0, SentencePieceType.Control)];
        pieces.AddRange(SpecialTokens.Select(t => new SentencePiece(t, 0, SentencePieceType.Control)));
        pieces.AddRange(UserDefined.Select(t => new SentencePiece(t, 0, SentencePieceType.UserDefined)));
        if (ByteFallback)
            pieces.AddRange(Enumerable.Range(0, 256).Select(b => new SentencePiece(BytePieces.Name((byte)b), 0, SentencePieceType.Byte)));
        if (pieces.Exists(p => p.Text.Length == 0 || p.Text.Contains('\0', StringComparison.Ordinal)))
            throw new UserException("special_tokens, user_defined: a token is empty or holds a zero character");
        if (pieces.GroupBy(p => p.Text, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new UserException($"special_tokens, user_defined: '{twice.Key}' is there twice");
        return VocabSize > pieces.Count ? pieces
            : throw new UserException($"vocab_size: {VocabSize} is too few; there are {pieces.Count} special pieces");
    }
}

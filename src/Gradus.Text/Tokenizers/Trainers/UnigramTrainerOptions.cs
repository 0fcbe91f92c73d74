using Gradus.Foundation.Recipes;
using Gradus.Text.Tokenizers.Formats;

namespace Gradus.Text.Tokenizers.Trainers;

/// <summary>
/// Unigram language model (Kudo, 2018): starts from the frequent substrings of the corpus, fits their probabilities by EM, and takes away the
/// quarter whose loss costs least likelihood, until the vocabulary is small enough. Encodes as SentencePiece does.
/// </summary>
[Component("unigram")]
public sealed record UnigramTrainerOptions : SentencePieceTrainerOptions
{
    /// <summary>Substrings to start from.</summary>
    [AtLeast(256)]
    [AtMost(1 << 26)]
    public int SeedSize { get; init; } = 1_000_000;

    /// <summary>The share of pieces that a round keeps.</summary>
    [AtLeast(0.5)]
    [AtMost(0.95)]
    public double Shrink { get; init; } = 0.75;

    /// <summary>EM steps between two rounds of taking away.</summary>
    [AtLeast(1)]
    [AtMost(10)]
    public int SubIterations { get; init; } = 2;

    internal override SentencePieceKind Kind => SentencePieceKind.Unigram;

    internal override IEnumerable<SentencePiece> Learn(PieceCorpus corpus, int room)
    {
        var seeds = SubstringSeeds.Find(corpus, new PieceRules(this), MaxPieceLength, Math.Max(SeedSize, corpus.Alphabet.Count));
        var sum = Math.Log(seeds.Sum(s => s.Weight));
        var em = new UnigramEm(corpus, [.. seeds.Select(s => s.Piece)], [.. seeds.Select(s => Math.Log(s.Weight) - sum)], Threads);
        var wanted = (int)(VocabSize * 1.1); // a reserve: characters are put back at the end
        while (true)
        {
            for (var i = 0; i < SubIterations; i++)
                em.Step(sparse: true);
            if (em.Count <= wanted)
                break;
            em.Prune(Math.Max(wanted, (int)(Shrink * em.Count)));
        }

        return Finish(corpus, em, room);
    }

    /// <summary>Every character gets a piece; what room is left goes to the likeliest pieces.</summary>
    private static IEnumerable<SentencePiece> Finish(PieceCorpus corpus, UnigramEm em, int room)
    {
        const double Apart = 0.0001; // characters that EM dropped score below all others, the frequent ones a little better
        var learned = em.Pieces().ToDictionary(p => p.Text, p => p.Score, StringComparer.Ordinal);
        var chosen = new Dictionary<string, double>(StringComparer.Ordinal);
        var lowest = learned.Count == 0 ? 0 : learned.Values.Min();
        foreach (var (c, _) in corpus.Alphabet)
        {
            var text = char.ConvertFromUtf32(c);
            if (!learned.TryGetValue(text, out var score))
                (score, lowest) = (lowest, lowest + Apart);
            chosen.Add(text, score);
        }

        foreach (var (text, score) in learned.OrderByDescending(p => p.Value).ThenBy(p => p.Key, StringComparer.Ordinal))
        {
            if (chosen.Count >= room)
                break;
            chosen.TryAdd(text, score);
        }

        return chosen.OrderByDescending(p => p.Value).ThenBy(p => p.Key, StringComparer.Ordinal).Select(p => new SentencePiece(p.Key, (float)p.Value));
    }
}

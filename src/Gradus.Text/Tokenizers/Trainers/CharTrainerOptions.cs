using Gradus.Foundation.Recipes;
using Gradus.Text.Tokenizers.Formats;

namespace Gradus.Text.Tokenizers.Trainers;

/// <summary>
/// Character level: every character of the corpus is a piece, as many as fit, the most frequent first; others are spelt in bytes. Text comes back
/// as it was, but for ▁, which is how spaces are written.
/// </summary>
[Component("char")]
public sealed record CharTrainerOptions : SentencePieceTrainerOptions
{
    /// <summary>The defaults: text is not rewritten, all characters are covered, bytes are there.</summary>
    public CharTrainerOptions()
    {
        (Normalization, RemoveExtraSpaces, AddDummyPrefix) = ("identity", false, false);
        (CharacterCoverage, ByteFallback) = (1, true);
    }

    internal override SentencePieceKind Kind => SentencePieceKind.Char;

    internal override IEnumerable<SentencePiece> Learn(PieceCorpus corpus, int room)
    {
        var sum = Math.Log(corpus.Alphabet.Sum(c => (double)c.Times));
        return corpus.Alphabet.Take(room).Select(c => new SentencePiece(char.ConvertFromUtf32(c.Char), (float)(Math.Log(c.Times) - sum)));
    }
}

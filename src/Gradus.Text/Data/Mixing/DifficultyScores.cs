using System.Text;
using Gradus.Foundation.Kernels;
using Gradus.Text.Data.Analysis;

namespace Gradus.Text.Data.Mixing;

/// <summary>How difficult documents are. Rarity counts words in a table of fixed size first; the other measures look at one document.</summary>
internal sealed class DifficultyScores(MixOptions options)
{
    private const int Bits = 20; // 8 MB, whatever the corpus; two words in one place are counted as one

    private readonly long[]? _counts = options is { Order: MixOrder.Curriculum, Difficulty: Difficulty.Rarity } ? new long[1 << Bits] : null;
    private readonly ReferenceModel? _model = options is { Order: MixOrder.Curriculum, Difficulty: Difficulty.Perplexity } ? ReferenceModel.Of(options.Reference!, ReferenceUnit.Byte, order: 5) : null;
    private long _words;

    /// <summary>Whether all documents must be counted before one is scored.</summary>
    public bool NeedsCounts => _counts is not null;

    /// <summary>Counts a document's words.</summary>
    public void Count(ReadOnlySpan<byte> utf8)
    {
        foreach (var word in Words.Of(Encoding.UTF8.GetString(utf8)))
        {
            _counts![Slot(word)]++;
            _words++;
        }
    }

    /// <summary>Higher is more difficult.</summary>
    public double Of(ReadOnlySpan<byte> utf8)
    {
        if (options.Order != MixOrder.Curriculum)
            return 0;
        if (_model is not null)
            return _model.BitsPerUnit(utf8);
        if (_counts is null)
            return utf8.Length;
        var (bits, n) = (0.0, 0);
        foreach (var word in Words.Of(Encoding.UTF8.GetString(utf8)))
        {
            bits -= Math.Log2(_counts[Slot(word)] / (double)_words);
            n++;
        }

        return n == 0 ? 0 : bits / n;
    }

    private static int Slot(string word) => (int)(Hash64.Of(Encoding.UTF8.GetBytes(word)) >> (64 - Bits));
}

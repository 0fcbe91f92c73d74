using System.Globalization;
using Gradus.Foundation.Kernels;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Data.Steps;

/// <summary>The quality rules of MassiveText (Rae et al., 2021, "Scaling language models: Gopher", table A1), with their thresholds.</summary>
/// <remarks>Words stand between white space, without the punctuation around them; made for English, see the stop words.</remarks>
[Component("gopher-quality")]
public sealed record GopherQuality : LocalStep, IValidated
{
    /// <summary>Fewest words.</summary>
    [AtLeast(0)]
    public int MinWords { get; init; } = 50;

    /// <summary>Most words.</summary>
    [AtLeast(1)]
    public int MaxWords { get; init; } = 100_000;

    /// <summary>Least mean length of a word, in characters.</summary>
    [AtLeast(0)]
    public double MinMeanWordLength { get; init; } = 3;

    /// <summary>Greatest mean length of a word, in characters.</summary>
    [AtLeast(0)]
    public double MaxMeanWordLength { get; init; } = 10;

    /// <summary>Most # signs, and most ellipses, for each word.</summary>
    [AtLeast(0)]
    public double MaxSymbolsPerWord { get; init; } = 0.1;

    /// <summary>Greatest share of lines that start with a bullet.</summary>
    [AtLeast(0)]
    [AtMost(1)]
    public double MaxBulletLines { get; init; } = 0.9;

    /// <summary>Greatest share of lines that end in an ellipsis.</summary>
    [AtLeast(0)]
    [AtMost(1)]
    public double MaxEllipsisLines { get; init; } = 0.3;

    /// <summary>Least share of words with a letter in them.</summary>
    [AtLeast(0)]
    [AtMost(1)]
    public double MinWordsWithLetter { get; init; } = 0.8;

    /// <summary>How many of the stop words must occur.</summary>
    [AtLeast(0)]
    public int MinStopWords { get; init; } = 2;

    /// <summary>Words that running text cannot do without, lower case.</summary>
    public IReadOnlyList<string> StopWords { get; init; } = ["the", "be", "to", "of", "and", "that", "have", "with"];

    public override IDocumentStep Build() => new Step(this);

    public IEnumerable<(string Key, string Message)> Problems()
    {
        if (MinStopWords > StopWords.Count)
            yield return (nameof(MinStopWords), $"there are only {StopWords.Count} stop words");
        if (MaxWords < MinWords)
            yield return (nameof(MaxWords), "is less than min_words");
    }

    private sealed class Step(GopherQuality o) : IDocumentStep
    {
        // In lower case, and as a sentence starts.
        private readonly Dictionary<ulong, int> _stopWords = o.StopWords.SelectMany((w, i) => new[] { w, w.Length > 0 ? char.ToUpperInvariant(w[0]) + w[1..] : w, w.ToUpperInvariant() }.Select(form => (Hash: Hash64.Of(System.Text.Encoding.UTF8.GetBytes(form)), i)))
            .DistinctBy(x => x.Hash).ToDictionary(x => x.Hash, x => x.i);

        public void Apply(Draft draft)
        {
            var shape = draft.Shape;
            var runs = shape.Runs;
            var words = shape.Words;
            if (words < o.MinWords || words > o.MaxWords)
            {
                draft.Drop(words < o.MinWords ? "too-few-words" : "too-many-words", words.ToString(CultureInfo.InvariantCulture));
                return;
            }

            long characters = 0;
            var (letters, seen, stopWords) = (0, 0UL, 0);
            foreach (ref readonly var run in runs)
            {
                characters += run.Characters;
                letters += run.HasLetter ? 1 : 0;
                if (stopWords < o.MinStopWords && run.Length > 0 && _stopWords.TryGetValue(run.Hash, out var stop))
                {
                    seen |= 1UL << stop;
                    stopWords = System.Numerics.BitOperations.PopCount(seen);
                }
            }

            var mean = (double)characters / Math.Max(1, words);
            if (mean < o.MinMeanWordLength || mean > o.MaxMeanWordLength)
            {
                draft.Drop("mean-word-length", Figure.Of(mean));
                return;
            }

            var text = draft.Text;
            var hashes = (double)text.Count((byte)'#') / words;
            var ellipses = (double)(text.Count("..."u8) + text.Count("…"u8)) / words;
            if (hashes > o.MaxSymbolsPerWord || ellipses > o.MaxSymbolsPerWord)
            {
                draft.Drop(hashes > o.MaxSymbolsPerWord ? "hash-signs" : "ellipses", Figure.Of(Math.Max(hashes, ellipses)));
                return;
            }

            var (bullets, trailing) = (0, 0);
            var lines = shape.Lines;
            foreach (var line in lines)
            {
                var bytes = shape.TextOf(line);
                bullets += IsBullet(bytes) ? 1 : 0;
                trailing += TextShape.EndsInEllipsis(bytes) ? 1 : 0;
            }

            if (bullets > o.MaxBulletLines * lines.Length)
                draft.Drop("bullet-lines", Figure.Of((double)bullets / lines.Length));
            else if (trailing > o.MaxEllipsisLines * lines.Length)
                draft.Drop("ellipsis-lines", Figure.Of((double)trailing / lines.Length));
            else if (letters < o.MinWordsWithLetter * runs.Length)
                draft.Drop("words-without-letter", Figure.Of((double)letters / runs.Length));
            else if (stopWords < o.MinStopWords)
                draft.Drop("stop-words", stopWords.ToString(CultureInfo.InvariantCulture));
        }

        private static bool IsBullet(ReadOnlySpan<byte> line) => line[0] is (byte)'-' or (byte)'*' || line.StartsWith("•"u8) || line.StartsWith("‣"u8) || line.StartsWith("●"u8) || line.StartsWith("▪"u8) || line.StartsWith("–"u8);
    }
}

/// <summary>A figure as the report shows it.</summary>
internal static class Figure
{
    public static string Of(double value) => value.ToString("0.###", CultureInfo.InvariantCulture);
}

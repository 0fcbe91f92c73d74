using System.Globalization;
using System.Text;
using Gradus.Foundation.Files;
using Gradus.Foundation.Kernels;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Data.Steps;

/// <summary>
/// Drops documents that use words of a list: bad words, as C4 did, or any other. The list is yours, a word or a phrase a line; Gradus
/// brings none, since what is toxic is a judgement, and published lists are known to silence the groups they name.
/// </summary>
[Component("word-list")]
public sealed record WordList : LocalStep
{
    private const int LongestPhrase = 6;

    /// <summary>The list: UTF-8, a word or a phrase a line, # for comments. Case does not count.</summary>
    public required string Path { get; init; }

    /// <summary>Most occurrences that are let through.</summary>
    [AtLeast(0)]
    public int MaxMatches { get; init; }

    /// <summary>Greatest share of words that is let through; a document must be over both limits to go.</summary>
    [AtLeast(0)]
    [AtMost(1)]
    public double MaxShare { get; init; }

    protected internal override IReadOnlyList<string> Inputs() => [Path];

    public override IDocumentStep Build()
    {
        var (phrases, longest) = (new HashSet<ulong>(), 0);
        foreach (var line in ListFile.Lines(Path))
        {
            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words.Length > LongestPhrase)
                throw new UserException($"{Path}: '{line}' has {words.Length} words; a phrase has at most {LongestPhrase}.");
            longest = Math.Max(longest, words.Length);
            phrases.Add(words.Aggregate(0UL, (hash, word) => Next(hash, HashOf(Encoding.UTF8.GetBytes(word)))));
        }

        return phrases.Count > 0 ? new Step(this, phrases, longest) : throw new UserException($"{Path}: holds no words.");
    }

    private static ulong Next(ulong hash, ulong word) => Hash64.Mix(unchecked(hash * 3 + word));

    private static ulong HashOf(ReadOnlySpan<byte> word)
    {
        if (!Ascii.IsValid(word))
            return Hash64.Of(Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(word).ToLower(CultureInfo.InvariantCulture)));
        Span<byte> lower = word.Length <= 256 ? stackalloc byte[256] : new byte[word.Length];
        Ascii.ToLower(word, lower, out var n);
        return Hash64.Of(lower[..n]);
    }

    private sealed class Step(WordList o, HashSet<ulong> phrases, int longest) : IDocumentStep
    {
        public void Apply(Draft draft)
        {
            var shape = draft.Shape;
            Span<ulong> recent = stackalloc ulong[LongestPhrase];
            var (words, matches) = (0, 0);
            foreach (var run in shape.Runs)
            {
                if (run.Length == 0)
                    continue;
                recent[words++ % longest] = HashOf(shape.TextOf(run));
                // Phrases that end here.
                for (var n = 1; n <= Math.Min(longest, words); n++)
                {
                    var hash = 0UL;
                    for (var i = words - n; i < words; i++)
                        hash = Next(hash, recent[i % longest]);
                    if (phrases.Contains(hash))
                    {
                        matches++;
                        break;
                    }
                }
            }

            // The words themselves stay out of the report.
            if (matches > o.MaxMatches && matches > o.MaxShare * words)
                draft.Drop("listed-words", FormattableString.Invariant($"{matches} of {words}"));
        }
    }
}

/// <summary>Lists that users write: an entry a line, # for comments.</summary>
internal static class ListFile
{
    private const long MaxBytes = 256L << 20;

    public static IEnumerable<string> Lines(string path)
    {
        if (!File.Exists(path))
            throw new UserException($"{path}: there is no such file.");
        if (new FileInfo(path).Length > MaxBytes)
            throw new UserException($"{path}: is larger than {MaxBytes >> 20} MB; a list is kept in memory.");
        string text;
        try
        {
            text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(File.ReadAllBytes(path));
        }
        catch (DecoderFallbackException e)
        {
            throw new UserException($"{path}: is not valid UTF-8.", e);
        }

        foreach (var line in text.TrimStart('\uFEFF').Split('\n'))
            if (line.Trim() is { Length: > 0 } entry && entry[0] != '#')
                yield return entry;
    }
}

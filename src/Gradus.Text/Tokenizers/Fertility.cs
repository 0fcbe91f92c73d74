using System.Text;

namespace Gradus.Text.Tokenizers;

/// <summary>How many tokens a language's text takes.</summary>
/// <param name="Language">Its name.</param>
/// <param name="Words">Stretches between white space. Where a script has no spaces these are sentences: compare characters there.</param>
/// <param name="Characters">Code points.</param>
/// <param name="Bytes">Bytes in UTF-8.</param>
/// <param name="Tokens">Tokens, without special ones.</param>
/// <param name="Unknown">Tokens that stand for what the vocabulary cannot spell.</param>
public sealed record LanguageFertility(string Language, long Words, long Characters, long Bytes, long Tokens, long Unknown)
{
    /// <summary>Tokens for each word.</summary>
    public double PerWord => (double)Tokens / Words;

    /// <summary>Tokens for each character.</summary>
    public double PerCharacter => (double)Tokens / Characters;

    /// <summary>Tokens for each byte.</summary>
    public double PerByte => (double)Tokens / Bytes;

    /// <summary>The share of tokens that are unknown.</summary>
    public double UnknownRate => Tokens == 0 ? 0 : (double)Unknown / Tokens;
}

/// <summary>Fertility language by language: how evenly a vocabulary serves them (Rust et al., 2021).</summary>
/// <param name="Languages">By name.</param>
public sealed record FertilityReport(IReadOnlyList<LanguageFertility> Languages)
{
    /// <summary>The mean over languages of tokens for each character.</summary>
    public double Mean => Languages.Average(l => l.PerCharacter);

    /// <summary>The coefficient of variation of tokens for each character: 0 when every language costs the same.</summary>
    public double Variation => Math.Sqrt(Languages.Average(l => Math.Pow(l.PerCharacter - Mean, 2))) / Mean;

    /// <summary>The language that costs most tokens for each character.</summary>
    public LanguageFertility Worst => Languages.MaxBy(l => l.PerCharacter)!;

    /// <summary>The language that costs fewest.</summary>
    public LanguageFertility Best => Languages.MinBy(l => l.PerCharacter)!;

    /// <summary>Encodes the texts of every language.</summary>
    /// <param name="tokenizer">The vocabulary.</param>
    /// <param name="texts">Documents in UTF-8 with their languages, in any order; empty ones count nothing.</param>
    public static FertilityReport Of(Tokenizer tokenizer, IEnumerable<(string Language, ReadOnlyMemory<byte> Document)> texts)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        ArgumentNullException.ThrowIfNull(texts);
        var rows = new SortedDictionary<string, LanguageFertility>(StringComparer.Ordinal);
        var ids = new List<int>();
        foreach (var (language, document) in texts)
        {
            ids.Clear();
            tokenizer.Encode(document.Span, ids, addSpecialTokens: false);
            var (words, characters) = Measure(document.Span);
            var row = rows.GetValueOrDefault(language, new(language, 0, 0, 0, 0, 0));
            rows[language] = row with
            {
                Words = row.Words + words,
                Characters = row.Characters + characters,
                Bytes = row.Bytes + document.Length,
                Tokens = row.Tokens + ids.Count,
                Unknown = row.Unknown + ids.Count(id => id == tokenizer.UnkId),
            };
        }

        return new([.. rows.Values.Where(r => r.Words > 0)]);
    }

    private static (long Words, long Characters) Measure(ReadOnlySpan<byte> text)
    {
        var (words, characters, inWord) = (0L, 0L, false);
        while (!text.IsEmpty)
        {
            Rune.DecodeFromUtf8(text, out var rune, out var length);
            text = text[length..];
            characters++;
            var white = Rune.IsWhiteSpace(rune);
            words += !white && !inWord ? 1 : 0;
            inWord = !white;
        }

        return (words, characters);
    }
}

namespace Gradus.Text.Data.Analysis;

/// <summary>How easy English text is to read (Flesch, 1948; Kincaid et al., 1975).</summary>
public static class Readability
{
    /// <summary>206.835 − 1.015 words/sentence − 84.6 syllables/word: 100 very easy, 60 plain English, below 30 for graduates. Null of a text without words.</summary>
    public static double? FleschEase(string text) => Count(text) is var (words, sentences, syllables) && words > 0 ? 206.835 - 1.015 * words / sentences - 84.6 * syllables / words : null;

    /// <summary>0.39 words/sentence + 11.8 syllables/word − 15.59: the school grade that can read it.</summary>
    public static double? FleschKincaidGrade(string text) => Count(text) is var (words, sentences, syllables) && words > 0 ? 0.39 * words / sentences + 11.8 * syllables / words - 15.59 : null;

    /// <summary>Syllables of an English word: groups of vowels, without a silent e at the end; one at the least.</summary>
    public static int Syllables(string word)
    {
        ArgumentNullException.ThrowIfNull(word);
        var (groups, inside) = (0, false);
        foreach (var c in word)
        {
            var vowel = char.ToLowerInvariant(c) is 'a' or 'e' or 'i' or 'o' or 'u' or 'y';
            groups += vowel && !inside ? 1 : 0;
            inside = vowel;
        }

        var lower = word.ToLowerInvariant();
        if (groups > 1 && lower.EndsWith('e') && !(lower.EndsWith("le", StringComparison.Ordinal) && lower.Length > 2 && !IsVowel(lower[^3])) && lower.Length > 1 && !IsVowel(lower[^2]))
            groups--; // name, but table
        else if (groups > 1 && lower.EndsWith("ed", StringComparison.Ordinal) && lower.Length > 2 && lower[^3] is not ('t' or 'd') && !IsVowel(lower[^3]))
            groups--; // walked, but wanted
        else if (groups > 1 && lower.EndsWith("es", StringComparison.Ordinal) && lower.Length > 3 && lower[^3] is not ('s' or 'x' or 'z' or 'c' or 'g' or 'h') && !IsVowel(lower[^3]))
            groups--; // times, but boxes
        return Math.Max(1, groups);
    }

    private static bool IsVowel(char c) => c is 'a' or 'e' or 'i' or 'o' or 'u' or 'y';

    private static (double Words, double Sentences, double Syllables) Count(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var (words, sentences, syllables) = (0, 0, 0);
        foreach (var sentence in Words.Sentences(text))
        {
            var own = 0;
            foreach (var word in Words.Of(sentence))
            {
                own++;
                syllables += Syllables(word);
            }

            words += own;
            sentences += own > 0 ? 1 : 0;
        }

        return (words, Math.Max(1, sentences), syllables);
    }
}

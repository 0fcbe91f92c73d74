using System.Globalization;
using System.Text;
using Gradus.Foundation.Files;

namespace Gradus.Tests;

/// <summary>English-like text from a seed: enough words that a model has something to learn, and the text does not repeat itself.</summary>
internal static class SeededText
{
    private static readonly string[] s_who = ["the captain", "a whale", "the sailor", "an old man", "the sea", "my brother", "the wind", "no one", "a gull", "the harpooner"];
    private static readonly string[] s_does = ["saw", "followed", "feared", "loved", "called", "remembered", "struck", "forgot"];
    private static readonly string[] s_when = ["at night", "in the morning", "again", "for years", "twice", "before the storm", "without a word"];

    /// <summary>Paragraphs of three clauses, each with a number, separated by blank lines.</summary>
    public static string Paragraphs(int count, ulong seed = 5)
    {
        var (draws, n, text) = (new Counter(seed, "paragraphs"), 0UL, new StringBuilder());
        string Pick(string[] of) => of[draws.Below(n++, of.Length)];
        for (var i = 0; i < count; i++)
        {
            for (var s = 0; s < 3; s++) text.Append(CultureInfo.InvariantCulture, $"{Pick(s_who)} {Pick(s_does)} {Pick(s_who)} {Pick(s_when)}, number {draws.Below(n++, 1000)}. ");
            text.Append("\n\n");
        }
        return text.ToString();
    }
}

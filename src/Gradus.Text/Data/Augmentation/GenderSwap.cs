using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;
using Gradus.Text.Data.Analysis;

namespace Gradus.Text.Data.Augmentation;

/// <summary>
/// Counterfactual text: every gendered word becomes its counterpart (Lu et al., 2018). Case is kept; capitalised words that are part of a name
/// (<c>Martin Luther King</c>) are left. English by default; own pairs for any language.
/// </summary>
/// <remarks>
/// Pairs are one to one, so that swapping twice gives the text back, but for three English words: <c>her</c> is <c>his</c> before a noun and
/// <c>him</c> elsewhere; <c>his</c> is <c>her</c> before a noun and <c>hers</c> elsewhere. What stands behind decides, by a list of words
/// that cannot follow a possessive; that is right for most sentences, not all.
/// </remarks>
[Component("gender-swap")]
public sealed record GenderSwap : TextAugmentation
{
    /// <summary>A file with two words a line, separated by a tab or a space, # for comments; unset: the English default.</summary>
    public string? Pairs { get; init; }

    protected internal override IReadOnlyList<string> Inputs() => Pairs is null ? [] : [Pairs];

    public override ITextChange Build() => new Change(Pairs is null ? DefaultPairs() : ReadPairs(Pairs), pronouns: Pairs is null);

    /// <summary>The English pairs.</summary>
    internal static Dictionary<string, string> DefaultPairs()
    {
        const string Text = """
            he she|himself herself|man woman|men women|boy girl|boys girls|father mother|fathers mothers|dad mom|dads moms|daddy mommy|son daughter|sons daughters
            brother sister|brothers sisters|husband wife|husbands wives|uncle aunt|uncles aunts|nephew niece|nephews nieces|grandfather grandmother|grandfathers grandmothers
            grandpa grandma|grandson granddaughter|grandsons granddaughters|stepfather stepmother|stepson stepdaughter|king queen|kings queens|prince princess|princes princesses
            duke duchess|dukes duchesses|emperor empress|lord lady|lords ladies|sir madam|mr ms|gentleman gentlewoman|gentlemen gentlewomen|male female|males females|masculine feminine
            actor actress|actors actresses|waiter waitress|waiters waitresses|host hostess|hosts hostesses|hero heroine|heroes heroines|steward stewardess|stewards stewardesses
            businessman businesswoman|businessmen businesswomen|policeman policewoman|policemen policewomen|chairman chairwoman|chairmen chairwomen|spokesman spokeswoman|spokesmen spokeswomen
            congressman congresswoman|congressmen congresswomen|salesman saleswoman|salesmen saleswomen|boyfriend girlfriend|boyfriends girlfriends|groom bride|grooms brides|widower widow|widowers widows
            bachelor spinster|monk nun|monks nuns|wizard witch|wizards witches|schoolboy schoolgirl|schoolboys schoolgirls|fatherhood motherhood|manhood womanhood|boyhood girlhood|brotherhood sisterhood
            """;
        var pairs = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var pair in Text.Split(['|', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            Add(pairs, pair.Split(' '), "the default pairs");
        return pairs;
    }

    private static Dictionary<string, string> ReadPairs(string path)
    {
        if (!File.Exists(path))
            throw new UserException($"{path}: there is no such file.");
        var pairs = new Dictionary<string, string>(StringComparer.Ordinal);
        var number = 0;
        foreach (var line in File.ReadLines(path))
        {
            number++;
            if (line.Trim() is not { Length: > 0 } text || text[0] == '#')
                continue;
            Add(pairs, text.ToLowerInvariant().Split(['\t', ' '], StringSplitOptions.RemoveEmptyEntries), $"{path}:{number}");
        }

        return pairs.Count > 0 ? pairs : throw new UserException($"{path}: holds no pairs.");
    }

    private static void Add(Dictionary<string, string> pairs, string[] words, string place)
    {
        if (words is not [var a, var b] || a == b)
            throw new UserException($"{place}: '{string.Join(' ', words)}' is not two different words.");
        foreach (var word in words)
            if (pairs.ContainsKey(word))
                throw new UserException($"{place}: '{word}' is in a pair already; swapping twice would not give the text back.");
        (pairs[a], pairs[b]) = (b, a);
    }

    private sealed class Change(Dictionary<string, string> pairs, bool pronouns) : ITextChange
    {
        private static readonly HashSet<string> s_titles = ["mr", "ms", "sir", "madam", "he", "she", "his", "her", "him", "hers", "himself", "herself"];

        // What cannot be the thing possessed: behind these, "her" is an object and "his" stands alone.
        private static readonly HashSet<string> s_notPossessed = [.. "a an the this that these those and or but nor so because although though while when where who whom which if unless until as than to of in on at by for from with about into onto over under after before between through during without within against among across behind beyond near off out up down away back again is are was were be been being am has had have do does did will would can could shall should may might must not never ever always too also here there now then today yesterday tomorrow soon later already still yet just only i you he she it we they me him us them my your his her its our their what how why".Split(' ')];

        public string Apply(string text, Draws draws)
        {
            var spans = Words.Spans(text).ToArray();
            return WordEdits.Write(text, spans, i =>
            {
                var word = text.Substring(spans[i].Start, spans[i].Length);
                var owner = word.EndsWith("'s", StringComparison.OrdinalIgnoreCase) || word.EndsWith("’s", StringComparison.OrdinalIgnoreCase) ? word[^2..] : "";
                var stem = word[..^owner.Length];
                var lower = stem.ToLowerInvariant();
                var other = pairs.GetValueOrDefault(lower) ?? (pronouns && owner.Length == 0 ? Pronoun(lower, text, spans, i) : null);
                return other is null || IsName(text, spans, i, lower) ? word : WordEdits.InCaseOf(stem, other) + owner;
            });
        }

        private static string? Pronoun(string word, string text, (int Start, int Length)[] spans, int i) => word switch
        {
            "him" => "her",
            "hers" => "his",
            "his" => BeforeNoun(text, spans, i) ? "her" : "hers",
            "her" => BeforeNoun(text, spans, i) ? "his" : "him",
            _ => null,
        };

        private static bool BeforeNoun(string text, (int Start, int Length)[] spans, int i)
        {
            var end = spans[i].Start + spans[i].Length;
            if (i + 1 == spans.Length || spans[i + 1].Start != end + 1 || text[end] != ' ')
                return false; // a comma, a full stop, the end
            return !s_notPossessed.Contains(text.Substring(spans[i + 1].Start, spans[i + 1].Length).ToLowerInvariant());
        }

        /// <summary>A capitalised word beside another one, not at the start of a sentence: part of a name.</summary>
        private static bool IsName(string text, (int Start, int Length)[] spans, int i, string lower)
        {
            if (!char.IsUpper(text[spans[i].Start]) || s_titles.Contains(lower) || spans[i].Length > 1 && AllUpper(text.AsSpan(spans[i].Start, spans[i].Length)))
                return false;
            var (before, behind) = (i > 0 && Neighbours(text, spans[i - 1], spans[i]) && IsCapital(text, spans[i - 1]) && !Synonyms.StartsSentence(text, spans[i].Start), i + 1 < spans.Length && Neighbours(text, spans[i], spans[i + 1]) && IsCapital(text, spans[i + 1]));
            return before || behind;
        }

        private static bool Neighbours(string text, (int Start, int Length) a, (int Start, int Length) b) => b.Start == a.Start + a.Length + 1 && text[b.Start - 1] == ' ';

        private static bool IsCapital(string text, (int Start, int Length) word) => char.IsUpper(text[word.Start]) && !s_titles.Contains(text.Substring(word.Start, word.Length).ToLowerInvariant()) && text.Substring(word.Start, word.Length) != "I";

        private static bool AllUpper(ReadOnlySpan<char> word)
        {
            foreach (var c in word)
                if (char.IsLetter(c) && !char.IsUpper(c))
                    return false;
            return true;
        }
    }
}

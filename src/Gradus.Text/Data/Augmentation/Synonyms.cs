using Gradus.Foundation.Recipes;
using Gradus.Text.Data.Analysis;

namespace Gradus.Text.Data.Augmentation;

/// <summary>Replaces words by synonyms of their commonest sense, from WordNet (English). Words that stand in their base form only, so no ending is broken.</summary>
[Component("synonyms")]
public sealed record Synonyms : TextAugmentation
{
    /// <summary>WordNet's <c>dict</c> folder.</summary>
    public required string Path { get; init; }

    /// <summary>Share of the words with a synonym that are replaced.</summary>
    [Above(0)]
    [AtMost(1)]
    public double Rate { get; init; } = 0.1;

    protected internal override IReadOnlyList<string> Inputs() => WordNet.Files(Path);

    public override ITextChange Build() => new Change(WordNet.Load(Path), Rate);

    private sealed class Change(WordNet net, double rate) : ITextChange
    {
        // WordNet knows them as rare nouns: "he" (helium), "a" (angstrom), "in" (inch).
        private static readonly HashSet<string> s_function = [.. "a an the i me my we us our you your he him his she her it its they them their who whom whose which that this these those what am is are was were be been being have has had do does did will would shall should can could may might must not no nor and or but if as at by for from in into of off on out over to up with than then there here so such too very just more most all any both each few some own same only once again how when where why".Split(' ')];

        public string Apply(string text, Draws draws)
        {
            var spans = Words.Spans(text).ToArray();
            return WordEdits.Write(text, spans, i =>
            {
                var word = text.Substring(spans[i].Start, spans[i].Length);
                var lemma = word.ToLowerInvariant();
                // A capital inside a sentence is a name.
                if (s_function.Contains(lemma) || char.IsUpper(word[0]) && i > 0 && !StartsSentence(text, spans[i].Start))
                    return word;
                var synonyms = net.Synonyms(lemma);
                return synonyms.Count == 0 || draws.Unit() >= rate ? word : WordEdits.InCaseOf(word, synonyms[draws.Below(synonyms.Count)]);
            });
        }
    }

    /// <summary>Whether nothing but spaces, quotes and an end of sentence stands before a place.</summary>
    internal static bool StartsSentence(string text, int at)
    {
        for (var i = at - 1; i >= 0; i--)
        {
            if (text[i] is '.' or '!' or '?' or '\n' or ':' or ';')
                return true;
            if (!char.IsWhiteSpace(text[i]) && text[i] is not ('"' or '“' or '”' or '\'' or '‘' or '(' or '[' or '—' or '–' or '-'))
                return false;
        }

        return true;
    }
}

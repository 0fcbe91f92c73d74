using System.Text;
using Gradus.Foundation.Recipes;
using Gradus.Text.Data.Analysis;

namespace Gradus.Text.Data.Augmentation;

/// <summary>Swaps random words of a line with each other (Wei and Zou, "EDA: easy data augmentation", 2019). What stands between words stays.</summary>
[Component("word-swap")]
public sealed record WordSwap : TextAugmentation
{
    /// <summary>Swaps for each word.</summary>
    [Above(0)]
    [AtMost(1)]
    public double Rate { get; init; } = 0.1;

    public override ITextChange Build() => new Change(Rate);

    private sealed class Change(double rate) : ITextChange
    {
        public string Apply(string text, Draws draws) => string.Join('\n', text.Split('\n').Select(line => Line(line, draws)));

        private string Line(string line, Draws draws)
        {
            var spans = Words.Spans(line).ToArray();
            if (spans.Length < 2)
                return line;
            var order = Enumerable.Range(0, spans.Length).ToArray();
            for (var swaps = (int)Math.Floor(rate * spans.Length + draws.Unit()); swaps > 0; swaps--)
            {
                var (a, b) = (draws.Below(spans.Length), draws.Below(spans.Length - 1));
                b += b >= a ? 1 : 0;
                (order[a], order[b]) = (order[b], order[a]);
            }

            return WordEdits.Write(line, spans, i => line.AsSpan(spans[order[i]].Start, spans[order[i]].Length).ToString());
        }
    }
}

/// <summary>Leaves out random words.</summary>
[Component("word-delete")]
public sealed record WordDelete : TextAugmentation
{
    /// <summary>Share of the words; one is always left.</summary>
    [Above(0)]
    [Below(1)]
    public double Rate { get; init; } = 0.1;

    public override ITextChange Build() => new Change(Rate);

    private sealed class Change(double rate) : ITextChange
    {
        public string Apply(string text, Draws draws)
        {
            var spans = Words.Spans(text).ToArray();
            if (spans.Length < 2)
                return text;
            var gone = spans.Select(_ => draws.Unit() < rate).ToArray();
            if (gone.All(g => g))
                gone[draws.Below(gone.Length)] = false;
            return WordEdits.Write(text, spans, i => gone[i] ? null : text.Substring(spans[i].Start, spans[i].Length));
        }
    }
}

/// <summary>Writes a text with some words changed.</summary>
internal static class WordEdits
{
    /// <param name="text">The text.</param>
    /// <param name="spans">Its words, in order.</param>
    /// <param name="word">What stands for the i-th word; null: nothing, and not the space behind it either.</param>
    public static string Write(string text, (int Start, int Length)[] spans, Func<int, string?> word)
    {
        var built = new StringBuilder(text.Length + 16);
        var at = 0;
        for (var i = 0; i < spans.Length; i++)
        {
            built.Append(text, at, spans[i].Start - at);
            at = spans[i].Start + spans[i].Length;
            if (word(i) is { } put)
                built.Append(put);
            else if (at < text.Length && text[at] == ' ')
                at++;
        }

        return built.Append(text, at, text.Length - at).ToString();
    }

    /// <summary>A word in the case of the one it stands for: <c>She</c> for <c>He</c>, <c>SHE</c> for <c>HE</c>.</summary>
    public static string InCaseOf(string model, string word)
    {
        if (model.Length > 1 && model.All(c => !char.IsLetter(c) || char.IsUpper(c)))
            return word.ToUpperInvariant();
        return char.IsUpper(model[0]) ? char.ToUpperInvariant(word[0]) + word[1..] : word;
    }
}

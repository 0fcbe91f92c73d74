using System.Globalization;
using System.Text;
using Gradus.Foundation.Files;
using Gradus.Foundation.Kernels;
using Gradus.Text.Data.Steps;

namespace Gradus.Tests.Text.Data.Steps;

/// <summary>The scanning that all filters share, against the plain sentence that says what it finds.</summary>
public sealed class TextShapeTests
{
    // Runs of every length around 64, punctuation at either end, white space of one, two and three bytes, characters whose first byte a space could have.
    private static readonly string[] s_pieces =
        ["a", "word", "Don't", "--", "(x)", "12", "é", "“quoted”", "naïve", "…", "日本", "🎉", "x𝒳x", "·", "\u200B", "â", "Â", new('w', 61), new('w', 64), new('.', 66), new string('v', 63) + "é", " ", "  ", "\n", "\r\n", "\t", "\n\n", "\u00A0", "\u3000", "\u2003", "\u2028", "\u1680", "\u0085", "\u205F"];

    [Fact]
    [Row("B2")]
    public void Words_are_what_stands_between_white_space_without_punctuation_at_its_ends()
    {
        for (var seed = 1UL; seed <= 3000; seed++)
        {
            var text = Mixture(seed);
            var utf8 = Encoding.UTF8.GetBytes(text);
            var shape = new TextShape();
            shape.Reset(utf8);
            var found = shape.Runs.ToArray();
            var expected = Runs(text).ToList();
            Assert.Equal(expected.Select(r => r.Word), found.Select(r => Encoding.UTF8.GetString(utf8.AsSpan(r.Start, r.Length))));
            Assert.Equal(expected.Select(r => (r.Start, r.Word.EnumerateRunes().Count(), r.Word.EnumerateRunes().Any(Rune.IsLetter))), found.Select(r => (r.Start, r.Characters, r.HasLetter)));
            Assert.All(found.Where(r => r.Length > 0), r => Assert.Equal(Hash64.Of(utf8.AsSpan(r.Start, r.Length)), r.Hash));
            Assert.Equal(expected.Count(r => r.Word.Length > 0), shape.Words);
            Assert.Equal(text.EnumerateRunes().Count(), shape.Characters);
        }
    }

    [Fact]
    [Row("B2")]
    public void Clean_text_passes_white_space_untouched_and_other_text_comes_out_as_its_words()
    {
        var kept = 0;
        for (var seed = 1UL; seed <= 3000; seed++)
        {
            var text = Mixture(seed);
            var lines = text.Split('\n').Select(l => string.Join(' ', Words(l))).ToList();
            // Blank lines at the ends go, more than one in a row become one.
            var expected = new List<string>();
            foreach (var line in lines)
                if (line.Length > 0 || expected.Count > 0 && expected[^1].Length > 0)
                    expected.Add(line);
            while (expected.Count > 0 && expected[^1].Length == 0)
                expected.RemoveAt(expected.Count - 1);
            var run = StepRun.Of(new Whitespace(), text);
            Assert.Equal(expected.Count == 0 ? null : string.Join('\n', expected), run.Text);
            kept += run.Edits.Count == 0 ? 1 : 0;
            if (run.Text is { } clean) Assert.Empty(StepRun.Of(new Whitespace(), clean).Edits);
        }

        Assert.InRange(kept, 1, 2999);
    }

    [Fact]
    [Row("B2")]
    public void A_search_looks_past_the_case_of_ascii_letters_and_of_nothing_else()
    {
        var draws = new Counter(3, "search");
        for (var round = 0; round < 2000; round++)
        {
            var text = string.Concat(Enumerable.Range(0, (int)draws.Below((ulong)(300 * round), 100)).Select(i => "cookiECOk[{@`"[draws.Below((ulong)(300 * round + 1 + i), 13)])) + (round % 3 == 0 ? "CooKie" : "") + (round % 2 == 0 ? "tail" : "");
            foreach (var word in new[] { "cookie", "co", "k", "ok[" })
                Assert.Equal(text.IndexOf(word, StringComparison.OrdinalIgnoreCase), AsciiText.IndexOf(Encoding.ASCII.GetBytes(text), Encoding.ASCII.GetBytes(word)));
        }
    }

    [Fact]
    [Row("B2")]
    public void A_tally_counts_as_a_dictionary_does_text_after_text()
    {
        var (tally, draws) = (new HashTally(), new Counter(4, "tally"));
        for (var round = 0; round < 200; round++)
        {
            var size = 1 + draws.Below((ulong)(4000 * round), 1500);
            tally.Clear(size);
            var counts = new Dictionary<ulong, int>();
            for (var i = 0; i < size; i++)
            {
                var hash = unchecked((ulong)draws.Below((ulong)(4000 * round + 1 + i), 400) * 0x9E3779B97F4A7C15UL); // 0 among them
                counts[hash] = counts.GetValueOrDefault(hash) + 1;
                Assert.Equal(counts[hash], tally.Add(hash));
            }
        }
    }

    private static string Mixture(ulong seed)
    {
        var draws = new Counter(seed, "shape");
        return string.Concat(Enumerable.Range(0, 1 + (int)draws.Below(0, 60)).Select(i => s_pieces[draws.Below((ulong)i + 1, s_pieces.Length)] + (draws.Below((ulong)i + 1000, 3) == 0 ? " " : "")));
    }

    private static IEnumerable<string> Words(string line) => line.Split([.. " \t\r\n\v\f\u0085\u00A0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200A\u2028\u2029\u202F\u205F\u3000"], StringSplitOptions.RemoveEmptyEntries);

    private static IEnumerable<(int Start, string Word)> Runs(string text)
    {
        var at = 0;
        foreach (var run in Words(text))
        {
            at = text.IndexOf(run, at, StringComparison.Ordinal);
            var runes = run.EnumerateRunes().ToList();
            var first = runes.FindIndex(IsWordPart);
            var last = runes.FindLastIndex(IsWordPart);
            var word = first < 0 ? "" : string.Concat(runes[first..(last + 1)]);
            var before = first < 0 ? 0 : runes[..first].Sum(r => r.Utf8SequenceLength);
            yield return (Encoding.UTF8.GetByteCount(text.AsSpan(0, at)) + before, word);
            at += run.Length;
        }
    }

    private static bool IsWordPart(Rune rune) => Rune.IsLetterOrDigit(rune) || Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber;
}

using Gradus.Text.Data.Steps;

namespace Gradus.Tests.Text.Data.Steps;

/// <summary>Each rule of Gopher by documents built for it, on either side of its published threshold.</summary>
public sealed class GopherTests
{
    private static string? Quality(string text) => StepRun.Of(new GopherQuality(), text).Rule;

    private static string? Repetition(string text) => StepRun.Of(new GopherRepetition(), text).Rule;

    [Fact]
    [Row("B2")]
    public void Fifty_words_are_enough_and_forty_nine_are_not()
    {
        Assert.Null(Quality(StepRun.Prose(50)));
        Assert.Equal("too-few-words", Quality(StepRun.Prose(49)));
        // Punctuation alone is no word.
        Assert.Equal("too-few-words", Quality(StepRun.Prose(49) + " -- !"));
        Assert.Equal(("too-many-words", "61"), (StepRun.Of(new GopherQuality { MaxWords = 60 }, StepRun.Prose(61)).Rule, StepRun.Of(new GopherQuality { MaxWords = 60 }, StepRun.Prose(61)).Detail));
    }

    [Theory]
    [InlineData("aa", 58, "mean-word-length")] // 58 words of 2 with the, of: below 3
    [InlineData("aaaaaaaaaaaa", 58, "mean-word-length")] // above 10
    [InlineData("aaaaa", 58, null)]
    [Row("B2")]
    public void The_mean_word_is_between_three_and_ten_characters(string word, int count, string? rule) =>
        Assert.Equal(rule, Quality("the of " + string.Join(' ', Enumerable.Repeat(word, count))));

    [Fact]
    [Row("B2")]
    public void Word_length_counts_characters_not_bytes() => // 2 bytes each: bytes would make it 12
        Assert.Null(Quality("the of " + string.Join(' ', Enumerable.Repeat("éééééé", 58))));

    [Fact]
    [Row("B2")]
    public void One_hash_sign_or_ellipsis_for_ten_words_is_the_most()
    {
        var prose = StepRun.Prose(60);
        Assert.Null(Quality(prose + string.Concat(Enumerable.Repeat(" #", 6))));
        Assert.Equal("hash-signs", Quality(prose + string.Concat(Enumerable.Repeat(" #", 7))));
        Assert.Null(Quality(prose + string.Concat(Enumerable.Repeat(" …", 3)) + string.Concat(Enumerable.Repeat(" ...", 3)) + " end"));
        Assert.Equal("ellipses", Quality(prose + string.Concat(Enumerable.Repeat(" ...", 7)) + " end"));
    }

    [Fact]
    [Row("B2")]
    public void Nine_lines_of_ten_may_be_bullets()
    {
        static string Lines(int bullets, int plain) => string.Join('\n', Enumerable.Range(0, bullets).Select(i => "• " + StepRun.Prose(8, (ulong)i + 10)).Concat(Enumerable.Range(0, plain).Select(i => StepRun.Prose(8, (ulong)i + 99))));
        Assert.Null(Quality(Lines(9, 1)));
        Assert.Equal("bullet-lines", Quality(Lines(10, 0)));
        Assert.Equal("bullet-lines", Quality(Lines(19, 1).Replace('•', '-')));
    }

    [Fact]
    [Row("B2")]
    public void Three_lines_of_ten_may_end_in_an_ellipsis()
    {
        static string Lines(int trailing) => string.Join('\n', Enumerable.Range(0, 10).Select(i => StepRun.Prose(8, (ulong)i + 10).TrimEnd('.') + (i >= trailing ? "." : i % 2 == 0 ? "..." : "…")));
        Assert.Null(Quality(Lines(3)));
        Assert.Equal("ellipsis-lines", Quality(Lines(4)));
    }

    [Fact]
    [Row("B2")]
    public void Four_words_of_five_have_a_letter()
    {
        static string Mixed(int words, int numbers) => StepRun.Prose(words) + string.Concat(Enumerable.Range(0, numbers).Select(i => $" {1000 + i}"));
        Assert.Null(Quality(Mixed(80, 20)));
        Assert.Equal("words-without-letter", Quality(Mixed(80, 21)));
    }

    [Fact]
    [Row("B2")]
    public void Two_different_stop_words_must_occur()
    {
        var plain = string.Join(' ', Enumerable.Range(0, 60).Select(i => $"zebra{(char)('a' + i % 26)}"));
        Assert.Equal("stop-words", Quality(plain));
        Assert.Equal("stop-words", Quality(plain + " the the The THE"));
        Assert.Null(Quality(plain + " The with."));
        Assert.Null(StepRun.Of(new GopherQuality { MinStopWords = 0 }, plain).Rule);
    }

    [Fact]
    [Row("B2")]
    public void Prose_repeats_nothing() => Assert.Null(Repetition(StepRun.Prose(2000)));

    [Theory]
    [InlineData(7, 3, null)] // 3 copies of 10 lines
    [InlineData(6, 4, "duplicate-lines")]
    [Row("B2")]
    public void Three_lines_of_ten_may_be_copies(int fresh, int copies, string? rule)
    {
        // Short copies, so that the rule about characters does not come first.
        var lines = Enumerable.Range(0, fresh).Select(i => StepRun.Prose(40, (ulong)i + 1)).Append("Menu item").Skip(1).Concat(Enumerable.Repeat("Menu item", copies));
        Assert.Equal(rule, Repetition(string.Join('\n', lines)));
    }

    [Fact]
    [Row("B2")]
    public void A_fifth_of_the_characters_may_be_in_copied_lines()
    {
        string Text(int freshWords) => StepRun.Prose(30, 7) + "\n" + StepRun.Prose(30, 7) + "\n" + string.Join('\n', Enumerable.Range(0, freshWords / 30).Select(i => StepRun.Prose(30, (ulong)i + 20)));
        Assert.Equal("duplicate-line-characters", Repetition(Text(60))); // 1 of 4
        Assert.NotEqual("duplicate-line-characters", Repetition(Text(150))); // 1 of 7
    }

    [Fact]
    [Row("B2")]
    public void Paragraphs_are_counted_like_lines()
    {
        // The copied paragraph has two lines, each of them once more elsewhere in another order: as lines they are copies too, so the line rules are opened.
        var step = new GopherRepetition { MaxDuplicateLines = 1, MaxDuplicateLineCharacters = 1, MaxTopNGrams = [], MaxDuplicateNGrams = [] };
        string Text(int fresh, int copies) => string.Join("\n\n", Enumerable.Range(0, fresh).Select(i => StepRun.Prose(60, (ulong)i + 1)).Concat(Enumerable.Repeat("Same here.\nAnd here.", copies + 1)));
        Assert.Null(StepRun.Of(step, Text(9, 3)).Rule);
        Assert.Equal("duplicate-paragraphs", StepRun.Of(step, Text(2, 3)).Rule);
        Assert.Equal("duplicate-paragraph-characters", StepRun.Of(step, string.Join("\n\n", Enumerable.Repeat(StepRun.Prose(60, 5), 2).Concat(Enumerable.Range(0, 2).Select(i => StepRun.Prose(60, (ulong)i + 50))))).Rule);
    }

    [Theory]
    [InlineData(2, 0.20)]
    [InlineData(3, 0.18)]
    [InlineData(4, 0.16)]
    [Row("B2")]
    public void The_most_frequent_n_gram_may_hold_only_its_share(int n, double share)
    {
        // A phrase of n words of 7 letters, k times among other words: its share of the characters is exact.
        var phrase = string.Join(' ', Enumerable.Range(0, n).Select(i => "phrase" + (char)('a' + i)));
        string Text(int copies) => string.Join(" ", Enumerable.Range(0, 40).Select(i => (i < copies ? phrase + " " : "") + $"w{i:D2}xyzab v{i:D2}uvwcd u{i:D2}efghi"));
        var only = new GopherRepetition { MaxDuplicateNGrams = [], MaxTopNGrams = [.. Enumerable.Repeat(1.0, n - 2), share] };
        var limit = Enumerable.Range(2, 39).First(copies => copies * (8 * n - 1) > share * Text(copies).Length);
        Assert.Null(StepRun.Of(only, Text(limit - 1)).Rule);
        Assert.Equal($"top-{n}-gram", StepRun.Of(only, Text(limit)).Rule);
    }

    [Theory]
    [InlineData(5, 0.15)]
    [InlineData(6, 0.14)]
    [InlineData(7, 0.13)]
    [InlineData(8, 0.12)]
    [InlineData(9, 0.11)]
    [InlineData(10, 0.10)]
    [Row("B2")]
    public void Duplicate_n_grams_may_hold_only_their_share(int n, double share)
    {
        // One phrase of exactly n words of 7 letters twice: its second copy covers 8n - 1 characters.
        var phrase = string.Join(' ', Enumerable.Range(0, n).Select(i => "phrase" + (char)('a' + i)));
        string Text(int others) => phrase + " middle " + phrase + string.Concat(Enumerable.Range(0, others).Select(i => $" w{i:D3}xyz"));
        var only = new GopherRepetition { MaxTopNGrams = [], MaxDuplicateNGrams = [.. Enumerable.Repeat(1.0, n - 5), share] };
        var enough = Enumerable.Range(0, 900).First(others => 8 * n - 1 <= share * Text(others).Length);
        Assert.Null(StepRun.Of(only, Text(enough)).Rule);
        Assert.Equal($"duplicate-{n}-grams", StepRun.Of(only, Text(enough - 1)).Rule);
    }

    [Fact]
    [Row("B2")]
    public void Shortcuts_change_no_verdict()
    {
        // Against the plain computation, over texts with repetition of many kinds.
        var dropped = 0;
        for (var seed = 1UL; seed <= 60; seed++)
        {
            var text = StepRun.Prose(120, seed) + string.Concat(Enumerable.Repeat(" " + StepRun.Prose(3 + (int)(seed % 9), seed + 500), (int)(seed % 7)));
            var rule = Repetition(text);
            Assert.Equal(Plain(text), rule);
            dropped += rule is null ? 0 : 1;
        }

        Assert.InRange(dropped, 10, 50);
    }

    private static string? Plain(string text)
    {
        var words = text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(w => w.Trim('.')).ToArray();
        double[] top = [0.20, 0.18, 0.16], covered = [0.15, 0.14, 0.13, 0.12, 0.11, 0.10];
        for (var n = 2; n <= 4; n++)
        {
            var groups = Enumerable.Range(0, Math.Max(0, words.Length - n + 1)).Select(i => string.Join(' ', words[i..(i + n)])).GroupBy(g => g, StringComparer.Ordinal).ToArray();
            var most = groups.Max(g => g.Count());
            if (most > 1 && most * groups.Where(g => g.Count() == most).Max(g => g.Key.Length) > top[n - 2] * text.Length)
                return $"top-{n}-gram";
        }

        for (var n = 5; n <= 10; n++)
        {
            var (seen, marked) = (new HashSet<string>(StringComparer.Ordinal), new int[words.Length]); // 1: the word, 2: the space before it too
            for (var i = 0; i + n <= words.Length; i++)
                if (!seen.Add(string.Join(' ', words[i..(i + n)])))
                    for (var k = i; k < i + n; k++)
                        marked[k] = Math.Max(marked[k], k > i ? 2 : 1);
            var sum = marked.Select((m, i) => m == 0 ? 0 : words[i].Length + m - 1).Sum();
            if (sum > covered[n - 5] * text.Length)
                return $"duplicate-{n}-grams";
        }

        return null;
    }
}

using System.Text;
using Gradus.Foundation.Files;
using Gradus.Text.Tokenizers;
using Gradus.Text.Tokenizers.Trainers;

namespace Gradus.Tests.Text.Tokenizers;

/// <summary>Trainers whose tokens are words, parts of words and characters.</summary>
public class WordTrainerTests
{
    // count: h 15, ##u 36, ##g 20, p 17, ##n 16, b 4, ##s 5.
    private static readonly byte[] s_hugs = Encoding.UTF8.GetBytes(string.Join(' ', Enumerable.Repeat("hug", 10).Concat(Enumerable.Repeat("pug", 5)).Concat(Enumerable.Repeat("pun", 12)).Concat(Enumerable.Repeat("bun", 4)).Concat(Enumerable.Repeat("hugs", 5))));

    [Fact]
    [Row("C2")]
    public void Wordpiece_joins_by_count_of_the_pair_over_the_counts_of_its_parts()
    {
        // ##g ##s: 5 / (20 · 5) = 1/20 beats all, which have ##u and 1/36. Then all are 1/36: the most frequent, p ##u, 17 times. Then 19 ##u are left:
        // h ##u, b ##u and ##u ##gs have 1/19; h ##u comes 15 times. Then 4 ##u are left: b ##u has 4 / (4 · 4) = 1/4.
        var trained = new WordPieceTrainerOptions { VocabSize = 5 + 7 + 4, MinFrequency = 1 }.Train([s_hugs]);
        Assert.Equal(["##g", "##n", "##s", "##u", "b", "h", "p", "##gs", "pu", "hu"], Enumerable.Range(5, 10).Select(trained.NameOf));
        Assert.Equal("bu", trained.NameOf(15));
        Assert.Equal(["hu", "##gs"], trained.Encode("hugs", addSpecialTokens: false).Select(trained.NameOf));
        Assert.Equal(["[CLS]", "pu", "##n", "[SEP]"], trained.Encode("pun").Select(trained.NameOf));
        Assert.Equal(["[UNK]"], trained.Encode("mug", addSpecialTokens: false).Select(trained.NameOf));
    }

    [Fact]
    [Row("C2")]
    public void Wordpiece_equals_the_plain_algorithm_on_random_words()
    {
        var random = new Random(8);
        for (var round = 0; round < 40; round++)
        {
            string[] words = [.. Enumerable.Range(0, random.Next(5, 60)).Select(_ => string.Concat(Enumerable.Range(0, 1 + random.Next(6)).Select(_ => "abcd"[random.Next(4)])))];
            var options = new WordPieceTrainerOptions { VocabSize = 5 + 8 + random.Next(25), MinFrequency = 1 + random.Next(3) };
            var trained = options.Train([Encoding.UTF8.GetBytes(string.Join(' ', words))]);
            var names = Enumerable.Range(5, trained.VocabSize - 5).Select(trained.NameOf).ToArray();
            Assert.Equal(PlainWordPiece(words, options.VocabSize - 5, options.MinFrequency), names);
        }
    }

    [Fact]
    [Row("C2")]
    public void Wordpiece_learns_and_beats_characters_and_no_thread_or_order_changes_it()
    {
        var (train, held) = Novel();
        var options = new WordPieceTrainerOptions { VocabSize = 2000 };
        var trained = options.Train([train]);
        Assert.Equal(2000, trained.VocabSize);
        Assert.Contains(Enumerable.Range(0, 2000), id => trained.NameOf(id) is { Length: > 5 } name && !name.StartsWith('#'));
        var characters = PerByte(new WordPieceTrainerOptions { VocabSize = 2000, MinFrequency = int.MaxValue }.Train([train]), held); // negative control: nothing is joined
        Assert.InRange(PerByte(trained, held) / characters, 0.2, 0.85);
        ReadOnlyMemory<byte>[] lines = [.. Encoding.UTF8.GetString(train).Split('\n').Select(l => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(l))];
        var expected = Names(trained);
        Assert.Equal(expected, Names((options with { Threads = 1 }).Train(lines)));
        Assert.Equal(expected, Names((options with { Threads = 3 }).Train(lines.Reverse())));
    }

    [Fact]
    [Row("C5")]
    public void Words_outside_the_vocabulary_are_unknown_and_counted()
    {
        var trained = new WordTrainerOptions { VocabSize = 4 }.Train(["the cat saw the dog , the cat ran"u8.ToArray()]);
        Assert.Equal(["[UNK]", "the", "cat", ","], Enumerable.Range(0, 4).Select(trained.NameOf)); // 3, 2, then the lowest of those that come once
        var ids = trained.Encode("the dog saw the cat, twice");
        Assert.Equal([1, 0, 0, 1, 2, 3, 0], ids);
        var row = FertilityReport.Of(trained, [("en", Encoding.UTF8.GetBytes("the dog saw the cat, twice"))]).Languages[0];
        Assert.Equal((7, 3, 6), (row.Tokens, row.Unknown, row.Words));
        Assert.Equal(3.0 / 7, row.UnknownRate);
    }

    [Fact]
    [Row("C5")]
    [Row("C6")]
    public void A_larger_word_vocabulary_leaves_less_unknown()
    {
        var (train, held) = Novel();
        double[] rates = [.. new[] { 500, 2000, 8000 }.Select(size => FertilityReport.Of(new WordTrainerOptions { VocabSize = size }.Train([train]), [("en", held)]).Languages[0].UnknownRate)];
        Assert.Equal(rates.OrderDescending(), rates);
        Assert.InRange(rates[0], 0.2, 0.5);
        Assert.InRange(rates[2], 0.02, 0.12);
        var frequent = new WordTrainerOptions { VocabSize = 8000, MinFrequency = 50 }.Train([train]);
        Assert.True(frequent.VocabSize < 1000, $"{frequent.VocabSize} words occur 50 times");
        Assert.Null(frequent.IdOf("Queequegs"));
        Assert.Equal(Names(new WordTrainerOptions { VocabSize = 500, Threads = 1 }.Train([train])), Names(new WordTrainerOptions { VocabSize = 500, Threads = 3 }.Train([train])));
        Assert.NotNull(new WordTrainerOptions { VocabSize = 500, Lowercase = true }.Train([train]).IdOf("i")); // which is "I" otherwise
    }

    [Fact]
    [Row("C4")]
    public void Characters_come_back_as_they_were_and_none_is_unknown()
    {
        var (train, held) = Novel();
        var trained = new CharTrainerOptions { VocabSize = 500 }.Train([train]);
        string[] texts = [.. Encoding.UTF8.GetString(held).Split('\n').Take(300), "  two  spaces ", "鯨 and 👍🏽", "a\tb\r\nc\0d", ""];
        foreach (var text in texts)
        {
            var ids = trained.Encode(text);
            Assert.Equal(text, trained.Decode(ids));
            Assert.DoesNotContain(trained.UnkId!.Value, ids);
        }

        Assert.Equal("whale".Length, trained.Encode("whale").Length);
        Assert.Equal(0, FertilityReport.Of(trained, [("en", held)]).Languages[0].UnknownRate);
        // Learned from the text: without bytes, what the corpus lacks is unknown.
        Assert.Contains(0, new CharTrainerOptions { VocabSize = 500, ByteFallback = false }.Train([train]).Encode("鯨"));
        Assert.Equal(Names(trained), Names(new CharTrainerOptions { VocabSize = 500, Threads = 3 }.Train([train])));
        Assert.Equal(1, FertilityReport.Of(trained, [("en", train)]).Languages[0].PerCharacter, 2);
    }

    [Fact]
    public void Impossible_requests_are_one_clear_line()
    {
        Fault("unknown_token", new WordPieceTrainerOptions { SpecialTokens = ["[CLS]"] });
        Fault("vocab_size", new WordPieceTrainerOptions { VocabSize = 6 });
        Fault("twice", new WordTrainerOptions { SpecialTokens = ["[UNK]", "[UNK]"] });
        Fault("empty", new WordTrainerOptions { SpecialTokens = ["[UNK]", ""] });

        static void Fault(string expected, TokenizerTrainerOptions options) =>
            Assert.Contains(expected, Assert.Throws<UserException>(() => options.Train(["some text"u8.ToArray()])).Message, StringComparison.Ordinal);
    }

    private static List<string> PlainWordPiece(string[] words, int tokens, int minimum)
    {
        var spelt = words.Select(w => w.Select((c, i) => i == 0 ? $"{c}" : $"##{c}").ToList()).ToList();
        List<string> names = [.. spelt.SelectMany(w => w).Distinct().Order(StringComparer.Ordinal)];
        while (names.Count < tokens)
        {
            var symbols = spelt.SelectMany(w => w).GroupBy(s => s).ToDictionary(g => g.Key, g => (double)g.Count());
            var best = spelt.SelectMany(w => w.Zip(w.Skip(1))).GroupBy(p => p).Where(g => g.Count() >= minimum)
                .OrderByDescending(g => g.Count() / (symbols[g.Key.First] * symbols[g.Key.Second])).ThenByDescending(g => g.Count())
                .ThenBy(g => g.Key.First, StringComparer.Ordinal).ThenBy(g => g.Key.Second, StringComparer.Ordinal).FirstOrDefault();
            if (best is null)
                break;
            var (left, right) = best.Key;
            var joined = left + right[2..];
            if (!names.Contains(joined))
                names.Add(joined);
            foreach (var word in spelt)
                for (var i = 0; i + 1 < word.Count; i++)
                    if (word[i] == left && word[i + 1] == right)
                    {
                        word[i] = joined;
                        word.RemoveAt(i + 1);
                    }
        }

        return names;
    }

    private static string[] Names(Tokenizer tokenizer) => [.. Enumerable.Range(0, tokenizer.VocabSize).Select(tokenizer.NameOf)];

    private static (byte[] Train, byte[] Held) Novel()
    {
        var lines = File.ReadAllLines(Repo.SharedData("moby-dick/moby-dick.txt"));
        byte[] Part(bool held) => Encoding.UTF8.GetBytes(string.Join('\n', lines.Where((_, i) => i % 10 == 9 == held)));
        return (Part(false), Part(true));
    }

    private static double PerByte(Tokenizer tokenizer, byte[] text) => FertilityReport.Of(tokenizer, [("", text)]).Languages[0].PerByte;
}

using System.Globalization;
using System.Text;
using Gradus.Foundation.Files;
using Gradus.Text.Data.Sources;
using Gradus.Text.Tokenizers;
using Gradus.Text.Tokenizers.Formats;
using Gradus.Text.Tokenizers.Normalizers;
using Gradus.Text.Tokenizers.Trainers;

namespace Gradus.Tests.Text.Tokenizers;

/// <summary>Trainers of SentencePiece models: unigram and BPE.</summary>
[Row("C3")]
public class PieceTrainerTests
{
    [Theory]
    [InlineData("unigram")]
    [InlineData("sentencepiece-bpe")]
    public void It_learns_from_the_text_and_beats_characters(string kind)
    {
        var (train, held) = Novel();
        var trained = Make(kind, 2000).Train([train]);
        Assert.Equal(2000, trained.VocabSize);
        Assert.NotNull(trained.IdOf("▁whale")); // learned something: a word of this novel
        var baseline = PerByte(new SentencePieceBpeTrainerOptions { VocabSize = 200, MaxPieceLength = 1 }.Train([train]), held); // characters alone
        Assert.InRange(PerByte(trained, held) / baseline, 0.2, 0.4); // at 2,000 pieces words average about three characters a token
        // Negative control: the same trainer on a text without whales spells them in parts, and spells this novel worse.
        var other = Make(kind, 2000).Train([File.ReadAllBytes(Repo.SharedData("sentencepiece-corpora/botchan.txt"))]);
        Assert.Null(other.IdOf("▁whale"));
        Assert.True(PerByte(other, held) > 1.05 * PerByte(trained, held));
        Assert.Equal(Encoding.UTF8.GetString(held).Split('\n')[5].Trim(), trained.Decode(trained.Encode(Encoding.UTF8.GetString(held).Split('\n')[5].Trim())));
    }

    [Theory]
    [InlineData("unigram")]
    [InlineData("sentencepiece-bpe")]
    public void Threads_and_the_order_of_documents_change_nothing(string kind)
    {
        var lines = Encoding.UTF8.GetString(Novel().Train).Split('\n')[..6000];
        ReadOnlyMemory<byte>[] documents = [.. lines.Select(l => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(l))];
        var expected = Written(Make(kind, 1000) with { Threads = 1 }, documents);
        Assert.Equal(expected, Written(Make(kind, 1000) with { Threads = 2 }, documents));
        Assert.Equal(expected, Written(Make(kind, 1000) with { Threads = 5 }, [.. documents.Reverse()]));
        Assert.NotEqual(expected, Written(Make(kind, 1000), documents[1..])); // it does depend on the text
    }

    [Fact]
    public void The_likelihood_never_falls_in_plain_em()
    {
        var options = new UnigramTrainerOptions { VocabSize = 1000, Threads = 2 };
        var corpus = PieceCorpus.Read([Novel().Train.AsMemory(0, 300_000)], new SentencePieceNormalizer(), options);
        var seeds = SubstringSeeds.Find(corpus, new PieceRules(options), 16, 20_000);
        var sum = Math.Log(seeds.Sum(s => s.Weight));
        var em = new UnigramEm(corpus, [.. seeds.Select(s => s.Piece)], [.. seeds.Select(s => Math.Log(s.Weight) - sum)], 2);
        var first = em.Step(sparse: false);
        var last = first;
        for (var i = 0; i < 12; i++)
        {
            var next = em.Step(sparse: false);
            Assert.True(next >= last - 1e-6 * Math.Abs(last), $"step {i}: {last} to {next}"); // fixed-point sums: 1e-6 of the whole
            last = next;
        }

        Assert.True(last > first + 0.01 * Math.Abs(first), $"{first} to {last}"); // and it does rise
    }

    [Fact]
    public void A_sparse_step_takes_digammas_of_the_counts()
    {
        // Words a, four times, and b, once, of one piece each: counts 4 and 1. ψ(4) - ψ(5) = -1/4; ψ(1) - ψ(5) = -(1 + 1/2 + 1/3 + 1/4).
        var corpus = PieceCorpus.Read(["a\na\na\na\nb"u8.ToArray()], new SentencePieceNormalizer { AddDummyPrefix = false }, new UnigramTrainerOptions { CharacterCoverage = 1 });
        double[] Scores(bool sparse)
        {
            var em = new UnigramEm(corpus, ["a"u8.ToArray(), "b"u8.ToArray()], [Math.Log(0.5), Math.Log(0.5)], 1);
            em.Step(sparse);
            return [.. em.Pieces().OrderBy(p => p.Text, StringComparer.Ordinal).Select(p => p.Score)];
        }

        var (smoothed, plain) = (Scores(sparse: true), Scores(sparse: false));
        Assert.Equal(-0.25, smoothed[0], 1e-7); // the series of the digamma function is cut off
        Assert.Equal(-25.0 / 12, smoothed[1], 1e-7);
        Assert.Equal([Math.Log(0.8), Math.Log(0.2)], plain.Select(s => Math.Round(s, 12)).Zip([Math.Log(0.8), Math.Log(0.2)], (s, e) => Math.Abs(s - e) < 1e-9 ? e : s));
    }

    [Fact]
    public void Frequent_substrings_are_those_that_counting_finds()
    {
        var random = new Random(2);
        for (var round = 0; round < 50; round++)
        {
            string[] words = [.. Enumerable.Range(0, 30).Select(_ => string.Concat(Enumerable.Range(0, 1 + random.Next(9)).Select(_ => "abc"[random.Next(3)])))];
            var options = new UnigramTrainerOptions { MaxPieceLength = 5 };
            var corpus = PieceCorpus.Read([Encoding.UTF8.GetBytes(string.Join(' ', words))], new SentencePieceNormalizer { AddDummyPrefix = false }, options with { CharacterCoverage = 1 });
            var counts = new Dictionary<string, long>();
            for (var w = 0; w < corpus.Words.Length; w++)
            {
                var word = Encoding.UTF8.GetString(corpus.Words[w]);
                for (var start = 0; start < word.Length; start++)
                    for (var end = start + 2; end <= Math.Min(word.Length, start + 5); end++)
                        counts[word[start..end]] = counts.GetValueOrDefault(word[start..end]) + corpus.Times[w];
            }

            var found = SubstringSeeds.Find(corpus, new PieceRules(options), 5, 1_000_000).Skip(corpus.Alphabet.Count).ToDictionary(s => Encoding.UTF8.GetString(s.Piece), s => (long)s.Weight);
            foreach (var (text, score) in found)
                Assert.Equal(counts[text] * text.Length, score);
            // What is missing occurs once, or is always followed by the same character: then what it is part of is there.
            foreach (var (text, times) in counts.Where(c => c.Value > 1 && !found.ContainsKey(c.Key) && !c.Key[1..].Contains('▁', StringComparison.Ordinal)))
                Assert.Contains("abc▁", next => counts.GetValueOrDefault(text + next) == times || text.Length == 5);
        }
    }

    [Fact]
    public void User_defined_symbols_bytes_and_special_tokens_have_their_places()
    {
        var options = new UnigramTrainerOptions { VocabSize = 700, ByteFallback = true, UserDefined = ["<sep>"], SpecialTokens = ["<|eot|>"], CharacterCoverage = 0.99 };
        var trained = options.Train([Novel().Train.AsMemory(0, 200_000), "one<sep>two<|eot|>three"u8.ToArray()]);
        Assert.Equal(["<unk>", "<s>", "</s>", "<|eot|>", "<sep>", "<0x00>"], Enumerable.Range(0, 6).Select(trained.NameOf));
        Assert.Contains(4, trained.Encode("a<sep>b"));
        Assert.DoesNotContain(3, trained.Encode("a<|eot|>b"));
        Assert.Contains(3, trained.EncodeParsed("a<|eot|>b"));
        Assert.Equal("whale 鯨 <sep>", trained.Decode(trained.Encode("whale 鯨 <sep>")));
    }

    [Fact]
    public void Impossible_requests_are_one_clear_line()
    {
        Fault("vocab_size", new UnigramTrainerOptions { VocabSize = 3 }, "text");
        Fault("character_coverage", new UnigramTrainerOptions { VocabSize = 6 }, "a text of many letters");
        Fault("no text", new UnigramTrainerOptions(), " \n \n");
        Fault("normalization", new SentencePieceBpeTrainerOptions { Normalization = "nkfc" }, "text");
        Fault("twice", new SentencePieceBpeTrainerOptions { UserDefined = ["<s>"] }, "text");

        static void Fault(string expected, TokenizerTrainerOptions options, string text)
        {
            var e = Assert.Throws<UserException>(() => options.Train([Encoding.UTF8.GetBytes(text)]));
            Assert.Contains(expected, e.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    [Row("C6")]
    public void A_larger_vocabulary_takes_fewer_tokens_and_rare_characters_are_unknown_without_bytes()
    {
        var (train, held) = Novel();
        double[] perByte = [.. new[] { 300, 600, 1200, 2400, 4800 }.Select(size => PerByte(new SentencePieceBpeTrainerOptions { VocabSize = size }.Train([train]), held))];
        Assert.Equal(perByte.OrderDescending(), perByte);
        Assert.True(perByte[0] > 1.5 * perByte[^1]);

        // Coverage 0.99 leaves the rarest characters unknown; with bytes nothing is.
        var covered = new SentencePieceBpeTrainerOptions { VocabSize = 1000, CharacterCoverage = 0.99 };
        double Rate(Tokenizer tokenizer) => FertilityReport.Of(tokenizer, [("en", held)]).Languages[0].UnknownRate;
        Assert.InRange(Rate(covered.Train([train])), 0.001, 0.03); // 1 % of characters, of which a token holds about three
        Assert.Equal(0, Rate((covered with { ByteFallback = true }).Train([train])));
    }

    [Fact]
    [Row("C7")]
    public void Balancing_languages_lowers_the_worst_languages_fertility()
    {
        var texts = Declarations();
        // As in the world: much English, little of the others.
        List<LanguageText> languages = [.. texts.Select(t => new LanguageText(t.Key, t.Key == "en" ? [t.Value.Train, Novel().Train] : [t.Value.Train]))];
        FertilityReport Report(double alpha)
        {
            var trained = new UnigramTrainerOptions { VocabSize = 2500, CharacterCoverage = 0.999, ByteFallback = true }.Train(new LanguageSampling { Alpha = alpha, Repeat = false }.Mix(languages));
            return FertilityReport.Of(trained, texts.Select(t => (t.Key, t.Value.Held)));
        }

        var (plain, balanced) = (Report(1), Report(0.3));
        Assert.Equal(texts.Count, plain.Languages.Count);
        Assert.True(balanced.Worst.PerCharacter < 0.97 * plain.Worst.PerCharacter, $"{plain.Worst} to {balanced.Worst}");
        Assert.True(balanced.Variation < plain.Variation, $"{plain.Variation} to {balanced.Variation}");
        // The price: the language that had most gets worse.
        Assert.True(balanced.Languages.Single(l => l.Language == "en").PerCharacter > plain.Languages.Single(l => l.Language == "en").PerCharacter);
    }

    [Fact]
    [Row("C7")]
    public void Shares_follow_the_formula_and_the_lines_follow_the_shares()
    {
        var sampling = new LanguageSampling { Alpha = 0.5 };
        var shares = sampling.Shares([900, 100]);
        Assert.Equal((0.9, 0.75), (shares[0].Before, Math.Round(shares[0].After, 12))); // √900 : √100 = 3 : 1
        Assert.Equal([(0.9, 0.5), (0.1, 0.5)], new LanguageSampling { Alpha = 0 }.Shares([900, 100]));
        ReadOnlyMemory<byte> Lines(string word, int count) => Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, count).Select(i => string.Create(CultureInfo.InvariantCulture, $"{word}{i:D5}\n"))));
        LanguageText[] languages = [new("a", [Lines("a", 9000)]), new("b", [Lines("b", 1000)])];
        var mixed = sampling.Mix(languages).Select(d => Encoding.UTF8.GetString(d.Span)).ToArray();
        var (a, b) = (mixed.Sum(d => d.Count(c => c == 'a')), mixed.Sum(d => d.Count(c => c == 'b')));
        Assert.InRange(a, 7500 - 150, 7500 + 150); // binomial: a standard deviation is about 35
        Assert.InRange(b, 2500 - 60, 2500 + 60);
        Assert.Equal(mixed, sampling.Mix(languages).Select(d => Encoding.UTF8.GetString(d.Span)));
        Assert.NotEqual(mixed, (sampling with { Seed = 1 }).Mix(languages).Select(d => Encoding.UTF8.GetString(d.Span)));
    }

    [Fact]
    public void Rules_of_normalisation_are_those_that_sentencepiece_gives_its_models()
    {
        // T5's model carries SentencePiece's own nmt_nfkc. Newer Unicode versions know more characters, so not all agree.
        var theirs = SentencePieceModel.ReadFile(Repo.SharedData("tok-t5/spiece.model")).Normalization;
        Assert.Equal("nmt_nfkc", theirs.Name);
        var map = CharsMap.Read(theirs.CharsMap, out _)!;
        var ours = NormalizationRules.Find("nmt_nfkc")!;
        var (same, different) = (0, 0);
        for (var c = 1; c <= 0x10FFFF; c++)
        {
            if (c is >= 0xD800 and < 0xE000)
                continue;
            var text = Encoding.UTF8.GetBytes(char.ConvertFromUtf32(c));
            var (x, y) = (map.Longest(text, out _, out var a), ours.Longest(text, out _, out var b));
            if (x == y && a.SequenceEqual(b))
                same += x ? 1 : 0;
            else
                different++;
        }

        Assert.True(same > 4_800, $"{same} rules agree");
        Assert.InRange(different, 0, 400);
        foreach (var text in new[] { "e\u0301", "A\u030A", "\u0041\u030A", "か\u3099", "\u1112\u1161\u11AB" })
        {
            var utf8 = Encoding.UTF8.GetBytes(text);
            Assert.True(map.Longest(utf8, out var m, out var a) & ours.Longest(utf8, out var n, out var b), text);
            Assert.Equal((m, Encoding.UTF8.GetString(a)), (n, Encoding.UTF8.GetString(b)));
        }
    }

    private static SentencePieceTrainerOptions Make(string kind, int size) =>
        kind == "unigram" ? new UnigramTrainerOptions { VocabSize = size } : new SentencePieceBpeTrainerOptions { VocabSize = size };

    private static byte[] Written(SentencePieceTrainerOptions options, ReadOnlyMemory<byte>[] documents)
    {
        using var folder = Repo.Temp();
        options.Train(documents).Save(folder.Path);
        return File.ReadAllBytes(folder.File("tokenizer.model"));
    }

    private static (byte[] Train, byte[] Held) Novel()
    {
        var lines = File.ReadAllLines(Repo.SharedData("moby-dick/moby-dick.txt"));
        byte[] Part(bool held) => Encoding.UTF8.GetBytes(string.Join('\n', lines.Where((_, i) => i % 10 == 9 == held)));
        return (Part(false), Part(true));
    }

    private static double PerByte(Tokenizer tokenizer, byte[] text) => FertilityReport.Of(tokenizer, [("", text)]).Languages[0].PerByte;

    private static Dictionary<string, (ReadOnlyMemory<byte> Train, ReadOnlyMemory<byte> Held)> Declarations()
    {
        var path = Repo.SharedData("udhr/udhr.jsonl.xz");
        string[] wanted = ["en", "de", "fr", "sw", "fi", "hu", "ru", "el", "ar", "hi", "tr", "vi"];
        var languages = new JsonlSource { Path = path, Field = "bcp47" }.Read(new SourceReport()).Select(d => (d.Origin, Language: Encoding.UTF8.GetString(d.Utf8.Span)))
            .Where(d => wanted.Contains(d.Language)).DistinctBy(d => d.Language).ToDictionary(d => d.Origin, d => d.Language);
        var texts = new Dictionary<string, (ReadOnlyMemory<byte>, ReadOnlyMemory<byte>)>();
        foreach (var document in new JsonlSource { Path = path }.Read(new SourceReport()))
        {
            if (!languages.TryGetValue(document.Origin, out var language))
                continue;
            var lines = Encoding.UTF8.GetString(document.Utf8.Span).Split('\n');
            ReadOnlyMemory<byte> Part(bool held) => Encoding.UTF8.GetBytes(string.Join('\n', lines.Where((_, i) => i % 5 == 4 == held)));
            texts.Add(language, (Part(false), Part(true)));
        }

        Assert.True(texts.Count >= 10, $"only {texts.Count} of the languages are there");
        return texts;
    }
}

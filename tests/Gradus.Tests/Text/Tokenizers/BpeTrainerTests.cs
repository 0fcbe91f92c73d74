using System.Text;
using System.Text.Json;
using Gradus.Foundation.Files;
using Gradus.Text.Tokenizers;

namespace Gradus.Tests.Text.Tokenizers;

[Row("C1")]
public class BpeTrainerTests
{
    private const string Classic = "low low low low low lower lower newest newest newest newest newest newest widest widest widest";

    [Fact]
    public void Low_lower_newest_widest_merges_as_published()
    {
        // Sennrich et al. (2016): e s, es t, (the end of word,) l o, lo w.
        var options = new BpeTrainerOptions { VocabSize = 257 + 4, PreTokenizer = new RegexPreTokenizerOptions { Pattern = @"\S+" } };
        Assert.Equal(["e s", "es t", "l o", "lo w"], Merges(options.Train([Encoding.UTF8.GetBytes(Classic)])));
    }

    [Fact]
    public void Ties_by_greatest_bytes_merge_as_the_cs336_handout()
    {
        var options = new BpeTrainerOptions
        {
            VocabSize = 257 + 12, PreTokenizer = new RegexPreTokenizerOptions { Pattern = @"\S+" }, Ties = BpeTies.GreatestBytes,
        };
        Assert.Equal(
            ["s t", "e st", "o w", "l ow", "w est", "n e", "ne west", "w i", "wi d", "wid est", "low e", "lowe r"],
            Merges(options.Train([Encoding.UTF8.GetBytes(Classic)])));
    }

    [Fact]
    public void Cs336_corpus_gives_the_reference_vocabulary_and_merges()
    {
        var corpus = File.ReadAllBytes(Repo.SharedData("tok-cs336-bpe-reference/corpus.en"));
        var trained = new BpeTrainerOptions { VocabSize = 500, Ties = BpeTies.GreatestBytes }.Train([corpus]);
        Assert.Equal(File.ReadAllLines(Repo.SharedData("tok-cs336-bpe-reference/train-bpe-reference-merges.txt")), Merges(trained));
        using var vocab = JsonDocument.Parse(File.ReadAllBytes(Repo.SharedData("tok-cs336-bpe-reference/train-bpe-reference-vocab.json")));
        Assert.Equal(500, trained.VocabSize);
        Assert.Equal(500, vocab.RootElement.EnumerateObject().Count());
        foreach (var token in vocab.RootElement.EnumerateObject())
            Assert.Equal(token.Name, trained.NameOf(token.Value.GetInt32()));
    }

    [Fact]
    public void Moby_dick_gives_the_merges_of_the_rust_library()
    {
        var text = File.ReadAllBytes(Repo.SharedData("moby-dick/moby-dick.txt"));
        List<ReadOnlyMemory<byte>> lines = []; // as the library reads a file: a line at a time, with its line break
        for (var at = 0; at < text.Length;)
        {
            var end = Array.IndexOf(text, (byte)'\n', at) is >= 0 and var found ? found + 1 : text.Length;
            lines.Add(text.AsMemory(at, end - at));
            at = end;
        }

        var merges = Merges(new BpeTrainerOptions { VocabSize = 8192, SpecialTokens = [] }.Train(lines));
        using var expected = JsonDocument.Parse(File.ReadAllBytes(Repo.Fixture("bpe_trainer/moby_dick.json")));
        Assert.Equal(expected.RootElement.GetProperty("merges").GetInt32(), merges.Length);
        Assert.Equal(expected.RootElement.GetProperty("first").EnumerateArray().Select(m => m.GetString()), merges[..20]);
        Assert.Equal(expected.RootElement.GetProperty("last").EnumerateArray().Select(m => m.GetString()), merges[^20..]);
        Assert.Equal(
            expected.RootElement.GetProperty("sha256_of_each_thousand").EnumerateArray().Select(m => m.GetString()),
            merges.Chunk(1000).Select(some => Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', some))))));
    }

    [Fact]
    public void A_corpus_takes_the_memory_of_its_distinct_words_however_long_it_is()
    {
        byte[] page = [.. File.ReadAllBytes(Repo.SharedData("moby-dick/moby-dick.txt")).AsSpan(0, 300_000)];
        IEnumerable<ReadOnlyMemory<byte>> Pages(int count)
        {
            for (var i = 0; i < count; i++)
                yield return page;
        }

        long Allocated(int pages)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            new BpeTrainerOptions { VocabSize = 1000, Threads = 1 }.Train(Pages(pages));
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Allocated(1);
        var few = Allocated(10);
        var many = Allocated(100); // 27 MB more text
        Assert.True(few > 1_000_000, $"{few:N0} bytes: the training is on another thread, and this test sees nothing");
        Assert.InRange(many - few, -100_000, 100_000);
    }

    [Fact]
    public void The_other_tie_rule_gives_other_merges()
    {
        var corpus = File.ReadAllBytes(Repo.SharedData("tok-cs336-bpe-reference/corpus.en"));
        var trained = new BpeTrainerOptions { VocabSize = 500, Ties = BpeTies.LowestIds }.Train([corpus]);
        Assert.NotEqual(File.ReadAllLines(Repo.SharedData("tok-cs336-bpe-reference/train-bpe-reference-merges.txt")), Merges(trained));
    }

    [Fact]
    public void The_fast_trainer_equals_the_plain_one_on_random_corpora()
    {
        var random = new Random(4);
        for (var round = 0; round < 60; round++)
        {
            // Few letters and long words: overlapping pairs (aaa), and tokens that two pairs spell.
            var letters = "aabcé"[..random.Next(2, 6)];
            var corpus = string.Concat(Enumerable.Range(0, random.Next(20, 400)).Select(_ => random.Next(6) == 0 ? ' ' : letters[random.Next(letters.Length)]));
            var options = new BpeTrainerOptions
            {
                VocabSize = 257 + random.Next(1, 60), MinFrequency = random.Next(1, 4), Ties = (BpeTies)random.Next(2), Threads = 1,
            };
            Assert.Equal(PlainTrain(corpus, options), Merges(options.Train([Encoding.UTF8.GetBytes(corpus)])));
        }
    }

    [Fact]
    public void Threads_cuts_and_the_order_of_documents_change_nothing()
    {
        var novel = File.ReadAllBytes(Repo.SharedData("moby-dick/moby-dick.txt"));
        byte[] corpus = [.. novel, .. novel, .. novel]; // longer than one slice
        var expected = Merges(new BpeTrainerOptions { VocabSize = 2000, Threads = 1 }.Train([corpus]));
        Assert.Equal(2000 - 257, expected.Length);
        Assert.Equal(expected, Merges(new BpeTrainerOptions { VocabSize = 2000, Threads = 3 }.Train([corpus])));
        Assert.Equal(expected, Merges(new BpeTrainerOptions { VocabSize = 2000, Threads = 2 }.Train([novel, novel, novel])));
    }

    [Fact]
    public void Special_tokens_come_first_are_borders_and_are_never_learnt()
    {
        var text = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("ab<|sep|>ab cd<|endoftext|>", 50)));
        var trained = new BpeTrainerOptions { VocabSize = 300, SpecialTokens = ["<|endoftext|>", "<|sep|>", "abc"] }.Train([text, Encoding.UTF8.GetBytes("abcabcabc")]);
        Assert.Equal((0, 1, 2), (trained.IdOf("<|endoftext|>"), trained.IdOf("<|sep|>"), trained.IdOf("abc")));
        Assert.Equal(0, trained.EosId);
        Assert.DoesNotContain(Merges(trained), m => m.Contains('<') || m.Contains('|') || m.Replace(" ", "") == "abc");
    }

    [Fact]
    public void A_trained_tokenizer_spells_what_it_never_saw()
    {
        var trained = new BpeTrainerOptions { VocabSize = 400 }.Train([File.ReadAllBytes(Repo.SharedData("tok-cs336-bpe-reference/corpus.en"))]);
        foreach (var text in new[] { "日本語 🤗", "\u0000\u0001", "Ünïcödé", "the of and" })
            Assert.Equal(text, trained.Decode(trained.Encode(text)));
        Assert.Single(trained.Encode(" the"));
    }

    [Fact]
    public void Bad_options_are_one_clear_line()
    {
        ReadOnlyMemory<byte>[] text = ["some text"u8.ToArray()];
        Assert.Contains("vocab_size: 256 is too few", Assert.Throws<UserException>(() => new BpeTrainerOptions { VocabSize = 256 }.Train(text)).Message);
        Assert.Contains("twice", Assert.Throws<UserException>(() => new BpeTrainerOptions { SpecialTokens = ["<a>", "<a>"] }.Train(text)).Message);
        Assert.Contains("empty", Assert.Throws<UserException>(() => new BpeTrainerOptions { SpecialTokens = [""] }.Train(text)).Message);
        Assert.Contains("single byte", Assert.Throws<UserException>(() => new BpeTrainerOptions { SpecialTokens = ["a"] }.Train(text)).Message);
        Assert.Contains("no text", Assert.Throws<UserException>(() => new BpeTrainerOptions().Train([])).Message);
    }

    private static string[] Merges(Tokenizer tokenizer) =>
        [.. ((ByteLevelBpe)tokenizer).Model.Merges.ByRank().Select(m => $"{tokenizer.NameOf(m.Left)} {tokenizer.NameOf(m.Right)}")];

    /// <summary>The definition of BPE training, literally: count all pairs of all words anew for every merge.</summary>
    private static string[] PlainTrain(string corpus, BpeTrainerOptions options)
    {
        var words = new List<Piece>();
        var bytes = Encoding.UTF8.GetBytes(corpus);
        Gpt2Splitter.Instance.SplitAll(bytes, words);
        var order = ByteAlphabet.InCharOrder();
        List<byte[]> tokens = [[], .. order.Select(b => new[] { b })];
        List<List<int>> texts = [.. words.Select(w => bytes[w.Start..w.End].Select(b => Array.IndexOf(order, b) + 1).ToList())];
        List<string> merges = [];
        while (tokens.Count < options.VocabSize)
        {
            var counts = new Dictionary<(int Left, int Right), int>();
            foreach (var text in texts)
                for (var i = 0; i + 1 < text.Count; i++)
                    counts[(text[i], text[i + 1])] = counts.GetValueOrDefault((text[i], text[i + 1])) + 1;
            var best = (Left: -1, Right: -1);
            foreach (var (pair, count) in counts)
                if (count >= options.MinFrequency && (best.Left < 0 || count > counts[best] || (count == counts[best] && Before(pair, best))))
                    best = pair;
            if (best.Left < 0)
                break;
            byte[] joined = [.. tokens[best.Left], .. tokens[best.Right]];
            var id = tokens.FindIndex(t => t.AsSpan().SequenceEqual(joined));
            if (id < 0)
            {
                id = tokens.Count;
                tokens.Add(joined);
            }

            merges.Add($"{ByteAlphabet.Write(tokens[best.Left])} {ByteAlphabet.Write(tokens[best.Right])}");
            foreach (var text in texts)
                for (var i = 0; i + 1 < text.Count; i++)
                    if (text[i] == best.Left && text[i + 1] == best.Right)
                    {
                        text[i] = id;
                        text.RemoveAt(i + 1);
                    }
        }

        return [.. merges];

        bool Before((int Left, int Right) x, (int Left, int Right) y)
        {
            if (options.Ties == BpeTies.LowestIds)
                return x.CompareTo(y) < 0;
            var order = tokens[x.Left].AsSpan().SequenceCompareTo(tokens[y.Left]);
            return order != 0 ? order > 0 : tokens[x.Right].AsSpan().SequenceCompareTo(tokens[y.Right]) > 0;
        }
    }
}

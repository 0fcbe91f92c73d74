using System.Text;
using Gradus.Text.Tokenizers;

namespace Gradus.Tests.Text.Tokenizers;

/// <summary>BPE-dropout (Provilkov et al., 2020) on the fast byte-level path: against probabilities worked out by hand, and against the pipeline.</summary>
[Row("C1")]
public class DropoutTests
{
    private const string Text = "Call me Ishmael. Some years ago—never mind how long precisely—\n\thaving little 12345 or no money é日本🤗";

    [Fact]
    public void Spellings_come_as_often_as_their_probability_says()
    {
        // l o → lo, lo w → low. The first is left out with p: l o w. Else the second is left out with p: lo w. Else low.
        var tokenizer = Small();
        const double P = 0.3;
        const int Draws = 20_000;
        var counts = new Dictionary<string, int>();
        for (var seed = 0; seed < Draws; seed++)
        {
            var spelling = string.Join(' ', Sampled(tokenizer, "low", seed, P).Select(tokenizer.NameOf));
            counts[spelling] = counts.GetValueOrDefault(spelling) + 1;
        }

        Assert.Equal(["l o w", "lo w", "low"], counts.Keys.Order(StringComparer.Ordinal));
        foreach (var (spelling, expected) in new[] { ("l o w", P), ("lo w", P * (1 - P)), ("low", (1 - P) * (1 - P)) })
            Assert.Equal(expected, counts[spelling] / (double)Draws, 4 * Math.Sqrt(expected * (1 - expected) / Draws)); // four standard deviations
        for (var seed = 0; seed < 1000; seed++) // the control: with nothing left out there is one spelling
            Assert.Single(Sampled(tokenizer, "low", seed, 0));
    }

    [Fact]
    public void A_merge_that_was_left_out_is_due_again_after_the_next_that_is_made()
    {
        // Merges a b and c d, of which neither needs the other. Whoever is left out while the other is made gets a second draw: only if ab comes first is it over.
        var tokenizer = new BpeTrainerOptions { VocabSize = 258, SpecialTokens = [], PreTokenizer = new RegexPreTokenizerOptions { Pattern = @"\S+" } }.Train([Encoding.UTF8.GetBytes("ab ab ab cd cd")]);
        const double P = 0.4;
        const int Draws = 20_000;
        var counts = new Dictionary<string, int>();
        for (var seed = 0; seed < Draws; seed++)
        {
            var spelling = string.Join(' ', Sampled(tokenizer, "abcd", seed, P).Select(tokenizer.NameOf));
            counts[spelling] = counts.GetValueOrDefault(spelling) + 1;
        }

        foreach (var (spelling, expected) in new[] { ("ab cd", (1 - P) * (1 - P) * (1 + P)), ("a b cd", P * P * (1 - P)), ("ab c d", P * (1 - P)), ("a b c d", P * P) })
            Assert.Equal(expected, counts[spelling] / (double)Draws, 4 * Math.Sqrt(expected * (1 - expected) / Draws)); // four standard deviations
    }

    [Theory]
    [InlineData("tok-gpt2/tokenizer.json")]
    [InlineData("tok-tiktoken/cl100k_base.tiktoken")]
    public void Nothing_left_out_is_the_best_spelling_all_left_out_are_bytes_and_between_grows_with_the_share(string path)
    {
        var tokenizer = Assert.IsType<ByteLevelBpe>(Tokenizer.Load(Repo.SharedData(path)));
        Assert.Equal(tokenizer.Encode(Text), Sampled(tokenizer, Text, 1, 0));
        Assert.Equal(tokenizer.Encode(Text), Sampled(tokenizer, Text, 1, null));
        var bytes = Encoding.UTF8.GetBytes(Text);
        Assert.Equal(bytes.Length, Sampled(tokenizer, Text, 1, 1).Count);
        double last = tokenizer.Encode(Text).Length;
        foreach (var share in new[] { 0.1, 0.4, 0.7, 1 })
        {
            var ids = Sampled(tokenizer, Text, 5, share);
            Assert.Equal(bytes, ids.SelectMany(id => tokenizer.TokenBytes(id).ToArray()));
            var mean = Enumerable.Range(0, 40).Average(seed => Sampled(tokenizer, Text, seed, share).Count);
            Assert.True(mean > last, $"{mean} tokens at {share}, {last} before");
            last = mean;
        }
    }

    [Theory]
    [InlineData("tok-gpt2/tokenizer.json")]
    [InlineData("tok-tiktoken/cl100k_base.tiktoken")]
    public void A_seed_draws_the_same_always_and_on_both_paths_and_another_seed_draws_another(string path)
    {
        var tokenizer = Tokenizer.Load(Repo.SharedData(path));
        var seen = new HashSet<string>();
        for (var seed = 0; seed < 50; seed++)
        {
            var ids = Sampled(tokenizer, Text, seed, 0.2);
            Assert.Equal(ids, Sampled(tokenizer, Text, seed, 0.2));
            Assert.Equal(ids, tokenizer.Tokenize(Text, options: new() { SamplingSeed = seed, Dropout = 0.2 }).Ids); // the pipeline, with offsets
            seen.Add(string.Join(' ', ids));
        }

        Assert.True(seen.Count > 45, $"{seen.Count} spellings of 50");
        Assert.Equal(tokenizer.Encode(Text), Tokenizer.Load(Repo.SharedData(path)).Encode(Text)); // and leaves no trace in a cache
        Assert.Equal(tokenizer.Encode(Text), tokenizer.Encode(Text));
    }

    [Fact]
    public void Special_tokens_and_the_form_of_the_text_are_kept()
    {
        var qwen = Tokenizer.Load(Repo.Fixture("tokenizers/shapes/qwen-2.json"));
        var ids = Sampled(qwen, "e\u0301<tool_call>x", 3, 1);
        Assert.Contains(459, ids); // an added token that is no control token is never cut
        Assert.Equal("é<tool_call>x", qwen.Decode([.. ids]));
    }

    [Fact]
    public void What_makes_no_sense_is_refused()
    {
        var tokenizer = Small();
        Assert.Throws<ArgumentOutOfRangeException>(() => Sampled(tokenizer, "low", 1, 1.5));
        Assert.Throws<ArgumentOutOfRangeException>(() => Sampled(tokenizer, "low", 1, double.NaN));
        Assert.Throws<ArgumentException>(() => tokenizer.Tokenize("low", options: new() { Dropout = 0.5 }));
        var unigram = Tokenizer.Load(Repo.SharedData("tok-t5/spiece.model"));
        Assert.Throws<NotSupportedException>(() => Sampled(unigram, "low", 1, 0.5));
        Assert.NotEqual(Sampled(unigram, Text, 1, null), Sampled(unigram, Text, 2, null)); // unigrams are sampled in their own way
    }

    private static Tokenizer Small() => new BpeTrainerOptions { VocabSize = 258, SpecialTokens = [], PreTokenizer = new RegexPreTokenizerOptions { Pattern = @"\S+" } }
        .Train([Encoding.UTF8.GetBytes("low low low lox")]);

    private static List<int> Sampled(Tokenizer tokenizer, string text, int seed, double? dropout)
    {
        var ids = new List<int>();
        tokenizer.Sample(Encoding.UTF8.GetBytes(text), ids, seed, dropout, addSpecialTokens: false);
        return ids;
    }
}

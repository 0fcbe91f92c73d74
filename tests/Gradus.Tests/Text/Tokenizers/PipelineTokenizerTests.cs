using System.Text.Json;
using Gradus.Text.Tokenizers;

namespace Gradus.Tests.Text.Tokenizers;

/// <summary>Whole tokenizers in the shapes of published ones, against the Rust library (tests/fixtures/tokenizers/shapes.mjs).</summary>
[Row("C2", "C4", "C5")]
public class PipelineTokenizerTests
{
    public static TheoryData<string> Shapes => new(
        "llama-2", "llama-3", "qwen-2", "phi", "gpt-neox", "roberta", "mistral-v1", "mistral-v3", "gemma", "distilbert", "bert-cased", "albert", "xlnet", "t5", "falcon",
        "starcoder", "deepseek-coder", "deepseek-v3", "gpt-4o", "bloom", "clip", "openai-gpt", "word-level", "bpe-affixes");

    [Fact]
    public void Every_shape_is_tested() => Assert.Equal(
        Directory.GetFiles(Repo.Fixture("tokenizers/shapes"), "*.expected.json").Select(f => Path.GetFileName(f)[..^".expected.json".Length]).Order(),
        Shapes.Select(s => s.Data).Order());

    [Theory]
    [MemberData(nameof(Shapes))]
    public void A_published_shape_agrees_with_the_reference_in_everything(string shape) =>
        AssertAll(Tokenizer.Load(Repo.Fixture($"tokenizers/shapes/{shape}.json")), Repo.Fixture($"tokenizers/shapes/{shape}.expected.json"), atLeast: 24);

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Saved_and_loaded_it_says_and_does_the_same(string shape)
    {
        using var folder = Repo.Temp();
        var file = Repo.Fixture($"tokenizers/shapes/{shape}.json");
        Tokenizer.Load(file).Save(folder.Path);
        using var before = JsonDocument.Parse(File.ReadAllBytes(file));
        using var after = JsonDocument.Parse(File.ReadAllBytes(folder.File("tokenizer.json")));
        foreach (var part in before.RootElement.EnumerateObject())
            Assert.True(
                part.Name == "model" || JsonElement.DeepEquals(part.Value, after.RootElement.GetProperty(part.Name)), $"{part.Name} became {after.RootElement.GetProperty(part.Name).GetRawText()}");
        foreach (var setting in before.RootElement.GetProperty("model").EnumerateObject())
            if (setting.Name is not ("merges" or "vocab"))
                Assert.True(JsonElement.DeepEquals(setting.Value, after.RootElement.GetProperty("model").GetProperty(setting.Name)), setting.Name);
        AssertAll(Tokenizer.Load(folder.Path), Repo.Fixture($"tokenizers/shapes/{shape}.expected.json"), atLeast: 24);
    }

    [Fact]
    public void Truncation_and_padding_do_what_the_reference_does()
    {
        var bert = Tokenizer.Load(Repo.Fixture("tokenizers/shapes/distilbert.json"));
        using var cases = JsonDocument.Parse(File.ReadAllBytes(Repo.Fixture("tokenizers/truncation.json")));
        var count = 0;
        foreach (var item in cases.RootElement.EnumerateArray())
        {
            count++;
            var options = new TokenizeOptions { ParseSpecialTokens = true };
            if (item.TryGetProperty("truncation", out var t))
                options = options with
                {
                    Truncation = new()
                    {
                        MaxLength = t.GetProperty("maxLength").GetInt32(), Stride = t.GetProperty("stride").GetInt32(),
                        Strategy = Enum.Parse<TruncationStrategy>(t.GetProperty("strategy").GetString()!), Direction = Enum.Parse<CutSide>(t.GetProperty("direction").GetString()!),
                    },
                };
            if (item.TryGetProperty("padding", out var p))
                options = options with
                {
                    Padding = new()
                    {
                        Length = p.GetProperty("maxLength").GetInt32(), MultipleOf = p.GetProperty("padToMultipleOf").GetInt32(), PadId = p.GetProperty("padId").GetInt32(),
                        PadTypeId = p.GetProperty("padTypeId").GetInt32(), PadToken = p.GetProperty("padToken").GetString()!, Direction = Enum.Parse<CutSide>(p.GetProperty("direction").GetString()!),
                    },
                };
            AssertSame(item, bert.Tokenize(item.GetProperty("text").GetString()!, item.GetProperty("pair").GetString(), options), item.GetRawText()[..150]);
        }

        Assert.True(count >= 40);
    }

    [Fact]
    public void What_the_file_says_of_truncation_and_padding_is_kept_and_applied_only_when_asked()
    {
        using var folder = Repo.Temp();
        var json = File.ReadAllText(Repo.Fixture("tokenizers/shapes/distilbert.json"))
            .Replace("\"truncation\":null", "\"truncation\":" + """{"direction":"Left","max_length":6,"strategy":"OnlyFirst","stride":1}""")
            .Replace("\"padding\":null", "\"padding\":" + """{"strategy":{"Fixed":9},"direction":"Left","pad_to_multiple_of":4,"pad_id":0,"pad_type_id":1,"pad_token":"[PAD]"}""");
        File.WriteAllText(folder.File("tokenizer.json"), json);
        var tokenizer = Tokenizer.Load(folder.Path);
        Assert.Equal(new TruncationOptions { MaxLength = 6, Stride = 1, Strategy = TruncationStrategy.OnlyFirst, Direction = CutSide.Left }, tokenizer.FileTruncation);
        Assert.Equal(new PaddingOptions { Length = 9, MultipleOf = 4, Direction = CutSide.Left, PadTypeId = 1 }, tokenizer.FilePadding);
        Assert.Equal(10, tokenizer.Tokenize("the quick brown fox jumps over the lazy").Ids.Count);
        var asked = tokenizer.Tokenize("the quick brown fox jumps over the lazy", options: new() { Truncation = tokenizer.FileTruncation, Padding = tokenizer.FilePadding });
        Assert.Equal(12, asked.Ids.Count);
        Assert.Equal(6, asked.AttentionMask.Sum());
        tokenizer.Save(folder.Path);
        Assert.Equal((tokenizer.FileTruncation, tokenizer.FilePadding), (Tokenizer.Load(folder.Path).FileTruncation, Tokenizer.Load(folder.Path).FilePadding));
    }

    [Fact]
    public void A_batch_is_padded_to_its_longest_whatever_the_threads()
    {
        var bert = Tokenizer.Load(Repo.Fixture("tokenizers/shapes/distilbert.json"));
        (string, string?)[] texts = [("the fox", null), ("", null), ("the quick brown fox", "jumps"), ("dog", "the lazy dog")];
        var one = bert.TokenizeBatch(texts, new() { Padding = new(), Threads = 1 });
        var many = bert.TokenizeBatch(texts, new() { Padding = new(), Threads = 3 });
        Assert.Single(one.Select(e => e.Ids.Count).Distinct());
        for (var i = 0; i < texts.Length; i++)
            Assert.Equal(one[i].Ids, many[i].Ids);
    }

    [Fact]
    [Row("C9")]
    public void Text_that_looks_like_a_special_token_stays_text_unless_asked()
    {
        foreach (var (shape, name) in new[] { ("word-level", "[PAD]"), ("llama-2", "</s>"), ("distilbert", "[SEP]"), ("llama-3", "<|eot_id|>"), ("t5", "</s>") })
        {
            var tokenizer = Tokenizer.Load(Repo.Fixture($"tokenizers/shapes/{shape}.json"));
            var id = tokenizer.IdOf(name)!.Value;
            Assert.DoesNotContain(id, tokenizer.Encode("hi " + name, addSpecialTokens: false));
            Assert.Contains(id, tokenizer.EncodeParsed("hi " + name, addSpecialTokens: false));
            Assert.DoesNotContain(id, tokenizer.Tokenize("hi " + name, options: new() { AddSpecialTokens = false }).Ids);
        }
    }

    [Fact]
    public void One_huge_piece_takes_time_in_proportion()
    {
        var tokenizer = Tokenizer.Load(Repo.Fixture("tokenizers/shapes/llama-2.json"));
        foreach (var text in new[] { new string('a', 1_000_000), new string('^', 1_000_000), new string(' ', 1_000_000), string.Concat(Enumerable.Repeat("日本", 200_000)) })
        {
            var start = System.Diagnostics.Stopwatch.GetTimestamp();
            var ids = tokenizer.Encode(text, addSpecialTokens: false);
            Assert.True(System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalSeconds < 10); // 2 s on an idle core; the tests share theirs
            Assert.Equal(text, tokenizer.Decode(ids));
        }
    }

    [Fact]
    public void Sampling_changes_spellings_and_decodes_to_the_same()
    {
        using var folder = Repo.Temp();
        File.WriteAllText(folder.File("tokenizer.json"), File.ReadAllText(Repo.Fixture("tokenizers/shapes/llama-2.json")).Replace("\"dropout\":null", "\"dropout\":0.5"));
        var tokenizer = Tokenizer.Load(folder.Path);
        const string Text = "the quick brown fox jumps over the lazy dog";
        var spellings = Enumerable.Range(0, 20).Select(seed => tokenizer.Tokenize(Text, options: new() { SamplingSeed = seed }).Ids).ToList();
        Assert.True(spellings.Select(s => string.Join(',', s)).Distinct().Count() > 10);
        Assert.All(spellings, s => Assert.Equal(Text, tokenizer.Decode([.. s])));
        Assert.Equal(spellings[3], tokenizer.Tokenize(Text, options: new() { SamplingSeed = 3 }).Ids);
        Assert.Equal(tokenizer.Encode(Text), tokenizer.Tokenize(Text).Ids);
    }

    internal static void AssertAll(Tokenizer tokenizer, string expectedFile, int atLeast)
    {
        using var cases = JsonDocument.Parse(File.ReadAllBytes(expectedFile));
        var count = 0;
        foreach (var item in cases.RootElement.EnumerateArray())
        {
            count++;
            var (text, pair, special) = (item.GetProperty("text").GetString()!, item.GetProperty("pair").GetString(), item.GetProperty("special").GetBoolean());
            var what = $"{JsonSerializer.Serialize(text)} + {JsonSerializer.Serialize(pair)}";
            AssertSame(item, tokenizer.Tokenize(text, pair, new() { AddSpecialTokens = special, ParseSpecialTokens = true }), what);
            int[] ids = [.. item.GetProperty("ids").EnumerateArray().Select(i => i.GetInt32())];
            if (pair is null)
                Assert.True(ids.SequenceEqual(tokenizer.EncodeParsed(text, special)), what);
            foreach (var skip in new[] { true, false })
            {
                var decoded = tokenizer.Decode(ids, skip);
                Assert.Equal(item.GetProperty(skip ? "decoded" : "decodedAll").GetString(), decoded);
                var stream = new StreamingDecoder(tokenizer, skip);
                Assert.Equal(decoded, string.Concat(ids.Select(stream.Push)) + stream.Flush());
            }
        }

        Assert.True(count >= atLeast);
    }

    private static void AssertSame(JsonElement expected, TokenEncoding got, string what)
    {
        Check("ids", got.Ids);
        Check("types", got.TypeIds);
        Check("tokens", got.Tokens);
        if (expected.TryGetProperty("words", out _))
            Check("words", got.WordIds);
        Check("mask", got.SpecialTokensMask);
        Check("attention", got.AttentionMask);
        Check("sequences", got.SequenceIds);
        Check("offsets", got.CharOffsets.Select(o => new[] { o.Start, o.End }));
        if (!expected.TryGetProperty("overflow", out var overflow))
            return;
        Assert.True(overflow.GetArrayLength() == got.Overflowing.Count, $"{what}: {got.Overflowing.Count} parts overflow, not {overflow.GetArrayLength()}");
        for (var i = 0; i < got.Overflowing.Count; i++)
            AssertSame(overflow[i], got.Overflowing[i], what + $" overflow {i}");

        void Check<T>(string name, IEnumerable<T> values)
        {
            var written = JsonSerializer.SerializeToElement(values);
            Assert.True(JsonElement.DeepEquals(expected.GetProperty(name), written), $"{what}: {name} {written.GetRawText()}, not {expected.GetProperty(name).GetRawText()}");
        }
    }
}

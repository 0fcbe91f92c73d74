using Gradus.Cli;
using Gradus.Engine.Files;
using Gradus.Engine.Tensors;
using Gradus.Models.Families;
using Gradus.Text.Tokenizers;

namespace Gradus.Tests.Cli;

/// <summary><c>gradus tokenizer inspect|compare|chat|add</c>.</summary>
public sealed class TokenizerToolsTests
{
    [Fact]
    [Row("C8")]
    public void Planted_glitch_tokens_are_found_and_few_others()
    {
        const int Rows = 4000, Width = 48;
        var random = new Random(7);
        double Normal() => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
        var rows = new float[Rows * Width];
        for (var i = 0; i < Rows; i++)
        {
            var length = 0.5 * Math.Exp(0.08 * Normal()); // trained rows differ in length
            for (var j = 0; j < Width; j++) rows[(i * Width) + j] = (float)(0.02 * (j % 3) + length * Normal() / Math.Sqrt(Width));
        }
        int[] planted = [17, 1234, 3999];
        foreach (var id in planted)
            for (var j = 0; j < Width; j++) rows[(id * Width) + j] = (float)(0.02 * Normal() / Math.Sqrt(Width)); // as initialised, never moved
        var counts = new long[Rows];
        Array.Fill(counts, 5);
        foreach (var id in planted) counts[id] = 0;

        var suspects = GlitchTokens.Find(rows, Width, Rows, null);
        Assert.Superset(planted.ToHashSet(), suspects.Select(s => s.Id).ToHashSet());
        Assert.True(suspects.Count <= planted.Length + (Rows / 1000), $"{suspects.Count} suspects");
        Assert.Equal(planted.Order(), GlitchTokens.Find(rows, Width, Rows, counts).Select(f => f.Id).Order());
        counts[17] = 1; // seen after all
        Assert.DoesNotContain(17, GlitchTokens.Find(rows, Width, Rows, counts).Select(f => f.Id));
    }

    [Fact]
    [Row("C8", "C9")]
    public void Tokens_are_added_to_a_model_its_other_weights_stay_to_the_byte_and_an_untrained_one_is_found()
    {
        using var toy = new ToyRun(steps: 4, saveEvery: 4);
        toy.Train("run").Done();
        var model = toy.InFolder("run/model");
        var before = Tokenizer.Load(model).VocabSize;
        CommandLine.Run(toy.Here, "tokenizer", "add", "run/model", "--tokens", "<|note|>,zebra", "--special", "--pad-to-multiple", "64", "--out", "grown").Done();
        Assert.Contains("is there already", CommandLine.Run(toy.Here, "tokenizer", "add", "run/model", "--tokens", "<|x|>", "--out", "grown").Refusal(), StringComparison.Ordinal);
        Assert.Contains("is a token already", CommandLine.Run(toy.Here, "tokenizer", "add", "grown", "--tokens", "<|note|>", "--out", "again").Refusal(), StringComparison.Ordinal);

        var tokenizer = Tokenizer.Load(toy.InFolder("grown"));
        Assert.Equal(before + 2, tokenizer.VocabSize);
        Assert.Equal([before], tokenizer.EncodeParsed("<|note|>", addSpecialTokens: false));
        Assert.DoesNotContain(before, tokenizer.Encode("<|note|>", addSpecialTokens: false));
        using var old = WeightFolder.Open(model);
        using var grown = WeightFolder.Open(toy.InFolder("grown"));
        Assert.Equal(old.Entries.Keys.Order(StringComparer.Ordinal), grown.Entries.Keys.Order(StringComparer.Ordinal));
        foreach (var entry in old.Entries.Values)
        {
            var (a, b) = (new byte[entry.ByteCount], new byte[grown.Entry(entry.Name).ByteCount]);
            old.Read(entry.Name, a);
            grown.Read(entry.Name, b);
            Assert.True(a.AsSpan().SequenceEqual(b.AsSpan(0, a.Length)), entry.Name);
            if (entry.Name is not ("model.embed_tokens.weight" or "lm_head.weight"))
            {
                Assert.Equal(a.Length, b.Length);
                continue;
            }

            Assert.Equal(0, grown.Entry(entry.Name).Shape[0] % 64);
            var (rows, width) = (GlitchTokens.Floats(DType.Float32, b, entry.Name), (int)entry.Shape[1]);
            for (var j = 0; j < width; j++)
                Assert.Equal(Enumerable.Range(0, before).Average(i => (double)rows[(i * width) + j]), rows[((before + 1) * width) + j], 1e-6);
        }
        using (var loaded = ModelFolder.Load(toy.InFolder("grown")).Model)
            Assert.Equal(grown.Entry("model.embed_tokens.weight").Shape[0], loaded.VocabSize);

        // Rows that are the mean of all are the furthest from what training leaves.
        var glitches = CommandLine.Run(toy.Here, "tokenizer", "inspect", "grown", "--glitch", "grown", "--json").Done();
        Assert.Contains($"\"id\":{before},", glitches.Out, StringComparison.Ordinal);
    }

    [Fact]
    [Row("C9")]
    public void Inspect_compare_and_chat_show_what_they_say()
    {
        using var folder = Repo.Temp();
        var here = CommandLine.Settings.In(folder.Path);
        new BpeTrainerOptions { VocabSize = 300, SpecialTokens = ["<|end|>"] }.Train([System.Text.Encoding.UTF8.GetBytes(ToyRun.Text())]).Save(folder.File("t"));
        var shown = CommandLine.Run(here, "tokenizer", "inspect", "t", "--text", "a whale <|end|>\u001b[31m 😀\n", "--html", "page.html").Done();
        Assert.DoesNotContain('\u001b', shown.Out);
        Assert.Contains("0..", shown.Out, StringComparison.Ordinal);
        var page = File.ReadAllText(folder.File("page.html"));
        Assert.StartsWith("<!doctype html>", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<|end|>", page, StringComparison.Ordinal); // it is encoded
        Assert.DoesNotContain("http", page, StringComparison.Ordinal); // nothing is loaded from elsewhere
        Assert.Contains("data-tip=\"id ", page, StringComparison.Ordinal);

        var json = CommandLine.Run(here, "tokenizer", "inspect", "t", "--text", "a whale", "--json").Done().Lines.Select(l => System.Text.Json.JsonDocument.Parse(l).RootElement).ToArray();
        Assert.Equal("a whale", string.Concat(json.Select(t => t.GetProperty("text").GetString())));
        Assert.Equal(7, json[^1].GetProperty("bytes")[1].GetInt32());

        File.WriteAllText(folder.File("c.jsonl"), ToyRun.Text());
        var row = CommandLine.Run(here, "tokenizer", "compare", "t", "--file", "c.jsonl", "--json").Done().Json;
        Assert.InRange(row.GetProperty("bytes_per_token").GetDouble(), 1.1, 20);
        Assert.Equal(300, row.GetProperty("vocabulary").GetInt32());

        Assert.Contains("no chat template", CommandLine.Run(here, "tokenizer", "chat", "t").Refusal(), StringComparison.Ordinal);
        File.WriteAllText(folder.File("t/chat_template.jinja"), "{% for m in messages %}{{ m.role }}: {{ m.content }}<|end|>{% endfor %}");
        File.WriteAllText(folder.File("m.json"), """[{"role": "user", "content": "Hi <|end|>"}, {"role": "assistant", "content": "Ho"}]""");
        var talk = CommandLine.Run(here, "tokenizer", "chat", "t", "--messages", "m.json", "--json").Done().Json;
        Assert.Equal("user: Hi <|end|><|end|>assistant: Ho<|end|>", talk.GetProperty("text").GetString());
        var end = Tokenizer.Load(folder.File("t")).IdOf("<|end|>");
        Assert.Equal(2, talk.GetProperty("ids").EnumerateArray().Count(id => id.GetInt32() == end));
        Assert.Contains("content: missing", CommandLine.Run(here with { Input = "[{\"role\": \"user\"}]"u8.ToArray() }, "tokenizer", "chat", "t", "--messages", "-").Refusal(), StringComparison.Ordinal);
    }
}

using System.Text.Json;
using Gradus.Models.Peft;
using Gradus.Text.Tokenizers;

namespace Gradus.Tests.Cli;

/// <summary>What an adapter is worth away from the run that made it: merged, with tokens of its own, over another base.</summary>
public sealed class AdapterCommandTests : IDisposable
{
    private static readonly string[] s_tune = ["--set", "tokenizer=null", "--set", "optimizer.learning_rate=1e-2"];
    private readonly ToyRun _toy = new(steps: 30);

    public AdapterCommandTests() => _toy.Train("base").Done();

    public void Dispose() => _toy.Dispose();

    [Fact]
    [Row("Y5", "I15")]
    public void A_merge_adds_to_the_weights_in_few_bits_that_the_adapter_learned_over_and_one_that_drifts_is_not_written()
    {
        _toy.Train("tuned", [.. s_tune, "--set", "model.from=base/model", "--set", "adapter={kind: lora, rank: 4, base: {kind: nf4}}"]).Done();
        var drift = Run("adapter", "merge", "tuned", "--out", "merged", "--json").Done().Json;
        Assert.InRange(drift.GetProperty("mean_kl").GetDouble(), -1e-9, 1e-9);
        Assert.Equal(Bits("tuned"), Bits("merged"), 6);

        // The control: the same adapter over the base as it was before NF4 is another model.
        Directory.CreateDirectory(_toy.InFolder("loose"));
        foreach (var file in Directory.GetFiles(_toy.InFolder("tuned/adapter"))) File.Copy(file, Path.Combine(_toy.InFolder("loose"), Path.GetFileName(file)));
        var weights = Path.Combine(_toy.InFolder("loose"), AdapterFolder.WeightsName);
        var bytes = File.ReadAllBytes(weights);
        var at = bytes.AsSpan().IndexOf("gradus_base_held"u8);
        Assert.True(at > 0);
        "gradus_base_free"u8.CopyTo(bytes.AsSpan(at));
        File.WriteAllBytes(weights, bytes);
        Assert.NotEqual(Bits("tuned"), Bits("loose"), 4);

        // The gate: rounded to bfloat16 it changes a little, which is let through or not, and then nothing is written.
        Assert.Contains("not written: merged in bfloat16 the model predicts other tokens", Run("adapter", "merge", "tuned", "--out", "rounded", "--dtype", "bfloat16", "--max-kl", "1e-9").Refusal(), StringComparison.Ordinal);
        Assert.False(Directory.Exists(_toy.InFolder("rounded")));
        Assert.InRange(Run("adapter", "merge", "tuned", "--out", "rounded", "--dtype", "bfloat16", "--json").Done().Json.GetProperty("mean_kl").GetDouble(), 1e-9, 0.05);
    }

    [Fact]
    [Row("Y17")]
    public void An_adapter_brings_the_tokens_it_added_with_their_rows_and_another_base_is_one_line()
    {
        Run("tokenizer", "add", "base/model", "--tokens", "<|note|>", "--special", "--out", "grown").Done();
        _toy.Train("tuned", [.. s_tune, "--set", "model.from=grown", "--set", "adapter={kind: lora, rank: 4, modules_to_save: [embed_tokens, lm_head]}"]).Done();
        var (before, after) = (Tokenizer.Load(_toy.InFolder("base/model")), Tokenizer.Load(_toy.InFolder("tuned/adapter")));
        Assert.Equal((before.VocabSize + 1, before.VocabSize), (after.VocabSize, after.IdOf("<|note|>")!.Value));
        var tables = AdapterFolder.Tensors(_toy.InFolder("tuned/adapter")).Where(t => t.Key.Contains("embed_tokens", StringComparison.Ordinal) || t.Key.Contains("lm_head", StringComparison.Ordinal)).ToList();
        Assert.Equal(2, tables.Count);
        Assert.All(tables, t => Assert.Equal(after.VocabSize, t.Value[0]));
        // Over the base that has the rows it works, whichever of the two is named; merged, the whole goes along.
        Run("generate", "tuned", "--prompt", "<|note|>the sea", "--max-new-tokens", "3").Done();
        Run("generate", "grown", "--adapter", "tuned", "--prompt", "the sea", "--max-new-tokens", "3").Done();
        Run("adapter", "merge", "tuned", "--out", "merged").Done();
        Assert.Equal(after.VocabSize, Tokenizer.Load(_toy.InFolder("merged")).VocabSize);
        // The control: the base that it grew out of has no such rows.
        Assert.Contains("was trained over another base (grown)", Run("generate", "base", "--adapter", "tuned", "--prompt", "the sea").Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    [Row("I17")]
    public void Settings_of_tuning_recipes_name_their_source_and_a_grid_over_set_picks_by_validation()
    {
        // Where to start: every recipe says what a real base wants, and who found it.
        foreach (var path in Directory.GetFiles(Path.Combine(Repo.Root, "recipes", "sft"), "*.yaml").Concat(Directory.GetFiles(Path.Combine(Repo.Root, "recipes", "classify"), "*.yaml")))
        {
            var comments = string.Join(' ', File.ReadLines(path).Where(line => line.StartsWith('#')));
            Assert.True(comments.Contains("et al.", StringComparison.Ordinal) && comments.Contains("learning_rate", StringComparison.Ordinal), path);
        }
        // And from there: any grid or search drives the same command and reads the same line.
        var losses = new[] { "3e-4", "3e-3", "1e-2" }.ToDictionary(rate => rate, rate =>
        {
            var lines = _toy.Train($"rate-{rate}", "--json", "--set", "tokenizer=null", "--set", "model.from=base/model", "--set", "adapter={kind: lora, rank: 4}", "--set", $"optimizer.learning_rate={rate}").Done().Lines;
            return lines.Select(l => JsonDocument.Parse(l).RootElement).Last(e => e.GetProperty("event").GetString() == "validation").GetProperty("loss").GetDouble();
        });
        Assert.True(losses["3e-4"] > losses.Values.Min() + 0.01, string.Join(", ", losses));
    }

    private Outcome Run(params string[] args) => CommandLine.Run(_toy.Here, args);

    private double Bits(string model)
    {
        var text = string.Join('\n', ToyRun.Text(12).Split('\n').Where(l => l.Length > 0).Select(l => JsonDocument.Parse(l).RootElement.GetProperty("text").GetString()));
        File.WriteAllText(_toy.InFolder("held.txt"), text);
        return Run("eval", model, "--data", "held.txt", "--length", "16", "--json").Done().Json.GetProperty("bits_per_byte").GetDouble();
    }
}

/// <summary>A published base becomes a writer of news, with the program a user has: collect, clean, leave out copies, cut into rows, tune, measure, write.</summary>
public sealed class NewsTests : IDisposable
{
    private readonly TempFolder _folder = Repo.Temp();

    public void Dispose() => _folder.Dispose();

    [Fact]
    [Row("I18")]
    public void A_llama_learns_to_write_news_from_a_small_corpus()
    {
        var (stories, sentences) = (Repo.SharedData("ckpt-stories260K/stories260K.bin"), File.ReadAllLines(Repo.SharedData("onmt-en-de-10k/src-train.txt")));
        Run("convert", stories, "base", "--tokenizer", Repo.SharedData("ckpt-stories260K/tok512.bin")).Done();
        // Collected as it comes: some articles twice, untidy space, an empty one.
        var articles = sentences.Take(4000).Chunk(8).Select(c => string.Join("  \n", c)).ToList();
        File.WriteAllLines(_folder.File("collected.jsonl"), articles.Concat(articles.Where((_, i) => i % 5 == 0)).Append("").Select(text => JsonSerializer.Serialize(new { text })));
        File.WriteAllText(_folder.File("held.txt"), string.Join('\n', sentences.Skip(9000).Take(300)));
        File.WriteAllText(_folder.File("data.yaml"), """
            sources: [ { kind: jsonl, path: collected.jsonl, bad_records: skip } ]
            steps: [ { kind: unicode-repair }, { kind: whitespace }, { kind: exact-dedup } ]
            split: { validation: 0.05 }
            """);
        Run("data", "prepare", "data.yaml", "--tokenizer", "base", "--out", "news").Done();
        Assert.Equal(articles.Count / 5, File.ReadLines(_folder.File("news/dropped.jsonl")).Count(line => line.Contains("exact-dedup", StringComparison.Ordinal)));

        string[] set = ["model.from=base", "data=null", "prepared=news", "windows.length=128", "trainer.steps=100", "optimizer.learning_rate=1e-2", $"forgetting.text={Repo.SharedData("tinystories/tinystories_sample.txt")}", "forgetting.tokens=5000"];
        Run(["train", Path.Combine(Repo.Root, "recipes/sft/news-lora.yaml"), "--out", "run", .. set.SelectMany(s => new[] { "--set", s })]).Done();
        var (before, after) = (Bits("base"), Bits("run"));
        Assert.True(after < before - 0.5, $"{before} {after}");
        // Read again, merged, it is the same model; and it writes, another text than the base does.
        Run("adapter", "merge", "run", "--out", "merged").Done();
        Assert.Equal(after, Bits("merged"), 4);
        string Written(string model) => Run("generate", model, "--prompt", "The government", "--temperature", "0", "--max-new-tokens", "40").Done().Out;
        Assert.NotEqual(Written("base"), Written("merged"));
        Assert.Contains("| general text |", File.ReadAllText(_folder.File("run/report.md")), StringComparison.Ordinal);
    }

    private Outcome Run(params string[] args) => CommandLine.Run(CommandLine.Settings.In(_folder.Path), args);

    private double Bits(string model) => Run("eval", model, "--data", "held.txt", "--length", "128", "--json").Done().Json.GetProperty("bits_per_byte").GetDouble();
}

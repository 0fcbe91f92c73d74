using System.Text.Json;
using Gradus.Foundation.Files;
using Gradus.Tests;
using Gradus.Tests.Cli;

namespace Gradus.Scenarios;

/// <summary>Adapters with the real program: tuned, killed, resumed, put on, merged.</summary>
public sealed class AdapterScenarios : IDisposable
{
    private static readonly string[] s_qlora = ["--set", "model.from=base/model", "--set", "adapter={kind: lora, rank: 4, dropout: 0.1, base: {kind: nf4}}", "--set", "optimizer.learning_rate=1e-2"];
    private readonly ToyRun _toy = new();

    public AdapterScenarios() => _toy.Train("base").Done();

    public void Dispose() => _toy.Dispose();

    public static TheoryData<string> Phases => ["checkpoint.model", "checkpoint.optimizer", "checkpoint.manifest#2", "checkpoint.published", "checkpoint.restore", "durable.publish#2", "durable.write#9", ""];

    [Theory]
    [MemberData(nameof(Phases))]
    [Row("G18", "I15")]
    public void A_qlora_run_killed_with_sigkill_and_resumed_ends_as_the_undisturbed_one(string phase)
    {
        _toy.Train("whole", s_qlora).Done();
        if (phase == "checkpoint.restore")
            using (var first = _toy.Start("run", "checkpoint.published:kill", s_qlora))
                Assert.Equal(137, first.End().Code);
        using (var killed = _toy.Start("run", phase.Length > 0 ? phase + ":kill" : null, s_qlora))
        {
            if (phase.Length == 0)
            {
                Assert.True(killed.WaitForLines(8)); // some steps in
                Assert.True(killed.Kill());
            }
            else
            {
                Assert.True(killed.End().Code == 137, $"{phase} was never visited");
            }
        }
        _toy.Train("run", s_qlora).Done();
        Assert.Equal(Fingerprint("whole"), Fingerprint("run"));
        Assert.Empty(_toy.Leftovers("run"));
    }

    [Fact]
    [Row("I13"), Row("I15")]
    public void A_tuned_adapter_is_looked_at_put_on_measured_and_merged()
    {
        _toy.Train("tuned", s_qlora).Done();
        var said = CommandLine.Run(_toy.Here, "adapter", "inspect", "tuned", "--json").Done().Json;
        Assert.Equal(("lora", "base/model"), (said.GetProperty("kind").GetString(), said.GetProperty("base").GetString()));
        Assert.Equal(2 * 7 * 2, said.GetProperty("tensors").GetArrayLength());
        File.WriteAllText(_toy.InFolder("held.txt"), string.Join('\n', ToyRun.Text(12).Split('\n').Where(l => l.Length > 0).Select(l => JsonDocument.Parse(l).RootElement.GetProperty("text").GetString())));

        double Bits(params string[] model) => CommandLine.Run(_toy.Here, ["eval", .. model, "--data", "held.txt", "--length", "16", "--json"]).Done().Json.GetProperty("bits_per_byte").GetDouble();
        var (plain, own, put) = (Bits("base"), Bits("tuned"), Bits("base", "--adapter", "tuned"));
        Assert.Equal(own, put);
        Assert.True(put < plain, $"{put} is not below the base's {plain}");
        Assert.True(Bits("base", "--adapter", "tuned=0.5") < plain);
        // At no strength it is the base, held as the adapter learned over it; one over the whole base leaves that as it is.
        Assert.NotEqual(plain, Bits("base", "--adapter", "tuned=0"));
        _toy.Train("whole-base", "--set", "model.from=base/model", "--set", "adapter={kind: lora, rank: 4}").Done();
        Assert.Equal(plain, Bits("base", "--adapter", "whole-base=0"));

        var drift = CommandLine.Run(_toy.Here, "adapter", "merge", "tuned", "--out", "merged", "--data", "held.txt", "--json").Done().Json;
        Assert.InRange(drift.GetProperty("mean_kl").GetDouble(), -1e-9, 1e-9);
        Assert.Equal(1, drift.GetProperty("top_agreement").GetDouble());
        Assert.Equal(put, Bits("merged"), 1e-5);
        var text = CommandLine.Run(_toy.Here, "generate", "tuned", "--prompt", "the captain", "--max-new-tokens", "5", "--temperature", "0", "--json").Done().Json;
        Assert.Equal(text.GetProperty("ids").ToString(), CommandLine.Run(_toy.Here, "generate", "merged", "--prompt", "the captain", "--max-new-tokens", "5", "--temperature", "0", "--json").Done().Json.GetProperty("ids").ToString());
    }

    [Fact]
    [Row("I13")]
    public void Bad_input_is_one_line_and_nothing_is_written()
    {
        _toy.Train("tuned", s_qlora).Done();
        string[] On(string adapter) => ["--set", "model.from=base/model", "--set", $"adapter={adapter}"];
        foreach (var (adapter, message) in new[]
        {
            ("{kind: lora, rank: 0}", "must be at least 1"), ("{kind: lora, targets: [q_porj]}", "did you mean 'q_proj'?"), ("{kind: lora, rank: 400}", "at most"),
            ("{kind: bitfit}", "this model has none"), ("{kind: prefix, length: 64}", "leaves no room for text"), ("{kind: prefix, length: 20}", "windows.length: 16 is more than the 12 positions"),
            ("{kind: lora, alhpa: 3}", "did you mean 'alpha'?"), ("{kind: lora, base: {kind: int4}}", "did you mean"),
        })
            Assert.Contains(message, CommandLine.Run(_toy.Here, ["train", "toy.yaml", "--out", "refused", .. On(adapter)]).Refusal(), StringComparison.Ordinal);
        Assert.Contains("set model.from", CommandLine.Run(_toy.Here, "train", "toy.yaml", "--out", "refused", "--set", "adapter={kind: lora}").Refusal(), StringComparison.Ordinal);
        Assert.False(Directory.Exists(_toy.InFolder("refused")));

        // An adapter of another base: same shapes, other weights.
        _toy.Train("other", "--set", "trainer.seed=2").Done();
        Assert.Contains("was trained over another base (base/model)", CommandLine.Run(_toy.Here, "generate", "other", "--adapter", "tuned", "--prompt", "x").Refusal(), StringComparison.Ordinal);
        Assert.Contains("no such folder; an adapter is a folder with adapter_config.json", CommandLine.Run(_toy.Here, "generate", "base", "--adapter", "nowhere", "--prompt", "x").Refusal(), StringComparison.Ordinal);
        Assert.Contains("holds no adapter_config.json", CommandLine.Run(_toy.Here, "generate", "base", "--adapter", "base", "--prompt", "x").Refusal(), StringComparison.Ordinal);
        Assert.Contains("is no strength", CommandLine.Run(_toy.Here, "generate", "base", "--adapter", "tuned=half", "--prompt", "x").Refusal(), StringComparison.Ordinal);
        Assert.Contains("a model is already there", CommandLine.Run(_toy.Here, "adapter", "merge", "tuned", "--out", "base/model").Refusal(), StringComparison.Ordinal);
        Assert.Contains("no such folder", CommandLine.Run(_toy.Here, "adapter", "inspect", "nowhere").Refusal(), StringComparison.Ordinal);
    }

    private SortedDictionary<string, string> Fingerprint(string run)
    {
        var found = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var file in new[] { "adapter/adapter_model.safetensors", "adapter/adapter_config.json", "adapter/tokenizer.json", "recipe.yaml", "samples.jsonl", "checkpoints/step-00000012/model.safetensors", "checkpoints/step-00000012/optimizer.safetensors" })
            found[file] = Hashing.Sha256File(_toy.InFolder($"{run}/{file}"));
        found["metrics.jsonl"] = string.Join('\n', _toy.LossLog(run));
        return found;
    }
}

using System.Text.Json;
using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;
using Gradus.Models.Families.Gpt2;
using Gradus.Tests.Cli;
using Gradus.Text.Data.Records;
using Gradus.Text.Data.Rows;
using Gradus.Training.Loop;
using Gradus.Training.Optim;

namespace Gradus.Tests.Training.Loop;

/// <summary>A small GPT-2 that has read a little, for runs that tune it; with dropout, which a run must draw as if nothing had drawn before.</summary>
public sealed class TunedBase : IDisposable
{
    private readonly TempFolder _folder = Repo.Temp();

    public TunedBase()
    {
        File.WriteAllText(Text, ToyRun.Text(40));
        TrainingRun.Execute(RecipeFile.Parse<TrainRecipe>($$"""
            model: { kind: gpt2, n_embd: 32, n_layer: 2, n_head: 2, n_positions: 32 }
            tokenizer: { train: { kind: bpe, vocab_size: 300 } }
            {{Data}}
            optimizer: { kind: adamw, learning_rate: 5e-3 }
            trainer: { steps: 60, batch: 8, validate_every: 0, save_every: 0 }
            """, "recipe.yaml", []), _folder.File("base"), resume: false, []);
    }

    public string Text => _folder.File("text.jsonl");
    public string Model => _folder.File("base/model");
    public string Data => $$"""
        data: { sources: [ { kind: jsonl, path: "{{Text}}" } ], split: { validation: 0.2, test: 0 } }
        windows: { length: 16 }
        """;

    public void Dispose() => _folder.Dispose();
}

/// <summary>Runs with a preflight: the same bits as without; what it finds stops them, is forced, is recorded; the ledger afterwards.</summary>
[Row("X.4")]
public sealed class PreflightTests(TunedBase tuned) : IClassFixture<TunedBase>, IDisposable
{
    private readonly TempFolder _folder = Repo.Temp();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("")]
    [InlineData("adapter: { kind: lora, rank: 4, dropout: 0.2 }")]
    [InlineData("adapter: { kind: lora, rank: 4, dora: true, base: { kind: nf4 } }", "trainer.precision=bf16")]
    [InlineData("adapter: { kind: bitfit }")]
    [InlineData("adapter: { kind: prefix, length: 4 }")]
    [InlineData("layers: { unfreeze_every: 2, rate_decay: 0.5, freeze: [\"*wpe*\"] }")]
    public void A_run_with_it_has_the_bits_of_a_run_without_it(string section, params string[] more)
    {
        var with = Execute("with", section, more);
        var without = Execute("without", section, [.. more, "preflight.overfit_steps=0"]);
        foreach (var file in new[] { section.StartsWith("adapter", StringComparison.Ordinal) ? "adapter/adapter_model.safetensors" : "model/model.safetensors", "checkpoints/step-00000008/model.safetensors", "checkpoints/step-00000008/optimizer.safetensors", "samples.jsonl" })
            Assert.Equal(Hashing.Sha256File(Path.Combine(_folder.File("without"), file)), Hashing.Sha256File(Path.Combine(_folder.File("with"), file)));
        Assert.Equal(Log("without"), Log("with"));
        Assert.Null(RunRecord.Read(_folder.File("without"))!.Preflight);
        var report = RunRecord.Read(_folder.File("with"))!.Preflight!;
        Assert.DoesNotContain(report.Findings, f => f.Level == FindingLevel.Stop);
        Assert.Contains(report.Findings, f => f is { Name: Finding.Moved, Level: FindingLevel.Ok });
        Assert.Equal(section.Length > 0, report.Findings.Any(f => f is { Name: Finding.Frozen, Level: FindingLevel.Ok }));
        Assert.Equal((RunEnd.Finished, RunEnd.Finished), (with.End, without.End));
    }

    [Fact]
    [Row("Y15")]
    public void The_forecast_stands_beside_what_the_run_took()
    {
        var hook = new Seen();
        TrainingRun.Execute(Recipe("adapter: { kind: lora }"), _folder.File("run"), resume: false, [hook], stop: TestContext.Current.CancellationToken);
        var forecast = hook.Reports.Single().Forecast!;
        Assert.Equal(8, forecast.Steps);
        Assert.True(forecast.Seconds > 0 && forecast.PeakBytes > forecast.StateBytes && forecast.PeakTensorBytes >= forecast.StateBytes && forecast.StateBytes > 0, forecast.ToString());
        var ledger = Assert.Single(hook.Ledgers);
        Assert.Equal(["steps", "tokens", "seconds", "peak_memory_mb", "peak_tensors_mb"], ledger.Entries.Select(e => e.Name));
        // Every batch of so short a run was counted, so that the tokens are exact.
        Assert.Equal((8.0 * 4 * 2 * 16, 0.0), (ledger.Entries[1].Actual, ledger.Entries[1].RelativeError));
        Assert.All(ledger.Entries, e => Assert.True(e.Actual > 0 && Math.Abs(e.RelativeError - (e.Forecast / e.Actual - 1)) < 1e-5, e.ToString()));
        Assert.Equal(ledger.Entries, StrictJson.Read<Ledger>(File.ReadAllBytes(_folder.File("run/ledger.json")), "ledger.json").Entries);
        var report = File.ReadAllText(_folder.File("run/report.md"));
        Assert.Contains("\n- ok: moved: all ", report, StringComparison.Ordinal);
        Assert.Contains("| tokens | 1,024 | 1,024 | 0.0% |", report, StringComparison.Ordinal);
        Assert.Contains("| general text | not measured: `forgetting: { text: FILE }`", report, StringComparison.Ordinal);
        Assert.Equal(forecast, RunRecord.Read(_folder.File("run"))!.Preflight!.Forecast);
    }

    [Fact]
    public void What_it_finds_stops_the_run_a_line_each_unless_it_is_forced()
    {
        // So low a rate that weights around one tenth are the same number afterwards.
        var recipe = Recipe("", "optimizer.learning_rate=1e-12");
        UserException Refused(params string[] force) => Assert.Throws<UserException>(() => TrainingRun.Execute(recipe, _folder.File("run"), resume: false, [], force: force, stop: TestContext.Current.CancellationToken));
        var lines = Refused().Message.Split('\n');
        Assert.Equal(2, lines.Length);
        Assert.Contains("it is not learned", lines[0], StringComparison.Ordinal);
        Assert.EndsWith("(--force overfit goes on all the same)", lines[0], StringComparison.Ordinal);
        Assert.EndsWith("(--force moved goes on all the same)", lines[1], StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder.File("run")));
        Assert.EndsWith("(--force overfit goes on all the same)", Refused("moved").Message, StringComparison.Ordinal);
        Assert.Equal("--force: 'overfitt' is no check of the preflight; did you mean 'overfit'?", Refused("moved", "overfitt").Message);

        TrainingRun.Execute(recipe, _folder.File("run"), resume: false, [], force: ["moved", "overfit"], stop: TestContext.Current.CancellationToken);
        Assert.Equal([Finding.Overfit, Finding.Moved], RunRecord.Read(_folder.File("run"))!.Preflight!.Findings.Where(f => f.Forced).Select(f => f.Name));
        Assert.Contains("- **stop, forced: overfit: the first batch's loss goes from", File.ReadAllText(_folder.File("run/report.md")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_that_goes_on_is_not_checked_again()
    {
        var hook = new Seen();
        using (var stop = new CancellationTokenSource())
            Assert.Equal(RunEnd.Interrupted, TrainingRun.Execute(Recipe("adapter: { kind: lora }"), _folder.File("run"), resume: true, [hook, new AtStep(3, stop.Cancel)], stop: stop.Token).End);
        Assert.Empty(hook.Ledgers);
        TrainingRun.Execute(Recipe("adapter: { kind: lora }"), _folder.File("run"), resume: true, [hook], stop: TestContext.Current.CancellationToken);
        Assert.Single(hook.Reports);
        Assert.Equal(8, Assert.Single(hook.Ledgers).Entries[0].Actual);
    }

    [Fact]
    [Row("Y1", "I11")]
    public void Findings_of_conversations_are_forced_by_name_and_recorded()
    {
        File.WriteAllLines(_folder.File("talks.jsonl"), Enumerable.Range(0, 20).Select(i => JsonSerializer.Serialize(new { messages = new[] { new { role = "user", content = $"say {i}" }, new { role = "assistant", content = $"it is {i}." } } })));
        File.WriteAllText(_folder.File("endless.jinja"), "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}");
        var talks = new RecordOptions { Path = _folder.File("talks.jsonl") };
        var recipe = new TrainRecipe
        {
            Model = new Gpt2Options { From = tuned.Model }, Records = new RecordSets { Train = talks, Validation = talks },
            Chat = new ChatRowOptions { MaxLength = 32, Template = _folder.File("endless.jinja") }, Optimizer = new AdamWOptions { LearningRate = 3e-3 },
            Trainer = new TrainerOptions { Steps = 2, Batch = 4, ValidateEvery = 0 },
        };
        void Execute(params string[] force) => TrainingRun.Execute(recipe, _folder.File("run"), resume: false, [], force: force, stop: TestContext.Current.CancellationToken);
        var lines = Assert.Throws<UserException>(() => Execute()).Message.Split('\n');
        Assert.Contains(lines, line => line.Contains("no row teaches the model to stop", StringComparison.Ordinal) && line.EndsWith("(--force end-of-turn goes on all the same)", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.Contains("among the training records as well, and 19 more of 20 are", StringComparison.Ordinal));
        Assert.Contains("(--force leaks goes on", Assert.Throws<UserException>(() => DryRunReport.Make(recipe, force: ["end-of-turn"], stop: TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);
        Assert.Contains(DryRunReport.Make(recipe, force: ["end-of-turn", "leaks"], stop: TestContext.Current.CancellationToken).Findings, f => f is { Name: Finding.Masks, Level: FindingLevel.Ok });
        Assert.False(Directory.Exists(_folder.File("run")));
        Execute("leaks", "end-of-turn");
        Assert.Equal([Finding.EndOfTurn, Finding.Leaks], RunRecord.Read(_folder.File("run"))!.Preflight!.Findings.Where(f => f.Forced).Select(f => f.Name));
    }

    [Fact]
    public void By_command_line_a_finding_is_code_2_and_forcing_it_goes_on()
    {
        using var toy = new ToyRun(steps: 4, more: "preflight: { overfit_steps: 5 }");
        Outcome Train(params string[] more) => CommandLine.Run(toy.Here, ["train", "toy.yaml", "--out", "run", "--json", .. more]);
        Assert.Contains("is no check of the preflight; did you mean 'moved'?", Train("--force", "mvoed").Refusal(), StringComparison.Ordinal);
        Assert.EndsWith("(--force overfit goes on all the same)", Train("--set", "optimizer.learning_rate=1e-12", "--force", "moved").Refusal(), StringComparison.Ordinal);
        Assert.False(Directory.Exists(toy.InFolder("run")));
        var events = Train("--set", "optimizer.learning_rate=1e-12", "--force", "moved,overfit").Done().Lines.Select(l => JsonDocument.Parse(l).RootElement).ToLookup(e => e.GetProperty("event").GetString());
        Assert.Equal(["overfit", "moved"], events["preflight"].Single().GetProperty("findings").EnumerateArray().Where(f => f.GetProperty("forced").GetBoolean()).Select(f => f.GetProperty("name").GetString()));
        Assert.Equal(5, events["ledger"].Single().GetProperty("entries").GetArrayLength());
        Assert.Contains("at least 5, or 0 for none", Train("--set", "preflight.overfit_steps=3").Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void Text_from_nothing_is_not_checked_unless_the_recipe_asks()
    {
        var hook = new Seen();
        var recipe = RecipeFile.Parse<TrainRecipe>($$"""
            model: { kind: gpt2, n_embd: 32, n_layer: 1, n_head: 2, n_positions: 32 }
            tokenizer: { path: "{{tuned.Model}}" }
            {{tuned.Data}}
            trainer: { steps: 2, batch: 4, validate_every: 0 }
            """, "recipe.yaml", []);
        TrainingRun.Execute(recipe, _folder.File("plain"), resume: false, [hook], stop: TestContext.Current.CancellationToken);
        Assert.Empty(hook.Reports);
        Assert.DoesNotContain("general text", File.ReadAllText(_folder.File("plain/report.md")), StringComparison.Ordinal);
        TrainingRun.Execute(recipe with { Preflight = new() { OverfitSteps = 5 } }, _folder.File("asked"), resume: false, [hook], force: ["overfit"], stop: TestContext.Current.CancellationToken);
        Assert.Single(hook.Reports);
    }

    private TrainRecipe Recipe(string section, params string[] overrides) => RecipeFile.Parse<TrainRecipe>($$"""
        name: tuned
        model: { kind: gpt2, from: "{{tuned.Model}}" }
        {{section}}
        {{tuned.Data}}
        samples: { max_new_tokens: 4 }
        optimizer: { kind: adamw, learning_rate: 5e-3 }
        trainer: { steps: 8, batch: 4, accumulate: 2, validate_every: 4, validate_batches: 2, sample_every: 4, save_every: 0, schedule: { kind: cosine, warmup_steps: 2 } }
        """, "recipe.yaml", overrides);

    private RunResult Execute(string name, string section, string[] overrides) =>
        TrainingRun.Execute(Recipe(section, overrides), _folder.File(name), resume: false, [], stop: TestContext.Current.CancellationToken);

    private string[] Log(string run) => [.. File.ReadLines(Path.Combine(_folder.File(run), "metrics.jsonl")).Select(l => l[..l.IndexOf(MetricsLog.TimingMark, StringComparison.Ordinal)])];

    private sealed class Seen : IRunHook
    {
        public List<PreflightReport> Reports { get; } = [];
        public List<Ledger> Ledgers { get; } = [];
        public void Checked(PreflightReport report) => Reports.Add(report);
        public void Settled(Ledger ledger) => Ledgers.Add(ledger);
    }
}

using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;
using Gradus.Models.Families;
using Gradus.Text.Tokenizers;
using Gradus.Training.Loop;

namespace Gradus.Tests.Training.Loop;

/// <summary>A recipe, whole: text in, a model folder out.</summary>
public sealed class TrainingRunTests : IDisposable
{
    private readonly TempFolder _folder = Repo.Temp();

    public TrainingRunTests()
    {
        // Eighty small documents of English-like clauses from a seed: enough for a tokenizer and some windows.
        string[] who = ["the captain", "a whale", "the sailor", "an old man", "the sea"], does = ["saw", "followed", "feared", "loved", "called"], when = ["at night", "in the morning", "again", "for years", "twice"];
        var draws = new Counter(5, "story");
        var (lines, n) = (new List<string>(), 0UL);
        string Pick(string[] of) => of[draws.Below(n++, of.Length)];
        for (var d = 0; d < 80; d++)
            lines.Add(string.Join(" ", Enumerable.Range(0, 8).Select(_ => $"{Pick(who)} {Pick(does)} {Pick(who)} {Pick(when)}.")));
        File.WriteAllText(_folder.File("text.jsonl"), string.Join("\n", lines.Select(l => $"{{\"text\": \"{l}\"}}")) + "\n");
    }

    public void Dispose() => _folder.Dispose();

    private string Run => _folder.File("run");

    private TrainRecipe Recipe(params string[] overrides) => RecipeOver(_folder.File("text.jsonl"), overrides);

    private static TrainRecipe RecipeOver(string text, params string[] overrides) => RecipeFile.Parse<TrainRecipe>($$"""
        name: story
        model: { kind: llama, hidden_size: 32, intermediate_size: 64, num_hidden_layers: 2, num_attention_heads: 2, num_key_value_heads: 1, max_position_embeddings: 32 }
        tokenizer: { train: { kind: bpe, vocab_size: 320 } }
        data: { sources: [ { kind: jsonl, path: "{{text}}" } ], split: { validation: 0.2 } }
        windows: { length: 16 }
        samples: { max_new_tokens: 8 }
        optimizer: { kind: adamw, learning_rate: 3e-3 }
        trainer: { steps: 12, batch: 4, accumulate: 2, validate_every: 5, validate_batches: 2, sample_every: 6, save_every: 4, schedule: { kind: cosine, warmup_steps: 3 } }
        """, "recipe.yaml", overrides);

    /// <summary>A process that trains, to be killed.</summary>
    internal static int Child(string[] args)
    {
        TrainingRun.Execute(RecipeOver(args[0]), args[1], resume: true, []);
        return 0;
    }

    [Fact]
    [Row("G18")]
    public void Killed_again_and_again_in_the_middle_of_saves_it_ends_with_the_same_bits()
    {
        Execute(Recipe(), Run);
        var killed = _folder.File("killed");
        // One run, killed in four saves and in a resume, before it may finish. Exit code 137: SIGKILL did happen.
        foreach (var place in new[] { "checkpoint.optimizer", "checkpoint.published", "checkpoint.restore", "durable.publish#2", "" })
        {
            using var child = Children.Start("train", new Dictionary<string, string> { ["GRADUS_FAILPOINT"] = place.Length > 0 ? place + ":kill" : "" }, _folder.File("text.jsonl"), killed);
            var error = child.StandardError.ReadToEnd();
            child.WaitForExit();
            Assert.True(child.ExitCode == (place.Length > 0 ? 137 : 0), $"{place}: {child.ExitCode} {error}");
        }
        Assert.Equal(Deterministic(Run), Deterministic(killed));
        foreach (var file in new[] { "model/model.safetensors", "checkpoints/step-00000012/optimizer.safetensors", "samples.jsonl" })
            Assert.Equal(Hashing.Sha256File(Path.Combine(Run, file)), Hashing.Sha256File(Path.Combine(killed, file)));
    }

    [Fact]
    [Row("G18"), Row("G19"), Row("G15")]
    public void A_run_stopped_at_several_places_leaves_the_same_model_and_the_same_log_as_one_that_was_not()
    {
        var whole = Execute(Recipe(), Run);
        Assert.Equal(RunEnd.Finished, whole.End);
        var broken = _folder.File("broken");
        foreach (var at in new[] { 1, 5, 8, 10 })
        {
            using var stop = new CancellationTokenSource();
            Assert.Equal(RunEnd.Interrupted, TrainingRun.Execute(Recipe(), broken, resume: true, [new AtStep(at, stop.Cancel)], stop: stop.Token).End);
            // What a killed process may leave behind the checkpoint: more lines, one of them half.
            File.AppendAllText(Path.Combine(broken, "metrics.jsonl"), "{\"step\":99,\"loss\":1}\n{\"st");
        }
        Execute(Recipe(), broken, resume: true);

        Assert.Equal(Deterministic(Run), Deterministic(broken));
        Assert.Equal(12, Deterministic(Run).Count(l => l.Contains("\"loss\"", StringComparison.Ordinal)));
        Assert.Equal(3, Deterministic(Run).Count(l => l.Contains("\"validation_loss\"", StringComparison.Ordinal))); // after 5, 10 and the last
        foreach (var file in new[] { "model/model.safetensors", "model/tokenizer.json", "model/config.json", "samples.jsonl", "recipe.yaml", "checkpoints/step-00000012/optimizer.safetensors" })
            Assert.Equal(Hashing.Sha256File(Path.Combine(Run, file)), Hashing.Sha256File(Path.Combine(broken, file)));
        Assert.Equal(5, RunRecord.Read(broken)!.Sessions.Count);
        Assert.Equal(2, File.ReadLines(Path.Combine(Run, "samples.jsonl")).Count());
    }

    [Fact]
    [Row("G15"), Row("E20")]
    public void The_exported_model_loads_and_the_report_and_the_logs_are_there()
    {
        Execute(Recipe(), Run);
        var (options, model) = ModelFolder.Load(Path.Combine(Run, "model"));
        using var owned = model;
        var tokenizer = Tokenizer.Load(Path.Combine(Run, "model"));
        Assert.Equal(tokenizer.VocabSize, options.VocabSize);
        Assert.Contains("![Loss by step](loss.svg)", File.ReadAllText(Path.Combine(Run, "report.md")), StringComparison.Ordinal);
        Assert.StartsWith("<svg", File.ReadAllText(Path.Combine(Run, "loss.svg")), StringComparison.Ordinal);
        Assert.Single(Directory.GetFiles(Path.Combine(Run, "tensorboard")));
        Assert.Contains("bits_per_byte", File.ReadAllText(Path.Combine(Run, "metrics.jsonl")), StringComparison.Ordinal);
        // The stored recipe is complete: reading it gives the same run.
        Assert.Equal(RecipeFile.Write(Recipe()), RecipeFile.Write(RecipeFile.Read<TrainRecipe>(Path.Combine(Run, "recipe.yaml"), [])));
    }

    [Fact]
    [Row("G18")]
    public void A_folder_that_holds_a_run_wants_resume_and_changed_settings_are_refused_with_the_difference()
    {
        using (var stop = new CancellationTokenSource())
            TrainingRun.Execute(Recipe(), Run, resume: false, [new AtStep(2, stop.Cancel)], stop: stop.Token);
        Assert.Contains("already holds a run; go on with it by --resume", Assert.Throws<UserException>(() => Execute(Recipe(), Run)).Message, StringComparison.Ordinal);

        var refused = Assert.Throws<UserException>(() => Execute(Recipe("optimizer.learning_rate=1e-3", "trainer.batch=8"), Run, resume: true));
        Assert.Contains("optimizer.learning_rate: 0.003 → 0.001; trainer.batch: 4 → 8", refused.Message, StringComparison.Ordinal);
        foreach (var other in new[] { "windows.length=8", "trainer.seed=2", "trainer.precision=bf16", "model.hidden_size=64", "optimizer.beta1=0.8", "trainer.accumulate=1", "data.split.seed=9", "tokenizer.train.vocab_size=300" })
            Assert.Contains(other.Split('=')[0], Assert.Throws<UserException>(() => Execute(Recipe(other), Run, resume: true)).Message, StringComparison.Ordinal);

        var said = new List<string>();
        Assert.Equal(RunEnd.Finished, TrainingRun.Execute(Recipe("trainer.save_every=6", "trainer.keep_last=3"), Run, resume: true, [], said.Add, stop: TestContext.Current.CancellationToken).End);
        Assert.Contains("changed from here on: trainer.save_every: 4 → 6", said);
        Assert.Contains("resuming after step 2", said);
    }

    [Fact]
    [Row("G13")]
    public void Precision_auto_is_decided_once_and_recorded()
    {
        var decided = Gradus.Foundation.Kernels.Bf16.HasProducts ? Precision.Bf16 : Precision.Fp32;
        using (var stop = new CancellationTokenSource())
            Assert.Equal(decided, TrainingRun.Execute(Recipe("trainer.precision=auto"), Run, resume: false, [new AtStep(2, stop.Cancel)], stop: stop.Token).Recipe.Trainer.Precision);
        Assert.Equal(decided, RecipeFile.Read<TrainRecipe>(Path.Combine(Run, "recipe.yaml"), []).Trainer.Precision);

        // A run that goes on keeps what it began with: here what this machine would not choose.
        var (other, folder) = (decided == Precision.Fp32 ? Precision.Bf16 : Precision.Fp32, _folder.File("other"));
        using (var stop = new CancellationTokenSource())
            TrainingRun.Execute(Recipe($"trainer.precision={other.ToString().ToLowerInvariant()}"), folder, resume: false, [new AtStep(2, stop.Cancel)], stop: stop.Token);
        Assert.Equal(other, TrainingRun.Execute(Recipe("trainer.precision=auto"), folder, resume: true, [], stop: TestContext.Current.CancellationToken).Recipe.Trainer.Precision);
    }

    [Fact]
    [Row("G18")]
    public void Data_that_changed_under_a_stopped_run_is_noticed()
    {
        using (var stop = new CancellationTokenSource())
            TrainingRun.Execute(Recipe(), Run, resume: false, [new AtStep(2, stop.Cancel)], stop: stop.Token);
        File.AppendAllText(_folder.File("text.jsonl"), "{\"text\": \"one more document.\"}\n");
        Assert.Contains("was saved with other data", Assert.ThrowsAny<UserException>(() => Execute(Recipe(), Run, resume: true)).Message, StringComparison.Ordinal);
    }

    [Fact]
    [Row("G18")]
    public void Two_runs_in_one_folder_are_refused()
    {
        Exception? second = null;
        TrainingRun.Execute(Recipe("trainer.steps=2", "trainer.schedule.warmup_steps=1"), Run, resume: false, [new AtStep(1, () => second = Record.Exception(() => Execute(Recipe(), Run, resume: true)))], stop: TestContext.Current.CancellationToken);
        Assert.Contains("another run is using this folder", Assert.IsType<UserException>(second).Message, StringComparison.Ordinal);
    }

    [Fact]
    [Row("G9")]
    public void A_dry_run_says_what_would_be_and_leaves_nothing()
    {
        var report = DryRunReport.Make(Recipe("data_cache=" + _folder.File("cache")), stop: TestContext.Current.CancellationToken);
        Assert.Equal((4, 16), report.BatchShape);
        Assert.Equal(128, report.TokensPerStep);
        Assert.Equal(12, report.Steps);
        Assert.InRange(report.FirstLoss, Math.Log(report.VocabSize) * 0.95, Math.Log(report.VocabSize) * 1.05);
        Assert.Equal(report.Parameters * 16, report.StateBytes); // weights, gradients, two moments: four float32 each
        Assert.True(report.TotalSeconds > 0 && report.PeakBytes > report.StateBytes);
        Assert.False(Directory.Exists(Run));
    }

    [Fact]
    [Row("G9")]
    public void Rows_longer_than_the_model_reaches_are_refused() =>
        Assert.Contains("windows.length=33: 33 is more than the 32 positions of the model", Assert.Throws<RecipeException>(() => Recipe("windows.length=33")).Message, StringComparison.Ordinal);

    [Fact]
    [Row("G9")]
    public void Text_that_is_not_there_is_one_clear_line()
    {
        var error = Assert.Throws<UserException>(() => Execute(RecipeOver(_folder.File("absent.jsonl")), Run));
        Assert.Contains("absent.jsonl: there is no such file", error.Message, StringComparison.Ordinal);
    }

    private static RunResult Execute(TrainRecipe recipe, string folder, bool resume = false) =>
        TrainingRun.Execute(recipe, folder, resume, [], stop: TestContext.Current.CancellationToken);

    private static string[] Deterministic(string run) => [.. File.ReadLines(Path.Combine(run, "metrics.jsonl")).Select(l => l[..l.IndexOf(MetricsLog.TimingMark, StringComparison.Ordinal)])];
}

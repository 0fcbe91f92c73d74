using Gradus.Engine.Files;
using Gradus.Engine.Tensors;
using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;
using Gradus.Models.Families;
using Gradus.Models.Peft;
using Gradus.Tests.Cli;
using Gradus.Training.Loop;

namespace Gradus.Tests.Training.Loop;

/// <summary>A run with an <c>adapter</c> section: it is the same run, and only what trains is moved, saved and exported.</summary>
public sealed class AdapterRunTests : IDisposable
{
    private readonly TempFolder _folder = Repo.Temp();

    public AdapterRunTests()
    {
        File.WriteAllText(_folder.File("text.jsonl"), ToyRun.Text(40));
        TrainingRun.Execute(Recipe(null, "trainer.steps=12"), _folder.File("base"), resume: false, []);
    }

    public void Dispose() => _folder.Dispose();

    private string BaseModel => _folder.File("base/model");

    private TrainRecipe Recipe(string? adapter, params string[] overrides) => RecipeFile.Parse<TrainRecipe>($$"""
        name: tuned
        model: { kind: llama, {{(adapter is null ? "hidden_size: 32, intermediate_size: 48, num_hidden_layers: 2, num_attention_heads: 2, num_key_value_heads: 1, max_position_embeddings: 32" : $"from: \"{BaseModel}\"")}} }
        {{(adapter is null ? "tokenizer: { train: { kind: bpe, vocab_size: 300 } }" : $"adapter: {adapter}")}}
        data: { sources: [ { kind: jsonl, path: "{{_folder.File("text.jsonl")}}" } ], split: { validation: 0.2, test: 0 } }
        windows: { length: 16 }
        samples: { max_new_tokens: 4 }
        optimizer: { kind: adamw, learning_rate: 5e-3 }
        trainer: { steps: 8, batch: 4, accumulate: 2, validate_every: 4, validate_batches: 2, sample_every: 4, save_every: 3, schedule: { kind: cosine, warmup_steps: 2 } }
        """, "recipe.yaml", overrides);

    private RunResult Execute(string name, string adapter, params string[] overrides) =>
        TrainingRun.Execute(Recipe(adapter, overrides), _folder.File(name), resume: true, [], stop: TestContext.Current.CancellationToken);

    [Theory]
    [InlineData("{ kind: lora, rank: 4, base: { kind: nf4 } }")]
    [InlineData("{ kind: lora, rank: 4, dora: true }")]
    [InlineData("{ kind: prefix, length: 4 }")]
    [InlineData("{ kind: prompt, length: 4 }")]
    [InlineData("{ kind: ia3, base: { kind: int8 } }")]
    [InlineData("{ kind: bottleneck, size: 8 }")]
    [Row("I5", "I13", "I15", "G15")]
    [Row("Y8")]
    public void Checkpoints_and_export_hold_the_adapter_alone_and_the_base_is_as_it_was(string adapter)
    {
        var before = Hashing.Sha256File(Path.Combine(BaseModel, "model.safetensors"));
        // At 2e-2 the preflight refuses the bottleneck: held there, its loss rises.
        var run = Execute("run", adapter, adapter.Contains("bottleneck", StringComparison.Ordinal) ? "optimizer.learning_rate=5e-3" : "optimizer.learning_rate=2e-2");
        Assert.Equal(_folder.File("run/adapter"), run.ModelFolder);
        var tensors = AdapterFolder.Tensors(run.ModelFolder!);
        using (var weights = SafetensorsFile.Open(_folder.File("run/checkpoints/step-00000008/model.safetensors")))
            Assert.Equal(tensors.Keys.Order(StringComparer.Ordinal), weights.Entries.Keys.Order(StringComparer.Ordinal));
        using (var moments = SafetensorsFile.Open(_folder.File("run/checkpoints/step-00000008/optimizer.safetensors")))
            Assert.Equal(tensors.Keys.SelectMany(n => new[] { n + ":exp_avg", n + ":exp_avg_sq" }).Order(StringComparer.Ordinal), moments.Entries.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(before, Hashing.Sha256File(Path.Combine(BaseModel, "model.safetensors")));
        Assert.False(Directory.Exists(_folder.File("run/model")));
        Assert.Contains("of them trained", File.ReadAllText(_folder.File("run/report.md")), StringComparison.Ordinal);
        // It learned. Eight steps are too few for what only stands before a text; the contract tests show that these learn.
        var losses = MetricsLog.Read(_folder.File("run/metrics.jsonl")).Validation;
        Assert.True(adapter.Contains("length", StringComparison.Ordinal) ? losses[^1].Loss != losses[0].Loss : losses[^1].Loss < losses[0].Loss, $"{losses[0].Loss} → {losses[^1].Loss}");
        var (_, model) = ModelFolder.Load(BaseModel);
        using var adapted = new AdaptedModel(model);
        AdapterFolder.Load(adapted, run.ModelFolder!, "x", AdapterFolder.BaseFingerprint(BaseModel));
        adapted.Use("x");
    }

    [Fact]
    [Row("G18", "I15")]
    [Row("Y8")]
    public void A_qlora_run_stopped_at_several_places_leaves_the_same_adapter_and_log()
    {
        const string adapter = "{ kind: lora, rank: 4, dropout: 0.2, base: { kind: nf4 } }";
        Execute("whole", adapter);
        foreach (var at in new[] { 1, 4, 7 })
        {
            using var stop = new CancellationTokenSource();
            Assert.Equal(RunEnd.Interrupted, TrainingRun.Execute(Recipe(adapter), _folder.File("broken"), resume: true, [new AtStep(at, stop.Cancel)], stop: stop.Token).End);
        }
        Execute("broken", adapter);
        foreach (var file in new[] { "adapter/adapter_model.safetensors", "adapter/adapter_config.json", "samples.jsonl", "checkpoints/step-00000008/optimizer.safetensors" })
            Assert.Equal(Hashing.Sha256File(_folder.File("whole/" + file)), Hashing.Sha256File(_folder.File("broken/" + file)));
        // The control: without the adapter's dropout it is another run.
        Execute("other", "{ kind: lora, rank: 4, base: { kind: nf4 } }");
        Assert.NotEqual(Hashing.Sha256File(_folder.File("whole/adapter/adapter_model.safetensors")), Hashing.Sha256File(_folder.File("other/adapter/adapter_model.safetensors")));
    }

    [Fact]
    [Row("G18", "I5")]
    public void A_base_that_changed_under_a_stopped_run_is_noticed()
    {
        using (var stop = new CancellationTokenSource())
            TrainingRun.Execute(Recipe("{ kind: lora }"), _folder.File("run"), resume: true, [new AtStep(3, stop.Cancel)], stop: stop.Token);
        Assert.Contains("adapter.rank: 8 → 4", Assert.Throws<UserException>(() => Execute("run", "{ kind: lora, rank: 4 }")).Message, StringComparison.Ordinal);
        Assert.Contains("adapter.rank_pattern.q_proj: unset → 4", Assert.Throws<UserException>(() => Execute("run", "{ kind: lora, rank_pattern: { q_proj: 4 } }")).Message, StringComparison.Ordinal);
        var (options, model) = ModelFolder.Load(BaseModel);
        using (model)
        {
            using var scope = Tensor.Scope();
            Grad.Off(() => model.Parameters[1].Value.View(-1).Narrow(0, 0, 1).AddInPlace(1e-3));
            ModelFolder.Save(model, options, BaseModel);
        }
        Assert.Contains("over other frozen weights: the model in model.from has changed since", Assert.ThrowsAny<UserException>(() => Execute("run", "{ kind: lora }")).Message, StringComparison.Ordinal);
    }

    [Fact]
    [Row("I15")]
    [Row("Y8")]
    public void A_dry_run_knows_what_packed_weights_save()
    {
        DryRunReport Of(string adapter) => DryRunReport.Make(Recipe(adapter, "data_cache=" + _folder.File("cache")), stop: TestContext.Current.CancellationToken);
        var (dense, int8, nf4) = (Of("{ kind: lora }"), Of("{ kind: lora, base: { kind: int8 } }"), Of("{ kind: lora, base: { kind: nf4 } }"));
        Assert.Equal(dense.Parameters, nf4.Parameters);
        Assert.True(nf4.StateBytes < int8.StateBytes && int8.StateBytes < dense.StateBytes, $"{nf4.StateBytes}, {int8.StateBytes}, {dense.StateBytes}");
        // Two layers of 32·32·2 + 32·16·2 + 3·32·48 numbers, at 4 bytes or at a little over half a byte.
        const long numbers = 2 * ((2 * 32 * 32) + (2 * 32 * 16) + (3 * 32 * 48));
        Assert.InRange(dense.StateBytes - nf4.StateBytes, numbers * 4 - numbers * 0.55, numbers * 4 - numbers * 0.5);
    }

    [Fact]
    [Row("I13")]
    public void An_adapter_needs_a_model_to_tune() =>
        Assert.Contains("adapter: tunes a model that exists; set model.from to its folder", Assert.Throws<RecipeException>(() => RecipeFile.Parse<TrainRecipe>("""
            model: { kind: gpt2 }
            adapter: { kind: lora }
            prepared: x
            trainer: { steps: 1 }
            """, "recipe.yaml", [])).Message, StringComparison.Ordinal);
}

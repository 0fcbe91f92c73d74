using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;

namespace Gradus.Tests.Foundation.Recipes;

public sealed class RecipeReadTests
{
    private const string Full = """
        # a comment
        data: { path: data/train.txt, targets: ["*.q_proj", b], sizes: [1, 2], grid: [[1], [2, 3]], weights: [0, 0.5, 1] }
        optimizer:
          kind: sgd
          learning_rate: 2e-4
          momentum: .9
        trainer: { steps: 7, seed: 9223372036854775807, tag: 18446744073709551615, precision: mixed-up, pack: false, clip_norm: null, ema: 0.5, every: -3 }
        stages:
          - kind: adamw
            beta1: 0
          - { kind: sgd }
        mix: { wiki: 0.25, "my books": 75e-2 }
        named:
          first: { steps: 3 }
        note: |
          two
          lines
        api_key: hunter2
        """;

    private static SampleRecipe Parse(string yaml, params string[] overrides) => RecipeFile.Parse<SampleRecipe>(yaml, "recipe.yaml", overrides);

    [Fact]
    public void Every_kind_of_value_is_read()
    {
        var recipe = Parse(Full);
        Assert.Equal("data/train.txt", recipe.Data.Path);
        Assert.Equal(["*.q_proj", "b"], recipe.Data.Targets);
        Assert.Equal([1, 2], recipe.Data.Sizes);
        Assert.Equal([[1], [2, 3]], recipe.Data.Grid);
        Assert.Equal([0, 0.5, 1], recipe.Data.Weights);
        Assert.Equal(8, recipe.Data.Batch);
        Assert.Equal(new SampleSgd { LearningRate = 2e-4, Momentum = 0.9 }, recipe.Optimizer);
        Assert.Equal(new SampleTrainer { Steps = 7, Seed = long.MaxValue, Tag = ulong.MaxValue, Precision = SamplePrecision.MixedUp, Pack = false, ClipNorm = null, Ema = 0.5f, Every = -3 }, recipe.Trainer);
        Assert.Equal([new SampleAdamw { Beta1 = 0 }, new SampleSgd()], recipe.Stages);
        Assert.Equal(0.25, recipe.Mix["wiki"]);
        Assert.Equal(0.75, recipe.Mix["my books"]);
        Assert.Equal(3, recipe.Named["first"].Steps);
        Assert.Equal("two\nlines\n", recipe.Note);
    }

    [Fact]
    public void What_is_not_written_keeps_the_default_of_its_place()
    {
        var recipe = Parse("data: {path: x}\ntrainer: {seed: 5}");
        Assert.Equal(new SampleTrainer { Steps = 200, Seed = 5 }, recipe.Trainer);
        Assert.Equal(new SampleAdamw(), recipe.Optimizer);
        // A section of the default's kind keeps it too; another kind starts from its own defaults.
        Assert.Equal(new SampleAdamw { Beta1 = 0.5 }, Parse("data: {path: x}\noptimizer: {beta1: 0.5}").Optimizer);
        Assert.Equal(new SampleSgd(), Parse("data: {path: x}\noptimizer: {kind: sgd}").Optimizer);
        Assert.Equal(new SampleSgd(), RecipeFile.Parse<SampleOptimizer>("kind: sgd", "r", []));
    }

    [Fact]
    public void Overrides_set_any_path_and_the_last_wins()
    {
        var recipe = Parse("data: {path: x}", "optimizer.learning_rate=1", "optimizer.learning_rate=2", "trainer.precision=bf16", "data.targets=[a, b]",
            "data.targets.1=c", "stages=[{kind: sgd, momentum: 0.5}]", "stages.0.momentum=0.25", "mix.wiki=1", "note=a: b = c # not a comment", "api_key=", "trainer.clip_norm=null");
        Assert.Equal(2, recipe.Optimizer.LearningRate);
        Assert.Equal(SamplePrecision.Bf16, recipe.Trainer.Precision);
        Assert.Equal(["a", "c"], recipe.Data.Targets);
        Assert.Equal([new SampleSgd { Momentum = 0.25 }], recipe.Stages);
        Assert.Equal(1, recipe.Mix["wiki"]);
        Assert.Equal("a: b = c # not a comment", recipe.Note);
        Assert.Equal("", recipe.ApiKey);
        Assert.Null(recipe.Trainer.ClipNorm);
    }

    [Theory]
    [InlineData("optimizer.learning_rate=fast", "--set optimizer.learning_rate=fast: expected a number, got 'fast'")]
    [InlineData("optimizer.learning_rate=3e-4 ", "--set optimizer.learning_rate=3e-4 : expected a number, got '3e-4 '")]
    [InlineData("optimizer.learning_rate=-1", "--set optimizer.learning_rate=-1: -1 is out of range; it must be above 0 and at most 10")]
    [InlineData("optimzer.learning_rate=1", "--set optimzer.learning_rate=1: unknown key 'optimzer' in the recipe; did you mean 'optimizer'?")]
    [InlineData("optimizer.kind=adamv", "--set optimizer.kind=adamv: unknown kind 'adamv'; did you mean 'adamw'?")]
    [InlineData("trainer", "--set trainer: expected path=value, as in optimizer.learning_rate=3e-4")]
    [InlineData("trainer..steps=1", "--set trainer..steps=1: expected path=value, as in optimizer.learning_rate=3e-4")]
    [InlineData("data.path.x=1", "--set data.path.x=1: data.path is 'x', not a section")]
    [InlineData("data.targets=[a", "--set data.targets=[a: this '[' is never closed")]
    [InlineData("data.targets.3=a", "--set data.targets.3=a: unknown key '3' in data")]
    [InlineData("trainer.warmup_steps=900", "--set trainer.warmup_steps=900: 900 is more than the 200 steps of the run")]
    [InlineData("note=a\nb", null)]
    public void An_override_that_does_not_fit_is_named(string text, string? expected)
    {
        if (expected is null)
        {
            Assert.Equal("a\nb", Parse("data: {path: x}", text).Note);
            return;
        }
        var error = Assert.Throws<RecipeException>(() => Parse("data: {path: x}", text));
        if (text.StartsWith("data.targets.3", StringComparison.Ordinal))
            expected = "--set data.targets.3=a: data.targets: expected a list, as in [a, b], got a section";
        Assert.Equal(expected, error.Message);
    }

    [Fact]
    public void All_errors_come_at_once_in_the_order_of_the_file_and_overrides_last()
    {
        var error = Assert.Throws<RecipeException>(() => Parse("""
            data:
              batch: 0
            optimizer:
              kind: adamw
              leanring_rate: 2e-4
              steps: 5
            trainer: { steps: 1.0, precision: bf61, warmup: 3 }
            """, "trainer.seed=x"));
        Assert.Equal([
            "recipe.yaml:1:1: missing key 'path' in data",
            "recipe.yaml:2:10: data.batch: 0 is out of range; it must be above 0",
            "recipe.yaml:5:3: unknown key 'leanring_rate' in optimizer (adamw); did you mean 'learning_rate'?",
            "recipe.yaml:6:3: unknown key 'steps' in optimizer (adamw); it belongs under trainer",
            "recipe.yaml:7:19: trainer.steps: expected a whole number, got '1.0'; write 1",
            "recipe.yaml:7:35: trainer.precision: 'bf61' is not one of fp32, bf16, mixed-up; did you mean 'bf16'?",
            "recipe.yaml:7:41: unknown key 'warmup' in trainer; did you mean 'warmup_steps'?",
            "--set trainer.seed=x: expected a whole number, got 'x'",
        ], error.Message.Split('\n'));
        Assert.Equal(8, error.Problems.Count);
    }

    [Fact]
    public void A_file_is_read_strictly()
    {
        using var folder = Repo.Temp();
        var path = folder.File("run.yaml");
        File.WriteAllText(path, "\uFEFFdata: {path: ünïcode}\r\nnote: x\r\n");
        Assert.Equal("ünïcode", RecipeFile.Read<SampleRecipe>(path, []).Data.Path);
        File.WriteAllBytes(path, [.. "data:\n  path: a"u8, 0xFF, .. "b\n"u8]);
        Assert.Equal($"{path}:2:10: not valid UTF-8", Assert.Throws<RecipeException>(() => RecipeFile.Read<SampleRecipe>(path, [])).Message);
        Assert.Equal($"{folder.File("rum.yaml")}: no such recipe; did you mean '{path}'?", Assert.Throws<UserException>(() => RecipeFile.Read<SampleRecipe>(folder.File("rum.yaml"), [])).Message);
        Assert.Contains("is a folder", Assert.Throws<UserException>(() => RecipeFile.Read<SampleRecipe>(folder.Path, [])).Message, StringComparison.Ordinal);
        File.WriteAllBytes(path, new byte[RecipeFile.MaxBytes + 1]);
        Assert.Contains("1 MiB", Assert.Throws<UserException>(() => RecipeFile.Read<SampleRecipe>(path, [])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Components_are_found_by_attribute_in_a_fixed_order()
    {
        Assert.Equal(["adamw", "sgd"], Components.Of(typeof(SampleOptimizer)).Select(c => c.Kind));
        var socket = Assert.Single(Components.Sockets, s => s.Name == "test-optimizers");
        Assert.Equal("Turns gradients into updates.", socket.Doc);
        Assert.Equal("sgd", Components.KindOf(typeof(SampleSgd)));
        Assert.Empty(Components.Of(typeof(string)));
    }
}

using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using Gradus.Foundation.Recipes;

namespace Gradus.Tests.Foundation.Recipes;

public sealed class RecipeWriteTests
{
    private static readonly SampleRecipe s_full = new()
    {
        Data = new SampleData { Path = "C:\\data\\true story: \"#1\".txt", Targets = ["null", "1e5", " x ", "", "*.q", "a, b"], Sizes = [-1, 0], Grid = [[], [1, 2]], Weights = [0.1, 1.0 / 3] },
        Optimizer = new SampleSgd { LearningRate = 1.0000000000000002e-4, Momentum = double.Epsilon },
        Trainer = new SampleTrainer { Steps = int.MaxValue, Seed = long.MinValue, Tag = ulong.MaxValue, Precision = SamplePrecision.MixedUp, ClipNorm = null, Ema = 0.1f, Every = -7 },
        Stages = [new SampleAdamw { Beta1 = 0 }, new SampleSgd()],
        Mix = new Dictionary<string, double> { ["plain"] = 5e-324, ["two words: here"] = -0.0 },
        Named = new() { ["a"] = new SampleTrainer { Steps = 3 } },
        Note = "two\nlines\n\ttab \u0001 \u2028 é 😀\n",
        ApiKey = "hunter2",
    };

    [Fact]
    public void What_is_written_reads_back_as_the_same_recipe()
    {
        var yaml = RecipeFile.Write(s_full);
        var back = RecipeFile.Parse<SampleRecipe>(yaml, "w", []);
        Assert.Equal(yaml, RecipeFile.Write(back));
        Assert.Equal(s_full.Data.Path, back.Data.Path);
        Assert.Equal(s_full.Data.Targets, back.Data.Targets);
        Assert.Equal(s_full.Data.Grid, back.Data.Grid);
        Assert.Equal(s_full.Data.Weights.Select(BitConverter.DoubleToInt64Bits), back.Data.Weights.Select(BitConverter.DoubleToInt64Bits));
        Assert.Equal(s_full.Optimizer, back.Optimizer);
        Assert.Equal(s_full.Trainer, back.Trainer);
        Assert.Equal(s_full.Stages, back.Stages);
        Assert.Equal(s_full.Mix.ToDictionary(m => m.Key, m => BitConverter.DoubleToInt64Bits(m.Value)), back.Mix.ToDictionary(m => m.Key, m => BitConverter.DoubleToInt64Bits(m.Value)));
        Assert.Equal(s_full.Named, back.Named);
        Assert.Equal(s_full.Note, back.Note);
        Assert.Equal(s_full.ApiKey, back.ApiKey);
    }

    [Fact]
    public void Every_default_is_written_out_in_one_style()
    {
        var yaml = RecipeFile.Write(new SampleRecipe { Data = new SampleData { Path = "a/b.txt" } });
        Assert.Equal("""
            data:
              path: a/b.txt
              targets: []
              sizes: []
              grid: []
              batch: 8
              weights: []
            optimizer:
              kind: adamw
              learning_rate: 0.0003
              beta1: 0.9
              weight_decay: 0.1
            trainer:
              steps: 200
              warmup_steps: 0
              seed: 1
              tag: 0
              precision: fp32
              pack: true
              clip_norm: 1
              ema: 0.999
              every: null
            stages: []
            mix: {}
            named: {}
            note: null
            api_key: null

            """.ReplaceLineEndings("\n"), yaml);
    }

    [Fact]
    public void Secrets_are_masked_when_asked()
    {
        var masked = RecipeFile.Write(s_full, maskSecrets: true);
        Assert.DoesNotContain("hunter2", masked, StringComparison.Ordinal);
        Assert.Contains("api_key: \"***\"", masked, StringComparison.Ordinal);
        Assert.Contains("hunter2", RecipeFile.Write(s_full), StringComparison.Ordinal); // the control: unmasked, it is there
        Assert.Contains("api_key: null", RecipeFile.Write(s_full with { ApiKey = null }, maskSecrets: true), StringComparison.Ordinal);
    }

    [Fact]
    public void Any_text_and_any_finite_number_round_trips()
    {
        Prop.ForAll<string, double, long>((text, number, seed) =>
        {
            if (!double.IsFinite(number) || text is null || text.Any(char.IsSurrogate))
                return;
            var recipe = new SampleRecipe { Data = new SampleData { Path = text, Targets = [text] }, Trainer = new SampleTrainer { ClipNorm = number, Seed = seed }, Mix = text.Length == 0 ? new Dictionary<string, double>() : new Dictionary<string, double> { [text] = number } };
            var back = RecipeFile.Parse<SampleRecipe>(RecipeFile.Write(recipe), "w", []);
            Assert.Equal(text, back.Data.Path);
            Assert.Equal([text], back.Data.Targets);
            Assert.Equal(BitConverter.DoubleToInt64Bits(number), BitConverter.DoubleToInt64Bits(back.Trainer.ClipNorm!.Value));
            Assert.Equal(seed, back.Trainer.Seed);
            Assert.Equal(recipe.Mix.Keys, back.Mix.Keys);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000).WithReplay(20261120, 1));
        string[] all = [.. Enumerable.Range(0, 0x10000).Where(c => !char.IsSurrogate((char)c)).Select(c => "a" + (char)c + "b"), "😀"];
        Assert.Equal(all, RecipeFile.Parse<SampleData>(RecipeFile.Write(new SampleData { Path = "x", Targets = all }), "w", []).Targets);
    }

    [Fact]
    public void NaN_made_in_code_cannot_be_written() =>
        Assert.Throws<ArgumentException>(() => RecipeFile.Write(new SampleTrainer { ClipNorm = double.NaN }));

    [Theory]
    [InlineData("de-DE")]
    [InlineData("tr-TR")]
    [InlineData("fa-IR")]
    [InlineData("ar")]
    public void The_language_of_the_machine_changes_nothing(string language)
    {
        const string Yaml = "data: { path: x, weights: [0.25] }\noptimizer: { learning_rate: 0.0003 }\ntrainer: { precision: MIXED-UP, steps: -1 }\nINIT: 1";
        var good = RecipeFile.Write(s_full);
        string Message() => Assert.Throws<RecipeException>(() => RecipeFile.Parse<SampleRecipe>(Yaml, "r", ["trainer.clip_norm=1,5"])).Message;
        var message = Message();
        var schema = RecipeSchema.Export(typeof(SampleRecipe));
        var before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = CultureInfo.CurrentUICulture = CultureInfo.GetCultureInfo(language);
            Assert.SkipWhen(0.5.ToString() == "0.5" && language == "de-DE", "the machine has no culture data");
            Assert.Equal(good, RecipeFile.Write(RecipeFile.Parse<SampleRecipe>(good, "w", [])));
            Assert.Equal(0.0003, RecipeFile.Parse<SampleRecipe>("data: {path: x}", "r", ["optimizer.learning_rate=0.0003"]).Optimizer.LearningRate);
            Assert.Equal(message, Message());
            Assert.Equal(schema, RecipeSchema.Export(typeof(SampleRecipe)));
        }
        finally
        {
            CultureInfo.CurrentCulture = CultureInfo.CurrentUICulture = before;
        }
    }
}

using System.Text.Json;
using Gradus.Foundation.Recipes;
using Gradus.Training.Loop;
using Gradus.Training.Optim;

namespace Gradus.Tests.Training.Optim;

/// <summary>Learning rates next to torch.optim.lr_scheduler and Transformers, step by step.</summary>
public sealed class ScheduleTests
{
    private const double Low = 1e-5 / 3e-4; // eta_min as a share of the fixtures' peak

    private static readonly Dictionary<string, ScheduleOptions> Known = new()
    {
        ["constant"] = new ConstantOptions(),
        ["cosine_100"] = new CosineOptions { Period = 100, Floor = Low },
        ["cosine_200"] = new CosineOptions { Floor = 0 },
        ["linear_warmup"] = new ConstantOptions { WarmupSteps = 20 },
        ["linear_warmup_from_tenth"] = new ConstantOptions { WarmupSteps = 20, WarmupStart = 0.1 },
        ["linear_decay"] = new LinearOptions { Floor = 0.1, Period = 150 },
        ["warmup_cosine"] = new CosineOptions { WarmupSteps = 20, WarmupStart = 0.05, Floor = Low },
        ["step"] = new StepDecayOptions { Every = 30, Factor = 0.5 },
        ["exponential"] = new StepDecayOptions { Every = 1, Factor = 0.98 },
        ["hf_warmup_cosine"] = new CosineOptions { WarmupSteps = 20, WarmupStart = 0, Floor = 0 },
        ["hf_warmup_linear"] = new LinearOptions { WarmupSteps = 20, WarmupStart = 0 },
        ["hf_warmup_constant"] = new ConstantOptions { WarmupSteps = 20, WarmupStart = 0 },
    };

    public static TheoryData<string> Names() => [.. Known.Keys];

    [Theory, MemberData(nameof(Names))]
    [Row("G8")]
    public void Every_rate_is_that_of_torch(string name)
    {
        using var file = JsonDocument.Parse(File.ReadAllText(Repo.Fixture("schedules/curves.json")));
        var (peak, steps) = (file.RootElement.GetProperty("peak").GetDouble(), file.RootElement.GetProperty("steps").GetInt64());
        var rates = file.RootElement.GetProperty("curves").EnumerateArray().Single(c => c.GetProperty("name").GetString() == name).GetProperty("rates");
        Assert.Equal(steps, rates.GetArrayLength());
        for (var t = 0; t < steps; t++)
            Assert.Equal(rates[t].GetDouble(), Known[name].Rate(peak, t, steps), 1e-12);
    }

    [Fact]
    [Row("G8")]
    public void A_run_ends_at_the_floor()
    {
        var cosine = new CosineOptions { WarmupSteps = 10, Floor = 0.1 };
        Assert.Equal(1, cosine.Rate(1, 10, 1000), 1e-15);
        Assert.InRange(cosine.Rate(1, 999, 1000), 0.1, 0.1001);
    }

    [Theory]
    [InlineData("steps: 10, schedule: { kind: cosine, warmup_steps: 11 }", "warmup_steps: 11 is more than the 10 steps of the run")]
    [InlineData("batch: 4", "say how long the run is")]
    [InlineData("steps: 10, epochs: 2", "give only one of steps, tokens and epochs")]
    [InlineData("steps: 10, clip_norm: 0", "clip_norm")]
    [InlineData("steps: 10, accumulate: 0", "accumulate")]
    [InlineData("steps: 10, validate_every: 0, early_stopping: { patience: 2 }", "needs validation")]
    [Row("G9")]
    public void A_trainer_that_makes_no_sense_is_refused_in_words(string yaml, string words)
    {
        var error = Assert.Throws<RecipeException>(() => RecipeFile.Parse<TrainerOptions>("{ " + yaml + " }", "recipe.yaml", []));
        Assert.Contains(words, error.Message, StringComparison.Ordinal);
        Assert.Matches(@"^recipe\.yaml:\d+:\d+: ", error.Message);
    }
}

using Gradus.Foundation.Recipes;
using Gradus.Training.Optim;

namespace Gradus.Tests.Contracts;

/// <summary>What every registered schedule must do.</summary>
[Row("G8")]
public sealed class ScheduleContractTests
{
    public static TheoryData<string> Kinds() => [.. Components.Of(typeof(ScheduleOptions)).Select(c => c.Kind)];

    [Theory, MemberData(nameof(Kinds))]
    public void Rates_are_finite_never_negative_never_above_the_peak_and_scale_with_it(string kind)
    {
        var schedule = Options(kind) with { WarmupSteps = 5 };
        for (var t = 0; t < 300; t++)
        {
            var rate = schedule.Rate(0.5, t, 200);
            Assert.InRange(rate, 0, 0.5 * (1 + 1e-15));
            Assert.Equal(2 * rate, schedule.Rate(1, t, 200), 1e-12);
        }
    }

    [Theory, MemberData(nameof(Kinds))]
    public void Warm_up_rises_to_the_peak_and_no_further(string kind)
    {
        var schedule = Options(kind) with { WarmupSteps = 4 };
        Assert.Equal([0.25, 0.5, 0.75, 1, 1], Enumerable.Range(0, 5).Select(t => Math.Round(schedule.Rate(1, t, 100), 12)));
    }

    private static ScheduleOptions Options(string kind) =>
        RecipeFile.Parse<ScheduleOptions>(kind == "step" ? "{ kind: step, every: 30 }" : $"{{ kind: {kind} }}", "recipe.yaml", []);
}

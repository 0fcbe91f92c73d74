using Gradus.Engine.Tensors;
using Gradus.Foundation.Recipes;
using Gradus.Models.Nn;
using Gradus.Tests.Training;
using Gradus.Text.Data;
using Gradus.Training.Objectives;

namespace Gradus.Tests.Contracts;

/// <summary>What every registered objective must do.</summary>
[Row("F1"), Row("F12")]
public sealed class ObjectiveContractTests
{
    public static TheoryData<string> Kinds() => [.. Components.Of(typeof(ObjectiveOptions)).Select(c => c.Kind)];

    [Theory, MemberData(nameof(Kinds))]
    public void Loss_is_additive_over_micro_batches(string kind)
    {
        using var scope = Tensor.Scope();
        using var model = new TinyLanguageModel();
        var (objective, rows) = (Objective(kind), TestRows.Bigrams(masked: 1));
        var whole = objective.Sum(model, rows.Rows(0, 8), default).Item();
        var parts = Enumerable.Range(0, 8).Sum(i => objective.Sum(model, rows.Rows(i, 1), default).Item());
        Assert.Equal(whole, parts, whole * 1e-6); // float32 sums in another order
        Assert.Equal(objective.Weight(rows.Rows(0, 8)), Enumerable.Range(0, 8).Sum(i => objective.Weight(rows.Rows(i, 1))));
    }

    [Theory, MemberData(nameof(Kinds))]
    public void Masked_targets_count_nothing_and_a_batch_of_only_such_has_loss_zero(string kind)
    {
        using var scope = Tensor.Scope();
        using var model = new TinyLanguageModel();
        var objective = Objective(kind);
        var batch = TestRows.Bigrams().Rows(0, 2);
        Array.Fill(batch.Targets, TokenBatch.Ignore);
        batch.TargetCount = 0;
        var loss = objective.Sum(model, batch, new Step { Training = true });
        loss.Backward();
        Assert.Equal(0, loss.Item());
        Assert.All(model.Gradients(), g => Assert.Equal(0, g));
    }

    [Theory, MemberData(nameof(Kinds))]
    public void The_gradient_is_that_of_finite_differences(string kind)
    {
        using var scope = Tensor.Scope();
        using var model = new TinyLanguageModel(width: 8);
        var (objective, batch) = (Objective(kind), TestRows.Bigrams(masked: 0.5).Rows(0, 3));
        objective.Sum(model, batch, new Step { Training = true }).Backward();
        foreach (var parameter in model.Parameters)
        {
            // Along the gradient itself, where the change is largest against float32's rounding of a loss near 80.
            var gradient = parameter.Value.Gradient!;
            var length = gradient.Norm().Item();
            if (length < 1e-3) continue;
            const double h = 1e-2;
            double At(double by)
            {
                using var off = Grad.Off();
                parameter.Value.AddInPlace(gradient, by / length);
                var loss = objective.Sum(model, batch, default).Item();
                parameter.Value.AddInPlace(gradient, -by / length);
                return loss;
            }
            Assert.Equal(length, (At(h) - At(-h)) / (2 * h), 0.01 * length + 1e-3);
        }
    }

    [Theory, MemberData(nameof(Kinds))]
    public void The_sum_is_float32_and_finite_at_the_start(string kind)
    {
        using var scope = Tensor.Scope();
        using var model = new TinyLanguageModel();
        var loss = Objective(kind).Sum(model, TestRows.Bigrams().Rows(0, 2), default);
        Assert.Equal(DType.Float32, loss.DType);
        Assert.Empty(loss.Shape);
        Assert.True(double.IsFinite(loss.Item()));
    }

    private static IObjective Objective(string kind) =>
        RecipeFile.Parse<ObjectiveOptions>($"{{ kind: {kind} }}", "recipe.yaml", []).Build();
}

using Gradus.Engine.Tensors;
using Gradus.Foundation.Files;
using Gradus.Models.Nn;
using Gradus.Models.Peft;
using Gradus.Tests.Models.Families;
using Gradus.Training.Loop;
using Gradus.Training.Optim;

namespace Gradus.Tests.Models.Peft;

/// <summary>What holds for every method over every kind of weight and every family: a new one is tested the moment it is registered.</summary>
public class AdapterContractTests
{
    public static TheoryData<string, string, string> Cases => TinyAdapters.Cases;

    [Row("I12", "I13", "I15"), Theory, MemberData(nameof(Cases))]
    public void A_fresh_adapter_changes_nothing_where_it_promises_so(string method, string weights, string family)
    {
        using var plain = TinyAdapters.Base(family, weights);
        using var model = TinyAdapters.Build(method, weights, family);
        var (before, after) = (TinyAdapters.Logits(plain), TinyAdapters.Logits(model));
        if (model.Used[0].Options.StartsAsIdentity) Assert.Equal(before, after);
        else Assert.NotEqual(before, after);
        // The control: once its numbers move, so do the predictions.
        TinyAdapters.Disturb(model.Used[0]);
        Assert.True(TinyAdapters.Distance(before, TinyAdapters.Logits(model)) > 1e-3);
        // Out of use, the base is itself again.
        model.Use();
        Assert.Equal(before, TinyAdapters.Logits(model));
    }

    [Row("I5", "I12", "I13", "I14", "I15"), Theory, MemberData(nameof(Cases))]
    public void Training_moves_every_number_of_the_adapter_and_no_other(string method, string weights, string family)
    {
        using var scope = Tensor.Scope();
        using var model = TinyAdapters.Build(method, weights, family);
        var trained = model.Parameters.Where(p => p.Trainable).ToArray();
        Assert.Equal(model.Used[0].ParameterCount, trained.Sum(p => p.Value.Elements));
        var before = trained.Select(p => p.Value.ToArray<float>()).ToArray();
        var frozen = FrozenWeights.Hash(model);
        using var optimizer = new AdamWOptions { WeightDecay = 0 }.Build(model.Parameters);
        Assert.Equal(trained.SelectMany(p => new[] { p.Name + ":exp_avg", p.Name + ":exp_avg_sq" }), optimizer.State.Select(s => s.Name));
        var losses = new List<double>();
        for (var step = 0; step < 12; step++)
        {
            using var inner = Tensor.Scope();
            var loss = ModelContractTests.Loss(model, new Step { Training = false });
            loss.Backward();
            losses.Add(loss.Item());
            Assert.All(model.Parameters, p => Assert.Equal(p.Trainable, p.Value.HasGradient));
            optimizer.Apply(5e-3);
            foreach (var p in model.Parameters) p.Value.Gradient = null;
        }
        Assert.Equal(frozen, FrozenWeights.Hash(model));
        Assert.True(losses[^1] < losses[0], $"the loss went from {losses[0]} to {losses[^1]}");
        for (var i = 0; i < trained.Length; i++) Assert.True(!before[i].SequenceEqual(trained[i].Value.ToArray<float>()), $"{trained[i].Name} did not move");
        // The control: a frozen weight that does move is noticed.
        Grad.Off(() => model.Parameters.First(p => !p.Trainable).Value.View(-1).Narrow(0, 0, 1).AddInPlace(1e-3));
        Assert.NotEqual(frozen, FrozenWeights.Hash(model));
    }

    [Row("I12", "I13", "I15"), Theory, MemberData(nameof(Cases))]
    public void Merged_is_unmerged_and_unmerging_gives_the_base_back_to_the_bit(string method, string weights, string family)
    {
        using var model = TinyAdapters.Build(method, weights, family, disturbed: true);
        using var plain = TinyAdapters.Base(family, weights);
        var (without, adapted) = (TinyAdapters.Logits(plain), TinyAdapters.Logits(model));
        if (!model.Used[0].Options.CanMerge)
        {
            Assert.Contains("cannot be merged", Assert.Throws<UserException>(model.Merge).Message, StringComparison.Ordinal);
            return;
        }
        model.Merge();
        var merged = TinyAdapters.Logits(model);
        Assert.True(TinyAdapters.Distance(adapted, merged) <= 1e-5, $"distance {TinyAdapters.Distance(adapted, merged):E2}");
        // The control: what was merged is not nothing.
        Assert.True(TinyAdapters.Distance(without, merged) > 1e-3);
        Assert.Equal(TinyModels.Options(family).CountParameters(), model.Parameters.Sum(p => p.Value.Elements));
        model.Unmerge();
        Assert.Equal(adapted, TinyAdapters.Logits(model));
        model.Use();
        Assert.Equal(without, TinyAdapters.Logits(model));
    }

    [Row("I13", "I15"), Theory, MemberData(nameof(Cases))]
    public void An_adapter_survives_its_files(string method, string weights, string family)
    {
        using var folder = Repo.Temp();
        using var model = TinyAdapters.Build(method, weights, family, disturbed: true);
        AdapterFolder.Save(model.Used[0], folder.Path, "models/base", "print");
        using var other = new AdaptedModel(TinyAdapters.Base(family, weights));
        AdapterFolder.Load(other, folder.Path, "again", "print");
        Assert.NotEqual(TinyAdapters.Logits(model), TinyAdapters.Logits(other)); // loaded is not yet in use
        other.Use("again");
        Assert.Equal(TinyAdapters.Logits(model), TinyAdapters.Logits(other));
        Assert.Equal("models/base", AdapterFolder.BaseModel(folder.Path));
        using var again = Repo.Temp();
        AdapterFolder.Save(other.Used[0], again.Path, "models/base", "print");
        foreach (var file in new[] { "adapter_config.json", "adapter_model.safetensors" })
            Assert.Equal(Hashing.Sha256File(folder.File(file)), Hashing.Sha256File(again.File(file)));
        // The control: another base is noticed.
        using var third = new AdaptedModel(TinyAdapters.Base(family, weights));
        Assert.Contains("trained over another base", Assert.Throws<UserException>(() => AdapterFolder.Load(third, folder.Path, "x", "another")).Message, StringComparison.Ordinal);
    }

    [Row("I13", "I15"), Theory, MemberData(nameof(Cases))]
    public void Gradients_are_slopes_through_whatever_the_base_is_held_as(string method, string weights, string family)
    {
        using var scope = Tensor.Scope();
        using var model = TinyAdapters.Build(method, weights, family, DType.Float64, disturbed: true);
        ModelContractTests.Loss(model, new Step()).Backward();
        var worst = 0.0;
        foreach (var parameter in model.Parameters.Where(p => p.Trainable))
        {
            // DoRA's gradient holds the length constant, so only the magnitude's is a slope of the whole.
            if (method == "lora+dora" && !parameter.Name.EndsWith("magnitude_vector", StringComparison.Ordinal)) continue;
            var gradient = parameter.Value.Gradient!;
            var direction = TinyModels.Noise("direction " + parameter.Name, 1, DType.Float64, parameter.Value.Shape);
            var (expected, actual) = (Slope(parameter, direction), (gradient * direction).Sum().Item());
            var scale = (gradient.Norm() * direction.Norm()).Item();
            if (scale < 1e-10)
            {
                // A key's bias moves every score of a query alike, which the soft-max takes out: both are roundings of zero.
                Assert.True(Math.Abs(expected) < 1e-8 && Math.Abs(actual) < 1e-10, $"{parameter.Name}: slope {expected}, gradient {actual}");
                continue;
            }
            worst = Math.Max(worst, Math.Abs(expected - actual) / scale);
            Assert.True(Math.Abs(expected - actual) <= 2e-6 * scale, $"{parameter.Name}: slope {expected}, gradient {actual}, scale {scale}");
        }
        Assert.True(worst > 0, "the two cannot agree to the last bit: something was not computed");

        double Slope(Parameter parameter, Tensor direction)
        {
            var h = 1e-3 / direction.Norm().Item();
            double At(double steps) => Grad.Off(() =>
            {
                using var inner = Tensor.Scope();
                parameter.Value.AddInPlace(direction, steps * h);
                var loss = ModelContractTests.Loss(model, new Step()).Item();
                parameter.Value.AddInPlace(direction, -steps * h);
                return loss;
            });
            return (At(-2) - 8 * At(-1) + 8 * At(1) - At(2)) / (12 * h);
        }
    }

    public static TheoryData<string, string, string> CausalCases => [.. Cases.Where(row => TinyAdapters.IsCausal(row.Data.Item3))];

    [Row("I14", "I15"), Theory, MemberData(nameof(CausalCases))]
    public void Cached_logits_are_those_of_the_whole_sequence(string method, string weights, string family)
    {
        using var scope = Tensor.Scope();
        using var model = TinyAdapters.Build(method, weights, family, disturbed: true);
        var ids = TinyModels.Ids(2, 14, model.VocabSize);
        Grad.Off(() =>
        {
            var whole = TinyAdapters.Out(model, ids, new Step());
            foreach (var pieces in new[] { Enumerable.Repeat(1, 14).ToArray(), [5, 1, 1, 4, 3], [14] })
            {
                using var cache = model.NewCache(2, 14);
                var at = 0;
                foreach (var length in pieces)
                {
                    ModelContractTests.AssertNear(whole.Narrow(1, at, length), TinyAdapters.Out(model, ids.Narrow(1, at, length), new Step { Cache = cache }), 2e-5);
                    at += length;
                }
            }
        });
    }

    [Row("I13", "I14"), Theory, MemberData(nameof(Cases))]
    public void Packed_documents_are_computed_as_if_each_were_alone(string method, string weights, string family)
    {
        using var scope = Tensor.Scope();
        using var model = TinyAdapters.Build(method, weights, family, disturbed: true);
        var ids = TinyModels.Ids(1, 12, model.VocabSize);
        var step = new Step { Documents = Tensor.From([0L, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1], 1, 12), Positions = Tensor.From([0L, 1, 2, 3, 4, 0, 1, 2, 3, 4, 5, 6], 1, 12) };
        Grad.Off(() =>
        {
            var packed = TinyAdapters.Out(model, ids, step);
            ModelContractTests.AssertNear(TinyAdapters.Out(model, ids.Narrow(1, 0, 5), new Step()), packed.Narrow(1, 0, 5), 2e-5);
            ModelContractTests.AssertNear(TinyAdapters.Out(model, ids.Narrow(1, 5, 7), new Step()), packed.Narrow(1, 5, 7), 2e-5);
        });
    }

    [Row("G12", "I13"), Theory, InlineData("lora"), InlineData("bottleneck"), InlineData("prefix")]
    public void Recomputed_activations_give_bit_equal_gradients_with_dropout(string method)
    {
        using var scope = Tensor.Scope();
        using var model = new AdaptedModel(TinyAdapters.Base("llama", "nf4"));
        var options = TinyAdapters.Options(method);
        model.Train(options is LoraOptions lora ? lora with { Dropout = 0.3 } : options, seed: 4);
        TinyAdapters.Disturb(model.Used[0]);
        var runs = new List<float[][]>();
        foreach (var recompute in new[] { false, true, false })
        {
            Generator.SeedDefault(runs.Count == 2 ? 4 : 3);
            ModelContractTests.Loss(model, new Step { Training = true, Recompute = recompute }).Backward();
            runs.Add([.. model.Used[0].Parameters.Select(p => p.Value.Gradient!.ToArray<float>())]);
            foreach (var p in model.Parameters) p.Value.Gradient = null;
        }
        for (var i = 0; i < runs[0].Length; i++) Assert.Equal(runs[0][i], runs[1][i]);
        Assert.NotEqual(runs[0][0], runs[2][0]); // the control: other draws, other gradients
    }

    [Fact]
    [Row("I12")]
    public void Biases_cannot_be_tuned_where_there_are_none()
    {
        using var model = new AdaptedModel(TinyAdapters.Base("llama"));
        Assert.Contains("this model has none", Assert.Throws<UserException>(() => model.Train(new BitFitOptions(), 1)).Message, StringComparison.Ordinal);
    }
}

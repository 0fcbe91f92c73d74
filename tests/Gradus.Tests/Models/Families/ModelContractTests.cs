using Gradus.Engine.Ops;
using Gradus.Engine.Tensors;
using Gradus.Models.Nn;

namespace Gradus.Tests.Models.Families;

/// <summary>What holds for every family, whatever it computes: a new one is tested the moment it is registered.</summary>
public class ModelContractTests
{
    public static TheoryData<string> Kinds => TinyModels.Kinds;
    public static TheoryData<string> Decoders => TinyModels.Decoders;
    public static TheoryData<string> Encoders => TinyModels.Encoders;

    [Row("E7", "E9", "E20"), Theory, MemberData(nameof(Kinds))]
    public void Shapes_are_those_of_the_options(string kind)
    {
        using var scope = Tensor.Scope();
        using var model = TinyModels.Build(kind);
        var ids = TinyModels.Ids(3, 7, model.VocabSize);
        var hidden = model.Hidden(ids, new Step());
        Assert.Equal([3, 7, hidden.Size(2)], hidden.Shape);
        Assert.Equal([3, 7, model.VocabSize], model.Logits(ids, new Step()).Shape);
        Assert.Equal(TinyModels.Options(kind).ContextLength, model.MaxPositions);
        Assert.Equal(model.Parameters.Count, model.Parameters.Select(p => p.Name).Distinct().Count());
        Assert.Equal(TinyModels.Options(kind).CountParameters(), model.ParameterCount);
    }

    [Row("E4"), Theory, MemberData(nameof(Decoders))]
    public void A_future_token_leaves_past_logits_bit_identical(string kind)
    {
        using var scope = Tensor.Scope();
        using var model = TinyModels.Build(kind);
        var ids = TinyModels.Ids(2, 12, model.VocabSize).ToArray<long>();
        var before = model.Logits(Tensor.From(ids, 2, 12), new Step());
        ids[8] = (ids[8] + 1) % model.VocabSize;
        var after = model.Logits(Tensor.From(ids, 2, 12), new Step());
        Assert.Equal(before.Select(0, 0).Narrow(0, 0, 8).ToArray<float>(), after.Select(0, 0).Narrow(0, 0, 8).ToArray<float>());
        Assert.Equal(before.Select(0, 1).ToArray<float>(), after.Select(0, 1).ToArray<float>());
        // The control: from the changed token on, everything moves.
        for (var t = 8; t < 12; t++) Assert.NotEqual(before.Select(0, 0).Select(0, t).ToArray<float>(), after.Select(0, 0).Select(0, t).ToArray<float>());
    }

    [Row("E10"), Theory, MemberData(nameof(Encoders))]
    public void An_encoder_sees_both_sides_and_nothing_of_what_fills_the_row_up(string kind)
    {
        using var scope = Tensor.Scope();
        using var model = TinyModels.Build(kind);
        Assert.False(model.IsCausal);
        var ids = TinyModels.Ids(1, 12, model.VocabSize).ToArray<long>();
        var filled = new Step { Documents = Tensor.From([0L, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1], 1, 12), Positions = Tensor.Arange(12).Unsqueeze(0) };
        var before = model.Logits(Tensor.From(ids, 1, 12), filled);
        AssertNear(model.Logits(Tensor.From(ids[..8], 1, 8), new Step()), before.Narrow(1, 0, 8), 2e-5);
        ids[10] = (ids[10] + 1) % model.VocabSize;
        Assert.Equal(before.Narrow(1, 0, 8).ToArray<float>(), model.Logits(Tensor.From(ids, 1, 12), filled).Narrow(1, 0, 8).ToArray<float>());
        // The controls: unmasked, the filling is seen; and a later token changes an earlier one's scores.
        Assert.True(Distance(before.Narrow(1, 0, 8), model.Logits(Tensor.From(ids, 1, 12), new Step()).Narrow(1, 0, 8)) > 1e-3);
        ids[7] = (ids[7] + 1) % model.VocabSize;
        Assert.True(Distance(before.Narrow(1, 0, 1), model.Logits(Tensor.From(ids, 1, 12), filled).Narrow(1, 0, 1)) > 1e-3);
        Assert.Throws<NotSupportedException>(() => model.NewCache(1, 4));
    }

    [Theory, MemberData(nameof(Decoders))]
    public void Cached_logits_are_those_of_the_whole_sequence(string kind)
    {
        using var scope = Tensor.Scope();
        using var model = TinyModels.Build(kind);
        var ids = TinyModels.Ids(2, 14, model.VocabSize);
        Grad.Off(() =>
        {
            var whole = model.Logits(ids, new Step());
            foreach (var pieces in new[] { Enumerable.Repeat(1, 14).ToArray(), [5, 1, 1, 4, 3], [14] })
            {
                using var cache = model.NewCache(2, 14);
                var at = 0;
                foreach (var length in pieces)
                {
                    var part = model.Logits(ids.Narrow(1, at, length), new Step { Cache = cache });
                    AssertNear(whole.Narrow(1, at, length), part, 2e-5); // products of other sizes sum in another order
                    at += length;
                    Assert.Equal(at, cache.Length);
                }
            }
        });
    }

    [Theory, MemberData(nameof(Decoders))]
    public void A_truncated_cache_forgets(string kind)
    {
        using var scope = Tensor.Scope();
        using var model = TinyModels.Build(kind);
        var ids = TinyModels.Ids(1, 10, model.VocabSize);
        Grad.Off(() =>
        {
            using var cache = model.NewCache(1, 10);
            var first = model.Logits(ids, new Step { Cache = cache }).Narrow(1, 6, 4);
            cache.Truncate(6);
            AssertNear(first, model.Logits(ids.Narrow(1, 6, 4), new Step { Cache = cache }), 2e-5);
        });
    }

    [Theory, MemberData(nameof(Decoders))]
    public void A_cache_may_be_used_while_gradients_are_on_and_keeps_no_history(string kind)
    {
        using var scope = Tensor.Scope();
        using var model = TinyModels.Build(kind);
        using var cache = model.NewCache(1, 4);
        model.Logits(TinyModels.Ids(1, 2, model.VocabSize), new Step { Cache = cache });
        var (keys, _) = cache.Append(0, cache.Append(0, KeysLike(cache), KeysLike(cache)).Keys.Narrow(1, 0, 1), KeysLike(cache));
        Assert.False(keys.RequiresGrad);
    }

    [Row("G1"), Theory, MemberData(nameof(Kinds))]
    public void The_gradient_reaches_every_parameter(string kind)
    {
        using var scope = Tensor.Scope();
        using var model = TinyModels.Build(kind);
        Loss(model, new Step()).Backward();
        Assert.All(model.Parameters, p => Assert.True(p.Value.HasGradient && p.Value.Gradient!.ToArray<float>().Any(g => g != 0), p.Name));
    }

    [Row("G12"), Theory, MemberData(nameof(Kinds))]
    public void Recomputed_activations_give_bit_equal_gradients_with_dropout(string kind)
    {
        using var scope = Tensor.Scope();
        using var model = TinyModels.Build(kind);
        var runs = new List<float[][]>();
        foreach (var recompute in new[] { false, true })
        {
            Generator.SeedDefault(3);
            Loss(model, new Step { Training = true, Recompute = recompute }).Backward();
            runs.Add([.. model.Parameters.Select(p => p.Value.Gradient!.ToArray<float>())]);
            foreach (var p in model.Parameters) p.Value.Gradient = null;
        }
        for (var i = 0; i < model.Parameters.Count; i++) Assert.Equal(runs[0][i], runs[1][i]);
    }

    [Theory, MemberData(nameof(Kinds))]
    public void Packed_documents_are_computed_as_if_each_were_alone(string kind)
    {
        using var scope = Tensor.Scope();
        using var model = TinyModels.Build(kind);
        var ids = TinyModels.Ids(1, 12, model.VocabSize);
        var step = new Step
        {
            Documents = Tensor.From([0L, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1], 1, 12),
            Positions = Tensor.From([0L, 1, 2, 3, 4, 0, 1, 2, 3, 4, 5, 6], 1, 12),
        };
        Grad.Off(() =>
        {
            var packed = model.Logits(ids, step);
            AssertNear(model.Logits(ids.Narrow(1, 0, 5), new Step()), packed.Narrow(1, 0, 5), 2e-5);
            AssertNear(model.Logits(ids.Narrow(1, 5, 7), new Step()), packed.Narrow(1, 5, 7), 2e-5);
            // The control: without the mask the second document sees the first.
            var leaked = model.Logits(ids, step with { Documents = null });
            Assert.True(Distance(packed.Narrow(1, 5, 7), leaked.Narrow(1, 5, 7)) > 1e-2);
        });
    }

    [Row("E6"), Theory, MemberData(nameof(Kinds))]
    public void Dropout_acts_in_training_only(string kind)
    {
        using var scope = Tensor.Scope();
        using var model = TinyModels.Build(kind);
        var ids = TinyModels.Ids(2, 10, model.VocabSize);
        Grad.Off(() =>
        {
            Assert.Equal(model.Logits(ids, new Step()).ToArray<float>(), model.Logits(ids, new Step()).ToArray<float>());
            Assert.NotEqual(model.Logits(ids, new Step { Training = true }).ToArray<float>(), model.Logits(ids, new Step { Training = true }).ToArray<float>());
        });
    }

    [Row("F12"), Theory, MemberData(nameof(Kinds))]
    public void A_fresh_model_knows_nothing_its_loss_is_ln_V(string kind)
    {
        using var scope = Tensor.Scope();
        using var model = TinyModels.Options(kind).BuildFresh(seed: 11);
        var loss = Grad.Off(() => Loss(model, new Step()).Item()) / (4 * 16);
        Assert.InRange(loss / Math.Log(model.VocabSize), 0.98, 1.02);
    }

    [Theory, MemberData(nameof(Kinds))]
    public void More_tokens_than_positions_are_refused(string kind)
    {
        using var scope = Tensor.Scope();
        using var model = TinyModels.Build(kind);
        var e = Assert.Throws<ArgumentException>(() => model.Hidden(TinyModels.Ids(1, model.MaxPositions + 1, model.VocabSize), new Step()));
        Assert.Contains($"{model.MaxPositions + 1} tokens", e.Message, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Kinds))]
    public void Products_in_bfloat16_stay_near_and_their_gradients_reach_the_float32_masters(string kind)
    {
        using var scope = Tensor.Scope();
        using var model = TinyModels.Options(kind).BuildFresh(seed: 3);
        var ids = TinyModels.Ids(2, 10, model.VocabSize);
        var exact = Grad.Off(() => model.Logits(ids, new Step()));
        foreach (var p in model.Parameters.Where(p => p.Value.Dims > 1)) p.ComputeType = DType.BFloat16;
        var hidden = model.Hidden(ids, new Step());
        Assert.Equal(DType.Float32, hidden.DType); // the residual stream keeps full precision
        var rough = Grad.Off(() => model.Logits(ids, new Step()));
        Assert.True(Distance(exact, rough) > 0, "nothing was computed in bfloat16");
        AssertNear(exact, rough, 0.02); // 8 bits of fraction over a few layers
        Loss(model, new Step()).Backward();
        Assert.All(model.Parameters, p => Assert.Equal(DType.Float32, p.Value.Gradient!.DType));
        if (!model.IsCausal) return;
        Grad.Off(() =>
        {
            using var cache = model.NewCache(2, 10);
            var parts = new[] { 4, 6 }.Select((length, i) => model.Logits(ids.Narrow(1, 4 * i, length), new Step { Cache = cache })).ToArray();
            AssertNear(rough, Tensor.Cat(parts, 1), 0.02);
        });
    }

    internal static Tensor Loss(ILanguageModel model, in Step step)
    {
        var ids = TinyModels.Ids(4, 17, model.VocabSize, "loss");
        var hidden = model.Hidden(ids.Narrow(1, 0, 16), step);
        var logits = model.Head.Forward(model.BeforeHead(hidden.Reshape(64, hidden.Size(2)), step));
        return F.CrossEntropySum(logits.DType == DType.BFloat16 ? logits.To(DType.Float32) : logits, ids.Narrow(1, 1, 16).Reshape(64));
    }

    internal static void AssertNear(Tensor expected, Tensor actual, double relative)
    {
        Assert.Equal(expected.Shape, actual.Shape);
        var distance = Distance(expected, actual);
        Assert.True(distance <= relative, $"relative distance {distance:E2} is above {relative:E1}");
    }

    /// <summary>Largest difference over the largest expected value.</summary>
    internal static double Distance(Tensor expected, Tensor actual)
    {
        var (e, a) = (expected.ToArray<double>(), actual.ToArray<double>());
        return e.Zip(a, (x, y) => Math.Abs(x - y)).Max() / e.Max(Math.Abs);
    }

    private static Tensor KeysLike(KvCache cache) => Tensor.Ones(DType.Float32, Device.Cpu, 1, 1, cache.Heads, cache.Width) * RequiringGrad();

    private static Tensor RequiringGrad()
    {
        var one = Tensor.Ones(DType.Float32, Device.Cpu, 1);
        one.RequiresGrad = true;
        return one;
    }
}

using Gradus.Engine.Ops;
using Gradus.Engine.Tensors;
using Gradus.Foundation.Files;
using Gradus.Models.Families.Gpt2;
using Gradus.Models.Nn;
using Gradus.Models.Peft;
using Gradus.Tests.Models.Families;

namespace Gradus.Tests.Models.Peft;

/// <summary>What single methods promise beyond the contract, and adapters together.</summary>
public class AdapterTests
{
    [Row("I13"), Theory, InlineData("gpt2"), InlineData("llama")]
    public void Lora_trains_rank_times_inputs_and_outputs_of_each_target(string family)
    {
        using var model = new AdaptedModel(TinyAdapters.Base(family));
        var adapter = model.Train(new LoraOptions { Rank = 3, RankPattern = new Dictionary<string, int>(StringComparer.Ordinal) { ["*.0.mlp.*"] = 5 } }, seed: 1);
        var expected = model.Linears.Where(l => l != model.Head).Sum(l => (l.Path.Contains(".0.mlp.", StringComparison.Ordinal) ? 5 : 3) * (l.Weight.In + l.Weight.Out));
        Assert.Equal(expected, adapter.ParameterCount);
    }

    [Row("I13"), Fact]
    public void Rank_8_on_every_linear_of_gpt2_124m_is_1_179_648_numbers()
    {
        // 12 · 8 · ((768 + 2304) + (768 + 768) + (768 + 3072) + (3072 + 768)): PEFT's print_trainable_parameters says the same.
        var options = new Gpt2Options { VocabSize = 50257, NLayer = 12, NEmbd = 768, NHead = 12 };
        using var model = new AdaptedModel(options.Build(Weights.Fresh(1)));
        Assert.Equal(1_179_648, model.Train(new LoraOptions { Rank = 8 }, seed: 1).ParameterCount);
    }

    [Row("I13"), Fact]
    public void Rslora_divides_alpha_by_the_root_of_the_rank()
    {
        float[] Of(LoraOptions options)
        {
            using var model = new AdaptedModel(TinyAdapters.Base("llama"));
            TinyAdapters.Disturb(model.Train(options, seed: 1));
            return TinyAdapters.Logits(model);
        }
        Assert.Equal(Of(new LoraOptions { Rank = 4, Alpha = 8, Rslora = true }), Of(new LoraOptions { Rank = 4, Alpha = 16 })); // 8 / √4 = 16 / 4
        Assert.NotEqual(Of(new LoraOptions { Rank = 4, Alpha = 8 }), Of(new LoraOptions { Rank = 4, Alpha = 16 }));
    }

    [Row("I13"), Theory, InlineData("dense"), InlineData("int8"), InlineData("nf4")]
    public void Doras_length_is_that_of_the_whole_weight_and_its_gradient_holds_it_constant(string weights)
    {
        using var scope = Tensor.Scope();
        using var model = TinyAdapters.Build("lora+dora", weights, "llama", DType.Float64, disturbed: true);
        var linear = model.Linears.First(l => l.Path.EndsWith("up_proj", StringComparison.Ordinal));
        var own = model.Used[0].Parameters.Where(p => p.Name.Contains(linear.Path, StringComparison.Ordinal)).ToArray();
        var (a, b, magnitude) = (own[0].Value, own[1].Value, own[2].Value);
        var x = TinyModels.Noise("x", 1, DType.Float64, 7, linear.Weight.In);
        var upstream = TinyModels.Noise("dy", 1, DType.Float64, 7, linear.Weight.Out);
        (linear.Forward(x) * upstream).Sum().Backward();
        var actual = own.Select(p => p.Value.Gradient!.ToArray<double>()).ToArray();
        foreach (var p in own) p.Value.Gradient = null;
        // The formula of the paper, section 4.3, written out over the dense sum.
        var whole = linear.Weight.Dense(DType.Float64) + b.MatMul(a) * 2;
        var y = x.MatMul(((magnitude / whole.Detach().Pow(2).Sum([1]).Sqrt()).Unsqueeze(1) * whole).T());
        Grad.Off(() => ModelContractTests.AssertNear(y, linear.Forward(x), 1e-9));
        (y * upstream).Sum().Backward();
        for (var i = 0; i < own.Length; i++)
            Assert.All(own[i].Value.Gradient!.ToArray<double>().Zip(actual[i]), pair => Assert.Equal(pair.First, pair.Second, 1e-8 * actual[i].Max(Math.Abs)));
    }

    [Row("I14"), Theory, InlineData("gpt2", 2), InlineData("llama", 2), InlineData("gpt2", 70), InlineData("llama", 70)]
    public void A_prefix_is_keys_and_values_in_the_cache_before_the_text(string family, int length)
    {
        using var scope = Tensor.Scope();
        // Seventy positions of text take the fused attention, two the plain one.
        var options = TinyModels.Options(family);
        options = options is Gpt2Options gpt2 ? gpt2 with { NPositions = 96 } : ((Gradus.Models.Families.Llama.LlamaOptions)options) with { MaxPositionEmbeddings = 96 };
        using var plain = options.BuildFresh(3);
        using var model = new AdaptedModel(options.BuildFresh(3));
        var adapter = model.Train(new PrefixOptions { Length = 5, InitStd = 0.7 }, seed: 2);
        var ids = TinyModels.Ids(2, length, plain.VocabSize);
        Grad.Off(() =>
        {
            using var cache = plain.NewCache(2, 5 + length);
            var table = adapter.Parameters[0].Value.View(5, cache.Layers, 2, cache.Heads, cache.Width);
            for (var layer = 0; layer < cache.Layers; layer++)
                cache.Append(layer, Rows(table, layer, 0), Rows(table, layer, 1));
            ModelContractTests.AssertNear(TinyAdapters.Out(plain, ids, new Step { Cache = cache }), TinyAdapters.Out(model, ids, new Step()), 1e-5);
            Assert.Equal(plain.MaxPositions - 5, model.MaxPositions);

            Tensor Rows(Tensor all, int layer, int which) => all.Select(1, layer).Select(1, which).Unsqueeze(0).Expand(2, 5, cache.Heads, cache.Width);
        });
        // What the adapter learns from is that attention too: its gradient reaches every layer.
        ModelContractTests.Loss(model, new Step()).Backward();
        Assert.All(adapter.Parameters[0].Value.Gradient!.View(5, -1, 2).Abs().Sum([0]).ToArray<float>(), g => Assert.True(g > 0));
    }

    [Row("I14"), Theory, InlineData("gpt2"), InlineData("llama")]
    public void A_prompt_that_is_words_is_those_words(string family)
    {
        using var scope = Tensor.Scope();
        using var plain = TinyAdapters.Base(family);
        using var model = TinyAdapters.Build("prompt", "dense", family);
        var ids = TinyModels.Ids(2, 9, plain.VocabSize);
        // A fresh prompt is rows of the vocabulary, spread over it.
        var words = Tensor.From([.. Enumerable.Range(0, 3).Select(i => (i + 1L) * plain.VocabSize / 4)], 1, 3).Expand(2, 3);
        Grad.Off(() => ModelContractTests.AssertNear(TinyAdapters.Out(plain, Tensor.Cat([words, ids], 1), new Step()).Narrow(1, 3, 9), TinyAdapters.Out(model, ids, new Step()), 1e-5));
    }

    [Row("I13"), Fact]
    public void Adapters_are_switched_and_stacked_and_strengths_scale_them()
    {
        using var model = new AdaptedModel(TinyAdapters.Base("gpt2"));
        foreach (var name in new[] { "one", "two" })
            TinyAdapters.Disturb(model.Train(new LoraOptions { Rank = 2, Targets = [name == "one" ? "*.attn.*" : "c_proj"] }, seed: name == "one" ? 1UL : 2, name), by: name == "one" ? 0.2 : 0.3);
        var both = Of(["one", "two"]);
        Assert.True(TinyAdapters.Distance(both, Of(["two", "one"])) < 1e-5); // a sum, in whatever order
        var one = Of(["one"]);
        Assert.NotEqual(one, Of(["two"]));
        Assert.NotEqual(one, both);
        Assert.Equal(one, Of(["one"]));
        model.Use([("one", 0.0)]);
        Assert.Equal(Of([]), TinyAdapters.Logits(model));
        model.Use([("one", 0.5), ("two", 2)]);
        var stacked = TinyAdapters.Logits(model);
        model.Merge();
        Assert.True(TinyAdapters.Distance(stacked, TinyAdapters.Logits(model)) <= 1e-5);
        Assert.Contains("unmerge before switching", Assert.Throws<UserException>(() => model.Use("one")).Message, StringComparison.Ordinal);

        float[] Of(string[] names)
        {
            model.Use(names);
            return TinyAdapters.Logits(model);
        }
    }

    [Row("I13"), Fact]
    public void Modules_to_save_train_whole_and_go_back_when_the_adapter_rests()
    {
        using var model = new AdaptedModel(TinyAdapters.Base("llama"));
        var adapter = model.Train(new LoraOptions { Rank = 2, Targets = ["q_proj"], ModulesToSave = ["lm_head", "norm"] }, seed: 1);
        var before = TinyAdapters.Logits(model);
        Assert.Equal(["lm_head.weight", "model.norm.weight"], model.Parameters.Where(p => p.Trainable && !p.Name.StartsWith("base_model.", StringComparison.Ordinal)).Select(p => p.Name).Order(StringComparer.Ordinal));
        Grad.Off(() => model.Parameters.Single(p => p.Name == "lm_head.weight").Value.MulInPlace(2));
        Assert.Equal(before.Select(x => 2 * x), TinyAdapters.Logits(model));
        using var folder = Repo.Temp();
        AdapterFolder.Save(adapter, folder.Path, null);
        model.Use();
        Assert.Equal(before, TinyAdapters.Logits(model));
        using var other = new AdaptedModel(TinyAdapters.Base("llama"));
        AdapterFolder.Load(other, folder.Path, "x");
        Assert.Equal(before, TinyAdapters.Logits(other));
        other.Use("x");
        Assert.Equal(before.Select(x => 2 * x), TinyAdapters.Logits(other));
        Assert.Equal([61L, 16], AdapterFolder.Tensors(folder.Path)["base_model.model.lm_head.weight"]);
    }

    [Row("I13"), Theory, InlineData(DType.Float32), InlineData(DType.BFloat16)]
    public void The_fused_low_rank_product_is_its_formula(DType type)
    {
        using var scope = Tensor.Scope();
        Tensor Leaf(string name, params long[] shape)
        {
            var leaf = TinyModels.Noise(name, 1, DType.Float32, shape);
            leaf.RequiresGrad = true;
            return leaf;
        }
        var runs = new List<Tensor[]>();
        foreach (var fused in new[] { true, false })
        {
            var (x, y, a, b, dy) = (Leaf("x", 3, 40, 24), Leaf("y", 3, 40, 56), Leaf("a", 8, 24), Leaf("b", 56, 8), TinyModels.Noise("dy", 1, DType.Float32, 3, 40, 56));
            var (own, wa, wb) = (y * 1.0, a.Detach().To(type), b.Detach().To(type));
            var start = own.To(type);
            var z = fused ? F.AddLowRank(x, start, a, b, 0.75, wa, wb) : F.Plain.AddLowRank(x, start, a, b, 0.75, wa, wb);
            (z.To(DType.Float32) * dy).Sum().Backward();
            runs.Add([z.Detach(), x.Gradient!, y.Gradient!, a.Gradient!, b.Gradient!]);
        }
        for (var i = 0; i < runs[0].Length; i++) ModelContractTests.AssertNear(runs[1][i].To(DType.Float32), runs[0][i].To(DType.Float32), type == DType.Float32 ? 1e-5 : 0.03);
    }

    [Row("I13"), Fact]
    public void Frozen_linears_keep_no_activation()
    {
        // Live bytes are not counted by the engine, but handles are: a saved input is one more.
        using var scope = Tensor.Scope();
        var (x, w) = (TinyModels.Noise("x", 1, DType.Float32, 64, 32), TinyModels.Noise("w", 1, DType.Float32, 16, 32));
        x.RequiresGrad = true;
        long Held(bool trains)
        {
            w.RequiresGrad = trains;
            var before = Tensor.Live;
            var y = Tensor.Scoped(() => F.Linear(x, w));
            var held = Tensor.Live - before;
            y.Sum().Backward();
            x.Gradient = null;
            w.Gradient = null;
            return held;
        }
        Assert.Equal(Held(trains: true) - 1, Held(trains: false));
    }

    [Row("I13"), Fact]
    public void Dropout_is_for_training_alone()
    {
        using var model = new AdaptedModel(TinyAdapters.Base("llama"));
        TinyAdapters.Disturb(model.Train(new LoraOptions { Rank = 4, Dropout = 0.9 }, seed: 1));
        var plain = TinyAdapters.Logits(model);
        var trained = Grad.Off(() =>
        {
            using var scope = Tensor.Scope();
            return TinyAdapters.Out(model, TinyModels.Ids(2, 12, model.VocabSize), new Step { Training = true }).ToArray<float>();
        });
        Assert.NotEqual(plain, trained);
        Assert.Equal(plain, TinyAdapters.Logits(model));
    }

    [Row("I13"), Fact]
    public void Small_moves_of_doras_lengths_act_in_bfloat16_too()
    {
        using var model = new AdaptedModel(TinyAdapters.Base("llama"));
        var adapter = model.Train(new LoraOptions { Rank = 4, Dora = true }, seed: 1);
        foreach (var parameter in model.Parameters) parameter.ComputeType = DType.BFloat16;
        var before = TinyAdapters.Logits(model);
        // Three in a thousand: below the step of bfloat16 at 1.
        Grad.Off(() =>
        {
            foreach (var length in adapter.Parameters.Where(p => p.Name.EndsWith("magnitude_vector", StringComparison.Ordinal))) length.Value.MulInPlace(1.003);
        });
        Assert.NotEqual(before, TinyAdapters.Logits(model));
    }

    [Row("I12"), Fact]
    public void A_factor_on_inputs_does_not_stack_and_decay_leaves_factors_alone()
    {
        using var model = new AdaptedModel(TinyAdapters.Base("llama"));
        var factors = model.Train(new Ia3Options(), seed: 1, "factors");
        model.Train(new LoraOptions { Rank = 2, Targets = ["down_proj"] }, seed: 1, "low");
        Assert.Contains("down_proj: one of the adapters rescales the whole weight", Assert.Throws<UserException>(() => model.Use("factors", "low")).Message, StringComparison.Ordinal);
        var optimizer = new Gradus.Training.Optim.AdamWOptions { WeightDecay = 0.1 };
        Assert.All(factors.Parameters, p => Assert.Equal(0, optimizer.DecayOf(p)));
        Assert.All(model.Adapters[1].Parameters, p => Assert.Equal(0.1, optimizer.DecayOf(p)));
    }
}

using Gradus.Engine;
using Gradus.Models.Nn;
using Gradus.Tests.Models.Families;

namespace Gradus.Tests.Models.Nn;

public class WeightsTests
{
    [Fact]
    public void A_weight_s_name_is_its_path()
    {
        var w = Weights.Shapes();
        using var p = (w / "model" / "layers" / 3 / "mlp").Parameter("weight", Init.Ones, 2, 3);
        Assert.Equal("model.layers.3.mlp.weight", p.Name);
        Assert.Equal([2L, 3], p.Value.Shape);
        Assert.Same(p, Assert.Single(w.Complete()));
    }

    [Fact]
    public void Fresh_values_depend_on_seed_and_name_not_on_the_order_of_construction()
    {
        using Parameter a = Make(1, "a"), again = Make(1, "a"), b = Make(1, "b"), other = Make(2, "a");
        var w = Weights.Fresh(1);
        using Parameter first = w.Parameter("b", Init.Normal(1), 100, 51), second = w.Parameter("a", Init.Normal(1), 100, 51);
        Assert.Equal(a.Value.ToArray<float>(), again.Value.ToArray<float>());
        Assert.Equal(a.Value.ToArray<float>(), second.Value.ToArray<float>());
        Assert.Equal(b.Value.ToArray<float>(), first.Value.ToArray<float>());
        Assert.NotEqual(a.Value.ToArray<float>(), b.Value.ToArray<float>());
        Assert.NotEqual(a.Value.ToArray<float>(), other.Value.ToArray<float>());

        static Parameter Make(ulong seed, string name) => Weights.Fresh(seed).Parameter(name, Init.Normal(1), 100, 51);
    }

    [Fact]
    public void Fresh_values_do_not_depend_on_the_number_of_threads()
    {
        var threads = EngineInfo.Threads;
        try
        {
            EngineInfo.Threads = 1;
            using var one = Weights.Fresh(1).Parameter("a", Init.Normal(1), 400, 501);
            EngineInfo.Threads = 3;
            using var three = Weights.Fresh(1).Parameter("a", Init.Normal(1), 400, 501);
            Assert.Equal(one.Value.ToArray<float>(), three.Value.ToArray<float>());
        }
        finally
        {
            EngineInfo.Threads = threads;
        }
    }

    [Theory]
    [InlineData("gpt2", "transformer.wte.weight", 0.02), InlineData("gpt2", "transformer.wpe.weight", 0.01)]
    [InlineData("gpt2", "transformer.h.1.attn.c_attn.weight", 0.02), InlineData("gpt2", "transformer.h.1.mlp.c_fc.weight", 0.02)]
    [InlineData("gpt2", "transformer.h.1.attn.c_proj.weight", 0.01), InlineData("gpt2", "transformer.h.1.mlp.c_proj.weight", 0.01)] // 0.02 / sqrt(2 · 2)
    [InlineData("llama", "model.embed_tokens.weight", 0.02), InlineData("llama", "model.layers.1.self_attn.o_proj.weight", 0.02), InlineData("llama", "lm_head.weight", 0.02)]
    public void Matrices_start_as_published(string kind, string name, double std)
    {
        using var model = TinyModels.Options(kind).BuildFresh(seed: 2);
        var values = model.Parameters.Single(p => p.Name == name).Value.ToArray<double>();
        // The standard error of a standard deviation is std / sqrt(2 n); four of them, over at least 256 elements.
        Assert.InRange(Math.Sqrt(values.Average(v => v * v)) / std, 1 - 4 / Math.Sqrt(2 * values.Length), 1 + 4 / Math.Sqrt(2 * values.Length));
        Assert.All(model.Parameters.Where(p => p.Value.Dims == 1), p => Assert.All(p.Value.ToArray<float>(), v => Assert.Equal(p.Name.EndsWith("bias", StringComparison.Ordinal) ? 0 : 1, v)));
    }

    [Fact]
    public void Gaussian_weights_have_the_moments_of_a_gaussian()
    {
        using var p = Weights.Fresh(9).Parameter("w", Init.Normal(0.02), 1001, 997); // many chunks, odd sizes
        var x = p.Value.ToArray<double>().Select(v => v / 0.02).ToArray();
        var n = (double)x.Length;
        // Standard errors at n = 10^6: mean 0.001, variance 0.0014, kurtosis 0.005. Four of each.
        Assert.InRange(x.Average(), -0.004, 0.004);
        Assert.InRange(x.Sum(v => v * v) / n, 0.994, 1.006);
        Assert.InRange(x.Sum(v => v * v * v * v) / n, 2.98, 3.02);
        Assert.InRange(x.Zip(x.Skip(1), (a, b) => a * b).Sum() / n, -0.004, 0.004); // neighbours, as pairs share their bits
        Assert.InRange(x.Max(), 4, 6.7);
    }

    [Fact]
    public void Uniform_weights_fill_their_range()
    {
        using var p = Weights.Fresh(9).Parameter("w", Init.Uniform(0.5), 300, 300);
        var x = p.Value.ToArray<double>();
        Assert.InRange(x.Min(), -0.5, -0.4999);
        Assert.InRange(x.Max(), 0.4999, 0.5);
        Assert.InRange(x.Average(), -0.004, 0.004); // four standard errors of 0.001
    }

    [Fact]
    public void One_name_twice_is_a_mistake_of_the_code()
    {
        var w = Weights.Shapes();
        using Parameter a = w.Parameter("w", Init.Ones, 1), b = w.Parameter("w", Init.Ones, 1);
        Assert.Throws<InvalidOperationException>(() => w.Complete());
    }
}

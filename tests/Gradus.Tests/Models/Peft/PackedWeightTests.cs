using Gradus.Engine.Tensors;
using Gradus.Foundation.Kernels;
using Gradus.Models.Nn;
using Gradus.Tests.Models.Families;

namespace Gradus.Tests.Models.Peft;

/// <summary>Weights in 4 and 8 bits against what the papers say of them.</summary>
public class PackedWeightTests
{
    [Row("I15", "O2"), Fact]
    public void Nf4_has_the_sixteen_levels_of_the_paper_and_they_are_quantiles_of_a_normal()
    {
        // QLoRA, appendix E, to the digits printed there.
        double[] published =
        [
            -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334, -0.09105003625154495, 0.0,
            0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0,
        ];
        Assert.Equal(published.Select(x => (float)x), Nf4Kernel.Levels.ToArray());
        // And their making (section 3): evenly spaced quantiles of each side, the sides meeting in zero, over the outermost.
        const double offset = 0.9677083;
        double[] Side(int count) => [.. Enumerable.Range(0, count - 1).Select(i => Quantile(offset + (0.5 - offset) * i / (count - 1)))];
        double[] made = [.. Side(9), .. Side(8).Select(x => -x), 0];
        var most = made.Max();
        Assert.All(made.Select(x => x / most).Order().Zip(published), pair => Assert.Equal(pair.Second, pair.First, 2e-7));
    }

    [Row("I15", "O2"), Fact]
    public void Double_quantisation_takes_4_127_bits_a_weight_and_plain_scales_4_5()
    {
        using var scope = Tensor.Scope();
        var weight = TinyModels.Noise("bits", 1, DType.Float32, 2048, 1024);
        using var twice = new Nf4Options().Hold("w", weight, transposed: false);
        using var once = new Nf4Options { DoubleQuant = false }.Hold("w", weight, transposed: false);
        using var eight = new Int8Options().Hold("w", weight, transposed: false);
        Assert.Equal(4 + 8.0 / 64 + 32.0 / (64 * 256), twice.BitsPerWeight, 1e-4); // and one mean a tensor
        Assert.Equal("4.127", twice.BitsPerWeight.ToString("F3", System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal(4.5, once.BitsPerWeight);
        Assert.Equal(8 + 32.0 / 1024, eight.BitsPerWeight);
    }

    [Row("I15", "O2"), Theory, InlineData(false), InlineData(true)]
    public void No_weight_of_nf4_is_further_off_than_half_the_widest_gap_of_its_block(bool transposed)
    {
        using var scope = Tensor.Scope();
        // Not a multiple of 64: the last block is short, and blocks cross rows.
        var weight = TinyModels.Noise("nf4", 2, DType.Float32, 37, 29);
        var values = weight.ToArray<float>();
        values[..70].AsSpan().Clear();
        weight = Tensor.From(values, 37, 29);
        using var once = new Nf4Options { DoubleQuant = false }.Hold("w", weight, transposed);
        using var twice = new Nf4Options().Hold("w", weight, transposed);
        var half = Enumerable.Range(0, 15).Max(i => Nf4Kernel.Levels[i + 1] - Nf4Kernel.Levels[i]) / 2;
        var (near, nearer) = (Stored(twice), Stored(once));
        for (var block = 0; block * 64 < values.Length; block++)
        {
            var range = (block * 64)..Math.Min(values.Length, block * 64 + 64);
            var most = values[range].Max(Math.Abs);
            foreach (var i in Enumerable.Range(range.Start.Value, range.End.Value - range.Start.Value))
            {
                Assert.True(Math.Abs(values[i] - nearer[i]) <= half * most * (1 + 1e-6), $"{i}: {values[i]} became {nearer[i]}");
                // A scale in 8 bits is off by at most half a step of its group: 1/254 of the widest distance to the mean.
                Assert.True(Math.Abs(values[i] - near[i]) <= half * most + 2.0 / 200, $"{i}: {values[i]} became {near[i]}");
                if (values[i] == 0) Assert.Equal(0, near[i]);
            }
        }

        float[] Stored(PackedWeight packed) => (transposed ? packed.Dense(DType.Float32).T() : packed.Dense(DType.Float32)).ToArray<float>();
    }

    [Row("O2"), Theory, InlineData(false), InlineData(true)]
    public void No_weight_of_int8_is_further_off_than_half_a_step_of_its_output(bool transposed)
    {
        using var scope = Tensor.Scope();
        var weight = TinyModels.Noise("int8", 2, DType.Float32, 37, 29);
        using var packed = new Int8Options().Hold("w", weight, transposed);
        var (dense, was) = (packed.Dense(DType.Float32), transposed ? weight.T() : weight);
        Assert.Equal(was.Shape, dense.Shape);
        var step = was.Abs().Max(1)[0] / 127;
        var error = (dense - was).Abs() / step.Unsqueeze(1);
        Assert.InRange(error.Max().Item(), 0.4, 0.5 + 1e-5); // near the bound: it is not finer than 8 bits
    }

    [Row("I15", "O2"), Theory]
    [InlineData("nf4", false, DType.Float32), InlineData("nf4", true, DType.Float32), InlineData("int8", false, DType.Float32), InlineData("int8", true, DType.Float32)]
    [InlineData("nf4", false, DType.BFloat16), InlineData("int8", true, DType.BFloat16)]
    public void Products_and_gradients_are_those_of_the_dense_weight_it_stands_for(string kind, bool transposed, DType type)
    {
        using var scope = Tensor.Scope();
        var weight = TinyModels.Noise("w", 1, DType.Float32, transposed ? [48, 80] : [80, 48]);
        using var packed = TinyAdapters.Held(kind)!.Hold("w", weight, transposed);
        packed.ComputeType = type;
        using var dense = new Parameter("w", packed.Dense(DType.Float32).Contiguous()) { Trainable = false, ComputeType = type };
        using var bias = new Parameter("b", TinyModels.Noise("b", 1, DType.Float32, 80));
        var runs = new List<Tensor[]>();
        foreach (IWeight held in new IWeight[] { packed, new DenseWeight(dense) })
        {
            var x = TinyModels.Noise("x", 1, DType.Float32, 5, 7, 48);
            x.RequiresGrad = true;
            bias.Value.Gradient = null;
            var y = held.Apply(x, bias);
            (y.To(DType.Float32) * TinyModels.Noise("dy", 1, DType.Float32, 5, 7, 80)).Sum().Backward();
            runs.Add([y.Detach().To(DType.Float32), x.Gradient!, bias.Value.Gradient!]);
        }
        Assert.Equal(type, packed.Apply(TinyModels.Noise("x", 1, DType.Float32, 2, 48), null).DType);
        for (var i = 0; i < 3; i++) ModelContractTests.AssertNear(runs[1][i], runs[0][i], type == DType.Float32 ? 2e-6 : 0.01);
    }

    [Row("I15"), Fact]
    public void A_model_held_in_nf4_never_has_its_blocks_dense()
    {
        using var model = TinyAdapters.Base("llama", "nf4");
        Assert.All(model.Linears.Where(l => l != model.Head), l => Assert.IsAssignableFrom<PackedWeight>(l.Weight));
        Assert.IsType<DenseWeight>(model.Head.Weight);
        Assert.DoesNotContain(model.Parameters, p => p.Name.EndsWith("_proj.weight", StringComparison.Ordinal));
        Assert.Equal(TinyModels.Options("llama").CountParameters(), model.ParameterCount);
    }

    // The inverse of the normal distribution function, by halving.
    private static double Quantile(double p)
    {
        var (low, high) = (-10.0, 10.0);
        for (var i = 0; i < 200; i++)
        {
            var middle = (low + high) / 2;
            if (Normal(middle) < p) low = middle;
            else high = middle;
        }
        return (low + high) / 2;
    }

    // 1/2 + φ(x) · (x + x³/3 + x⁵/15 + …): converges for every x met here.
    private static double Normal(double x)
    {
        var (term, sum) = (x, x);
        for (var n = 3; n < 400; n += 2) sum += term *= x * x / n;
        return 0.5 + sum * Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI);
    }
}

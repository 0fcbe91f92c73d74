using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using Gradus.Engine.Ops;
using Gradus.Engine.Tensors;

namespace Gradus.Bench;

/// <summary>Forward and backward of our fused operations against the same formula in libtorch's operators, on the rows of a small GPT-2.</summary>
[GroupBenchmarksBy(BenchmarkLogicalGroupRule.ByCategory), CategoriesColumn]
public class FusedKernels
{
    private const int Rows = 2048, Width = 384;
    private Tensor _x = null!, _gate = null!, _weight = null!, _bias = null!, _q = null!, _k = null!, _v = null!;

    [GlobalSetup]
    public void Prepare()
    {
        _x = Leaf(Rows, Width);
        _gate = Leaf(Rows, Width);
        _weight = Leaf(Width);
        _bias = Leaf(Width);
        (_q, _k, _v) = (Leaf(8, 256, 6, 64), Leaf(8, 256, 6, 64), Leaf(8, 256, 6, 64));
    }

    [GlobalCleanup]
    public void Free()
    {
        foreach (var tensor in new[] { _x, _gate, _weight, _bias, _q, _k, _v }) tensor.Dispose();
    }

    [BenchmarkCategory("gelu"), Benchmark(Baseline = true)] public void GeluPlain() => Both(() => F.Plain.Gelu(_x), _x);
    [BenchmarkCategory("gelu"), Benchmark] public void Gelu() => Both(() => F.Gelu(_x), _x);
    [BenchmarkCategory("swiglu"), Benchmark(Baseline = true)] public void SwiGluPlain() => Both(() => F.Plain.SwiGlu(_gate, _x), _gate, _x);
    [BenchmarkCategory("swiglu"), Benchmark] public void SwiGlu() => Both(() => F.SwiGlu(_gate, _x), _gate, _x);
    [BenchmarkCategory("layer norm"), Benchmark(Baseline = true)] public void LayerNormPlain() => Both(() => F.Plain.LayerNorm(_x, _weight, _bias, 1e-5), _x, _weight, _bias);
    [BenchmarkCategory("layer norm"), Benchmark] public void LayerNorm() => Both(() => F.LayerNorm(_x, _weight, _bias, 1e-5), _x, _weight, _bias);
    [BenchmarkCategory("rms norm"), Benchmark(Baseline = true)] public void RmsNormPlain() => Both(() => F.Plain.RmsNorm(_x, _weight, 1e-5), _x, _weight);
    [BenchmarkCategory("rms norm"), Benchmark] public void RmsNorm() => Both(() => F.RmsNorm(_x, _weight, 1e-5), _x, _weight);
    [BenchmarkCategory("attention"), Benchmark(Baseline = true)] public void AttentionPlain() => Both(() => F.Plain.Attention(_q, _k, _v, causal: true), _q, _k, _v);
    [BenchmarkCategory("attention"), Benchmark] public void Attention() => Both(() => F.Attention(_q, _k, _v, causal: true), _q, _k, _v);

    private static void Both(Func<Tensor> forward, params Tensor[] leaves)
    {
        using var scope = Tensor.Scope();
        forward().Sum().Backward();
        foreach (var leaf in leaves) leaf.Gradient = null;
    }

    private static Tensor Leaf(params long[] shape)
    {
        using var scope = Tensor.Scope();
        // Any values do; a sine keeps them small and unlike each other.
        var elements = shape.Aggregate(1L, (product, size) => product * size);
        var values = new float[elements];
        for (var i = 0; i < values.Length; i++) values[i] = MathF.Sin(0.37f * i);
        var leaf = Tensor.From(values, shape).Keep();
        leaf.RequiresGrad = true;
        return leaf;
    }
}

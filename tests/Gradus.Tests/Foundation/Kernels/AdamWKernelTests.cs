using Gradus.Foundation.Kernels;

namespace Gradus.Tests.Foundation.Kernels;

[Row("G1")]
public class AdamWKernelTests
{
    private static readonly AdamWStep s_step = new() { LearningRate = 3e-4, Beta1 = 0.9, Beta2 = 0.95, Epsilon = 1e-8, WeightDecay = 0.1, Step = 3, GradientScale = 0.5 };

    private sealed record State(float[] P, float[] G, float[] M, float[] V, ushort[] Copy);

    // Odd length: the tail is one lane at a time.
    private static State Start(int count = 1003) => new(Numbers.Normal(1, count), Numbers.Normal(2, count, 0.1), Numbers.Normal(3, count, 0.05), [.. Numbers.Normal(4, count, 0.1).Select(x => x * x)], new ushort[count]);

    [Fact]
    public void One_step_is_the_published_formula_in_float64()
    {
        var (before, after) = (Start(), Start());
        AdamWKernel.Step(after.P, after.G, after.M, after.V, after.Copy, s_step);
        for (var i = 0; i < before.P.Length; i++)
        {
            var g = before.G[i] * 0.5;
            var m = 0.9 * before.M[i] + (1 - 0.9) * g;
            var v = 0.95 * before.V[i] + (1 - 0.95) * g * g;
            var p = before.P[i] * (1 - 3e-4 * 0.1) - 3e-4 * (m / (1 - Math.Pow(0.9, 3))) / (Math.Sqrt(v / (1 - Math.Pow(0.95, 3))) + 1e-8);
            // A handful of float32 roundings, each half a unit of values no larger than these.
            Assert.Equal(m, after.M[i], 3e-8);
            Assert.Equal(v, after.V[i], 1e-7);
            Assert.Equal(p, after.P[i], 2.5e-7 * Math.Max(1, Math.Abs(p)));
        }
    }

    [Fact]
    public void Without_decoupling_the_decay_joins_the_gradient()
    {
        var (plain, joined) = (Start(), Start());
        AdamWKernel.Step(joined.P, joined.G, joined.M, joined.V, [], s_step with { Decoupled = false, GradientScale = 1 });
        for (var i = 0; i < plain.P.Length; i++) plain.G[i] = MathF.FusedMultiplyAdd(0.1f, plain.P[i], plain.G[i]);
        AdamWKernel.Step(plain.P, plain.G, plain.M, plain.V, [], s_step with { WeightDecay = 0, GradientScale = 1 });
        Assert.Equal(plain.P, joined.P);
    }

    [Fact]
    public void The_copy_is_the_new_parameter_in_bfloat16()
    {
        var state = Start();
        AdamWKernel.Step(state.P, state.G, state.M, state.V, state.Copy, s_step);
        var expected = new ushort[state.P.Length];
        Bf16.Narrow(state.P, expected);
        Assert.Equal(expected, state.Copy);
    }

    [Fact]
    public void Every_width_and_every_split_gives_the_same_bits()
    {
        var one = Start();
        AdamWKernel.StepWith<Lane>(one.P, one.G, one.M, one.V, one.Copy, s_step);
        var (four, eight, sixteen, split) = (Start(), Start(), Start(), Start());
        AdamWKernel.StepWith<Lanes4>(four.P, four.G, four.M, four.V, four.Copy, s_step);
        AdamWKernel.StepWith<Lanes8>(eight.P, eight.G, eight.M, eight.V, eight.Copy, s_step);
        AdamWKernel.StepWith<Lanes16>(sixteen.P, sixteen.G, sixteen.M, sixteen.V, sixteen.Copy, s_step);
        foreach (var (from, to) in new[] { (0, 5), (5, 700), (700, 1003) })
            AdamWKernel.Step(split.P.AsSpan(from..to), split.G.AsSpan(from..to), split.M.AsSpan(from..to), split.V.AsSpan(from..to), split.Copy.AsSpan(from..to), s_step);
        foreach (var other in new[] { four, eight, sixteen, split })
        {
            Assert.Equal(one.P, other.P);
            Assert.Equal(one.M, other.M);
            Assert.Equal(one.V, other.V);
            Assert.Equal(one.Copy, other.Copy);
        }
    }

    [Fact]
    public void Lengths_must_agree() =>
        Assert.Throws<ArgumentException>(() => AdamWKernel.Step(new float[4], new float[4], new float[3], new float[4], [], s_step));
}

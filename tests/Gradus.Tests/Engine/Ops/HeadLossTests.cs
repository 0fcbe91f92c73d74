using Gradus.Engine.Ops;
using Gradus.Engine.Tensors;

namespace Gradus.Tests.Engine.Ops;

[Row("G9")]
public class HeadLossTests
{
    private static Tensor Targets(int count, int vocabulary, int ignoreEvery)
    {
        var random = new Random(5);
        return Tensor.From([.. Enumerable.Range(0, count).Select(i => i % ignoreEvery == 1 ? (long)F.Ignore : random.Next(vocabulary))], count);
    }

    // float32: sums over 1003 entries. bfloat16: inputs and derivative rounded to 2^-9 each.
    [Theory]
    [InlineData(DType.Float32, 1.0, 3e-6)]
    [InlineData(DType.Float32, 0.37, 3e-6)]
    [InlineData(DType.BFloat16, 1.0, 1e-2)]
    [InlineData(DType.BFloat16, 0.37, 1e-2)]
    public void Loss_and_gradients_are_those_of_the_plain_formula(DType type, double upstream, double tolerance)
    {
        using var scope = Tensor.Scope();
        var targets = Targets(37, 1003, 5);
        Tensor[] inputs = [FastPath.Normal(1, 37, 32), FastPath.Normal(2, 1003, 32)];
        FastPath.Agree(t => F.LinearCrossEntropySum(t[0], t[1], targets, t[1].Detach().To(type)) * upstream,
            t => F.Plain.LinearCrossEntropySum(t[0], t[1], targets) * upstream, inputs, [DType.Float32, DType.Float32], tolerance);
    }

    [Fact]
    public void Chunks_of_rows_add_up()
    {
        using var scope = Tensor.Scope();
        var former = F.LogitBytes;
        F.LogitBytes = 1; // the smallest chunk, 64 rows at most: 150 rows take three
        try
        {
            var targets = Targets(150, 101, 7);
            Tensor[] inputs = [FastPath.Normal(1, 150, 24), FastPath.Normal(2, 101, 24)];
            foreach (var type in new[] { DType.Float32, DType.BFloat16 })
                FastPath.Agree(t => F.LinearCrossEntropySum(t[0], t[1], targets, t[1].Detach().To(type)),
                    t => F.Plain.LinearCrossEntropySum(t[0], t[1], targets), inputs, [DType.Float32, DType.Float32], type == DType.Float32 ? 3e-6 : 1e-2);
        }
        finally { F.LogitBytes = former; }
    }

    [Fact]
    public void Extreme_logits_do_not_overflow()
    {
        using var scope = Tensor.Scope();
        var x = Tensor.From([300f, -400f], 2, 1);
        var w = Tensor.From([1f, -1f, 3.3f], 3, 1);
        var loss = F.LinearCrossEntropySum(x, w, Tensor.From([0L, 2L], 2));
        Assert.Equal(300 * 2.3 + 400 * 4.3, loss.Item(), 1e-3);
    }

    [Fact]
    public void Finite_differences_agree_in_float64()
    {
        using var scope = Tensor.Scope();
        var targets = Tensor.From([2L, F.Ignore, 4L], 3);
        var (x, w) = (FastPath.Normal(1, 3, 4).To(DType.Float64), FastPath.Normal(2, 5, 4).To(DType.Float64));
        w.RequiresGrad = true;
        F.LinearCrossEntropySum(x, w, targets).Backward();
        var gradient = w.Gradient!.ToArray<double>();
        for (var i = 0; i < gradient.Length; i++)
        {
            var values = w.Detach().ToArray<double>();
            values[i] += 1e-6;
            var up = F.LinearCrossEntropySum(x, Tensor.From(values, 5, 4), targets).Item();
            values[i] -= 2e-6;
            var down = F.LinearCrossEntropySum(x, Tensor.From(values, 5, 4), targets).Item();
            Assert.Equal((up - down) / 2e-6, gradient[i], 1e-6);
        }
    }

    [Fact]
    public void Without_gradients_only_the_loss_is_computed_and_all_ignored_is_zero()
    {
        using var scope = Tensor.Scope();
        var (x, w) = (FastPath.Normal(1, 6, 8), FastPath.Normal(2, 11, 8));
        var targets = Tensor.From([1L, 2L, 3L, 4L, 5L, 6L], 6);
        Assert.Equal(F.Plain.LinearCrossEntropySum(x, w, targets).Item(), F.LinearCrossEntropySum(x, w, targets).Item(), 1e-4);
        Assert.Equal(0, F.LinearCrossEntropySum(x, w, Tensor.Full([6], F.Ignore, DType.Int64)).Item());
    }

    [Fact]
    public void A_target_outside_the_vocabulary_is_named()
    {
        using var scope = Tensor.Scope();
        var e = Assert.Throws<ArgumentException>(() => F.LinearCrossEntropySum(FastPath.Normal(1, 2, 8), FastPath.Normal(2, 11, 8), Tensor.From([1L, 11L], 2)));
        Assert.Contains("target 11 at 1", e.Message, StringComparison.Ordinal);
    }
}

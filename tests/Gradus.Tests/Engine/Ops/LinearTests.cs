using Gradus.Engine.Ops;
using Gradus.Engine.Tensors;

namespace Gradus.Tests.Engine.Ops;

public class LinearTests
{
    // Sums of 96 float32 products; of bfloat16 ones, where inputs are rounded to 2^-9 and the output once more.
    private const double Single = 2e-6, Half = 1.2e-2;

    private static Tensor[] Inputs() => [FastPath.Normal(1, 3, 7, 96), FastPath.Normal(2, 40, 96), FastPath.Normal(3, 40)];

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Output_and_all_gradients_are_those_of_the_formula(bool withBias)
    {
        using var scope = Tensor.Scope();
        var inputs = withBias ? Inputs() : Inputs()[..2];
        DType[] types = [.. inputs.Select(_ => DType.Float32)];
        FastPath.Agree(t => F.Linear(t[0], t[1], withBias ? t[2] : null), t => F.Plain.Linear(t[0], t[1], withBias ? t[2] : null), inputs, types, Single);
        FastPath.Agree(t => F.Linear(t[0], t[1], withBias ? t[2] : null, t[1].Detach().To(DType.BFloat16)).To(DType.Float32),
            t => F.Plain.Linear(t[0], t[1], withBias ? t[2] : null), inputs, types, Half);
    }

    [Fact]
    public void In_bfloat16_the_weights_gradient_is_a_float32_sum_of_the_rounded_products()
    {
        using var scope = Tensor.Scope();
        var (x, w) = (FastPath.Normal(1, 64, 16).To(DType.BFloat16), FastPath.Normal(2, 8, 16));
        w.RequiresGrad = true;
        var dy = FastPath.Normal(3, 64, 8).To(DType.BFloat16);
        F.Linear(x, w, null, w.Detach().To(DType.BFloat16)).Backward(dy);
        var exact = dy.To(DType.Float64).T().MatMul(x.To(DType.Float64)).ToArray<double>();
        // 64 exact products summed in float32: nothing is rounded to bfloat16 on the way.
        Assert.True(FastPath.Error(w.Gradient!.ToArray<double>(), exact) < 1e-6);
        Assert.Equal(DType.Float32, w.Gradient!.DType);
    }

    // On every processor, with products of its own for bfloat16 or not: the error is one rounding of the result.
    [Fact]
    public void Products_of_bfloat16_tensors_are_summed_in_float32()
    {
        using var scope = Tensor.Scope();
        var (a, b) = (FastPath.Normal(1, 3, 33, 500).To(DType.BFloat16), FastPath.Normal(2, 3, 500, 17).To(DType.BFloat16));
        var exact = a.To(DType.Float64).MatMul(b.To(DType.Float64)).ToArray<double>();
        var product = a.MatMul(b);
        Assert.Equal(DType.BFloat16, product.DType);
        Assert.True(FastPath.Error(product.ToArray<double>(), exact) < 1.0 / 256);
        var (x, w, bias) = (FastPath.Normal(3, 33, 500).To(DType.BFloat16), FastPath.Normal(4, 17, 500).To(DType.BFloat16), FastPath.Normal(5, 17).To(DType.BFloat16));
        var line = F.Linear(x, w, bias);
        Assert.Equal(DType.BFloat16, line.DType);
        Assert.True(FastPath.Error(line.ToArray<double>(), F.Plain.Linear(x.To(DType.Float64), w.To(DType.Float64), bias.To(DType.Float64)).ToArray<double>()) < 1.0 / 256);
    }

    [Fact]
    public void Gradients_gather_over_uses_and_over_backward_passes()
    {
        using var scope = Tensor.Scope();
        var (x, w, b) = (FastPath.Normal(1, 5, 6), FastPath.Normal(2, 6, 6), FastPath.Normal(3, 6));
        w.RequiresGrad = b.RequiresGrad = true;
        Tensor Twice() => F.Linear(F.Linear(x, w, b), w, b).Sum();
        Twice().Backward();
        var (once, onceBias) = (w.Gradient!.ToArray<double>(), b.Gradient!.ToArray<double>());
        Twice().Backward();
        Assert.True(FastPath.Error(w.Gradient!.ToArray<double>(), [.. once.Select(v => 2 * v)]) < 1e-6);
        Assert.True(FastPath.Error(b.Gradient!.ToArray<double>(), [.. onceBias.Select(v => 2 * v)]) < 1e-6);
        w.Gradient = b.Gradient = null;
        F.Plain.Linear(F.Plain.Linear(x, w, b), w, b).Sum().Backward();
        Assert.True(FastPath.Error(once, w.Gradient!.ToArray<double>()) < 1e-6);
    }

    [Fact]
    public void A_weight_that_is_itself_computed_passes_its_gradient_on()
    {
        using var scope = Tensor.Scope();
        FastPath.Agree(t => F.Linear(t[0], t[1] * 2), t => F.Plain.Linear(t[0], t[1] * 2), Inputs()[..2], [DType.Float32, DType.Float32], Single);
    }

    [Fact]
    public void A_weight_stored_the_other_way_round_gives_the_same()
    {
        using var scope = Tensor.Scope();
        Tensor[] inputs = [FastPath.Normal(1, 3, 7, 96), FastPath.Normal(2, 96, 40), FastPath.Normal(3, 40)];
        DType[] types = [DType.Float32, DType.Float32, DType.Float32];
        FastPath.Agree(t => F.LinearTransposed(t[0], t[1], t[2]), t => F.Plain.Linear(t[0], t[1].T(), t[2]), inputs, types, Single);
        FastPath.Agree(t => F.Linear(t[0], t[1].T(), t[2]), t => F.Plain.Linear(t[0], t[1].T(), t[2]), inputs, types, Single);
        FastPath.Agree(t => F.LinearTransposed(t[0], t[1], t[2], t[1].Detach().To(DType.BFloat16)).To(DType.Float32),
            t => F.Plain.Linear(t[0], t[1].T(), t[2]), inputs, types, Half);
    }

    [Fact]
    public void A_frozen_weight_gets_no_gradient_and_a_strided_input_is_read_rightly()
    {
        using var scope = Tensor.Scope();
        var (x, w) = (FastPath.Normal(1, 96, 7), FastPath.Normal(2, 40, 96));
        x.RequiresGrad = true;
        F.Linear(x.T(), w).Sum().Backward();
        Assert.False(w.HasGradient);
        var expected = w.Sum([0]).Unsqueeze(1).Expand(96, 7).ToArray<double>();
        Assert.True(FastPath.Error(x.Gradient!.ToArray<double>(), expected) < Single);
    }

    [Fact]
    public void Embedding_adds_rows_to_the_gradient_also_beside_a_head_that_shares_the_weight()
    {
        using var scope = Tensor.Scope();
        var ids = Tensor.From([3L, 1L, 3L, 9L, 3L, 0L], 2, 3);
        Tensor[] inputs = [FastPath.Normal(1, 12, 100)];
        FastPath.Agree(t => F.Embedding(t[0], ids), t => F.Plain.Embedding(t[0], ids), inputs, [DType.Float32], Single);
        FastPath.Agree(t => F.Linear(F.Embedding(t[0], ids), t[0]), t => F.Plain.Linear(F.Plain.Embedding(t[0], ids), t[0]), inputs, [DType.Float32], Single);
    }
}

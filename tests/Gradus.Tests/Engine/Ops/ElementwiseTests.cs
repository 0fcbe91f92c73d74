using Gradus.Engine.Ops;
using Gradus.Engine.Tensors;

namespace Gradus.Tests.Engine.Ops;

public class ElementwiseTests
{
    private static readonly DType[] s_singles = [DType.Float32, DType.Float32, DType.Float32];

    // bfloat16 rounds the result to 2^-9; gradients once more on the way in.
    private static double Tolerance(DType type) => type == DType.Float32 ? 1e-6 : 8e-3;

    [Theory]
    [InlineData(DType.Float32)]
    [InlineData(DType.BFloat16)]
    public void Gelu_and_its_gradient_are_those_of_the_tanh_formula(DType type)
    {
        using var scope = Tensor.Scope();
        var x = Tensor.From([.. Enumerable.Range(-1200, 2400).Select(i => i / 100f)], 2400);
        FastPath.Agree(t => F.Gelu(t[0].To(type), true).To(DType.Float32), t => F.Plain.Gelu(t[0], true), [x.To(type).To(DType.Float32)], s_singles[..1], Tolerance(type));
    }

    [Fact]
    public void Gelu_far_out_is_the_identity_or_zero_and_so_is_its_slope()
    {
        using var scope = Tensor.Scope();
        var x = Tensor.From([1e4f, -1e4f, 1e20f, -1e20f, 0f, float.NaN], 6);
        x.RequiresGrad = true;
        var y = F.Gelu(x, true);
        Assert.Equal([1e4f, 0, 1e20f, 0, 0, float.NaN], y.ToArray<float>().Select(v => v == 0 ? 0 : v));
        y.Sum().Backward();
        Assert.Equal([1f, 0, 1, 0, 0.5f, float.NaN], x.Gradient!.ToArray<float>().Select(v => MathF.Abs(v) < 1e-20f ? 0 : v));
    }

    [Theory]
    [InlineData(DType.Float32)]
    [InlineData(DType.BFloat16)]
    public void SwiGlu_and_its_gradients_are_those_of_the_formula(DType type)
    {
        using var scope = Tensor.Scope();
        Tensor[] inputs = [FastPath.Normal(1, 3, 37) * 4, FastPath.Normal(2, 3, 37)];
        FastPath.Agree(t => F.SwiGlu(t[0].To(type), t[1].To(type)).To(DType.Float32), t => F.Plain.SwiGlu(t[0], t[1]),
            [.. inputs.Select(x => x.To(type).To(DType.Float32))], s_singles[..2], Tolerance(type));
    }

    [Theory]
    [InlineData(DType.Float32, 2)]
    [InlineData(DType.Float32, 3)]
    [InlineData(DType.BFloat16, 2)]
    public void Rope_and_its_gradient_are_those_of_the_formula(DType type, int dims)
    {
        using var scope = Tensor.Scope();
        // Halves with tables of their own, so that a mix-up of the halves would show.
        var (cos, sin) = dims == 2 ? (FastPath.Normal(5, 7, 40), FastPath.Normal(6, 7, 40)) : (FastPath.Normal(5, 2, 7, 40), FastPath.Normal(6, 2, 7, 40));
        var x = FastPath.Normal(1, 2, 7, 3, 40).To(type).To(DType.Float32);
        FastPath.Agree(t => F.Rope(t[0].To(type), cos, sin).To(DType.Float32), t => F.Plain.Rope(t[0], cos.To(DType.Float64), sin.To(DType.Float64)), [x], s_singles[..1], Tolerance(type));
    }

    [Theory]
    [InlineData(48)]
    [InlineData(771)]
    public void Norms_and_their_gradients_are_those_of_the_formulas(int width)
    {
        using var scope = Tensor.Scope();
        // An offset of ten deviations: a variance from the mean of squares would lose two digits.
        Tensor[] inputs = [FastPath.Normal(1, 5, 3, width) + 10, FastPath.Normal(2, width), FastPath.Normal(3, width)];
        FastPath.Agree(t => F.LayerNorm(t[0], t[1], t[2], 1e-5), t => F.Plain.LayerNorm(t[0], t[1], t[2], 1e-5), inputs, s_singles, 1e-5);
        FastPath.Agree(t => F.LayerNorm(t[0], t[1], null, 1e-5), t => F.Plain.LayerNorm(t[0], t[1], null, 1e-5), inputs[..2], s_singles[..2], 1e-5);
        FastPath.Agree(t => F.RmsNorm(t[0], t[1], 1e-5), t => F.Plain.RmsNorm(t[0], t[1], 1e-5), inputs[..2], s_singles[..2], 1e-5);
    }
}

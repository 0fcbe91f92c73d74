using Gradus.Engine.Ops;
using Gradus.Engine.Tensors;

namespace Gradus.Tests.Engine.Ops;

public class AttentionTests
{
    // float32: sums of up to 150 products. bfloat16: probabilities and results rounded to 2^-9, gradients up to five times.
    private static double Tolerance(DType type) => type == DType.Float32 ? 5e-6 : 3e-2;

    private static Tensor Fused(Tensor[] t, DType type, bool causal, Tensor? documents)
    {
        var y = F.FusedAttention(t[0].To(type), t[1].To(type), t[2].To(type), causal, documents);
        Assert.NotNull(y);
        return y.To(DType.Float32);
    }

    // 150 queries are two causal blocks, the second one short; 4 query heads share 2 key/value heads.
    [Theory]
    [InlineData(DType.Float32, 150, true, 4)]
    [InlineData(DType.Float32, 150, false, 4)]
    [InlineData(DType.Float32, 17, true, 2)]
    [InlineData(DType.BFloat16, 150, true, 4)]
    [InlineData(DType.BFloat16, 600, true, 2)]
    public void Output_and_gradients_are_those_of_the_formula(DType type, int time, bool causal, int heads)
    {
        using var scope = Tensor.Scope();
        Tensor[] inputs = [FastPath.Normal(1, 2, time, heads, 16), FastPath.Normal(2, 2, time, 2, 16), FastPath.Normal(3, 2, time, 2, 16)];
        FastPath.Agree(t => Fused(t, type, causal, null), t => F.Plain.Attention(t[0], t[1], t[2], causal), inputs, [DType.Float32, DType.Float32, DType.Float32], Tolerance(type));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Documents_see_only_themselves(bool causal)
    {
        using var scope = Tensor.Scope();
        var documents = Tensor.From([.. Enumerable.Range(0, 2 * 140).Select(i => (long)(i < 140 ? i / 50 : i / 7))], 2, 140);
        Tensor[] inputs = [FastPath.Normal(1, 2, 140, 2, 8), FastPath.Normal(2, 2, 140, 2, 8), FastPath.Normal(3, 2, 140, 2, 8)];
        FastPath.Agree(t => Fused(t, DType.Float32, causal, documents), t => F.Plain.Attention(t[0], t[1], t[2], causal, documents), inputs,
            [DType.Float32, DType.Float32, DType.Float32], Tolerance(DType.Float32));
    }

    [Fact]
    public void Views_of_one_projection_are_read_where_they_lie()
    {
        using var scope = Tensor.Scope();
        Tensor[] inputs = [FastPath.Normal(1, 2, 70, 3, 2, 16)];
        FastPath.Agree(t => t[0].Unbind(2) is var p ? F.FusedAttention(p[0], p[1], p[2], true, null)! : null!,
            t => t[0].Unbind(2) is var p ? F.Plain.Attention(p[0], p[1], p[2], true) : null!, inputs, [DType.Float32], Tolerance(DType.Float32));
    }

    [Fact]
    public void Scores_of_a_thousand_do_not_overflow()
    {
        using var scope = Tensor.Scope();
        var q = FastPath.Normal(1, 1, 64, 1, 4) * 1000;
        var fused = F.FusedAttention(q, q, q, true, null)!.ToArray<double>();
        Assert.True(FastPath.Error(fused, F.Plain.Attention(q, q, q, true).ToArray<double>()) < 1e-5);
    }

    [Fact]
    public void Documents_out_of_order_are_left_to_the_formula()
    {
        using var scope = Tensor.Scope();
        var q = FastPath.Normal(1, 1, 4, 1, 4);
        Assert.Null(F.FusedAttention(q, q, q, true, Tensor.From([0L, 1L, 0L, 1L], 1, 4)));
    }
}

using Gradus.Engine.Ops;
using Gradus.Engine.Tensors;
using Gradus.Models.Nn;
using Gradus.Tests.Models.Families;

namespace Gradus.Tests.Models.Nn;

[Row("E5")]
public class PositionTests
{
    [Fact]
    public void Sinusoids_are_those_of_the_formula_at_hand_computed_points()
    {
        using var scope = Tensor.Scope();
        var table = Sinusoid.Table(101, 4).ToArray<float>();
        Assert.Equal([0f, 1, 0, 1], table[..4]);
        // Position 1: sin 1, cos 1, sin 0.01, cos 0.01. Position 100: the second pair has turned by 1 radian.
        double[] one = [0.8414709848, 0.5403023059, 0.0099998333, 0.9999500004], hundred = [-0.5063656411, 0.8623188723, 0.8414709848, 0.5403023059];
        for (var i = 0; i < 4; i++)
        {
            Assert.Equal(one[i], table[4 + i], 1e-7); // half a unit of float32
            Assert.Equal(hundred[i], table[400 + i], 1e-7);
        }
        Assert.Throws<ArgumentException>(() => Sinusoid.Table(3, 5));
    }

    [Fact]
    public void Rotated_products_depend_on_the_distance_of_two_positions_alone()
    {
        using var scope = Tensor.Scope();
        using var rope = new Rope(Rope.Frequencies(16, 10000));
        var (q, k) = (TinyModels.Noise("q", 1, DType.Float64, 1, 1, 1, 16), TinyModels.Noise("k", 1, DType.Float64, 1, 1, 1, 16));
        double Score(long m, long n) => (Turn(q, m) * Turn(k, n)).Sum().Item();
        Tensor Turn(Tensor x, long position)
        {
            var (cos, sin) = rope.At(null, position, 1, DType.Float64, Device.Cpu);
            return F.Rope(x, cos, sin);
        }
        foreach (var shift in new long[] { 1, 17, 1000 })
            Assert.Equal(Score(5, 2), Score(5 + shift, 2 + shift), 10); // cosines of large angles lose a few digits of double
        Assert.NotEqual(Score(5, 2), Score(5, 3), 3);
        Assert.Equal((q * k).Sum().Item(), Score(0, 0), 12);
        Assert.Equal(q.Norm().Item(), Turn(q, 77).Norm().Item(), 12); // a rotation
    }

    [Fact]
    public void The_rotary_table_and_explicit_positions_agree_and_the_table_grows()
    {
        using var scope = Tensor.Scope();
        using var rope = new Rope(Rope.Frequencies(8, 10000));
        foreach (var (from, length) in new[] { (0L, 3L), (2L, 9L), (40L, 1L) })
        {
            var (cos, sin) = rope.At(null, from, length, DType.Float32, Device.Cpu);
            var positions = Tensor.From(Enumerable.Range((int)from, (int)length).Select(p => (long)p).ToArray(), 1, length);
            var (cosAgain, sinAgain) = rope.At(positions, 0, length, DType.Float32, Device.Cpu);
            Assert.Equal([1, length, 8], cosAgain.Shape);
            Assert.Equal(cos.ToArray<float>(), cosAgain.ToArray<float>());
            Assert.Equal(sin.ToArray<float>(), sinAgain.ToArray<float>());
        }
    }

    [Fact]
    public void Llama_31_keeps_short_waves_stretches_long_ones_and_blends_between()
    {
        // Original context 8192, factor 8: waves up to 2048 positions are kept, from 8192 on divided by 8.
        double Wave(double length) => Rope.Llama3([2 * Math.PI / length], 8, 1, 4, 8192)[0] * length / (2 * Math.PI);
        Assert.Equal(1, Wave(2000));
        Assert.Equal(1, Wave(2048), 12);
        Assert.Equal(0.125, Wave(8192), 12);
        Assert.Equal(0.125, Wave(100_000), 12);
        // A wave of 4096 fits twice: a third of the way from 1 to 4, so 1/3 kept and 2/3 divided.
        Assert.Equal(1.0 / 3 + 2.0 / 3 / 8, Wave(4096), 12);
    }

    [Theory, InlineData(true), InlineData(false)]
    public void Without_positions_attention_cannot_tell_the_order_of_its_keys(bool positions)
    {
        using var scope = Tensor.Scope();
        using var rope = new Rope(Rope.Frequencies(8, 100));
        var (q, k, v) = (TinyModels.Noise("q", 3, DType.Float64, 1, 6, 2, 8), TinyModels.Noise("k", 3, DType.Float64, 1, 6, 2, 8), TinyModels.Noise("v", 3, DType.Float64, 1, 6, 2, 8));
        var order = Tensor.From([3L, 0, 5, 1, 4, 2], 6);
        Tensor Mix(Tensor keys, Tensor values)
        {
            if (!positions) return F.Attention(q, keys, values, causal: false);
            var (cos, sin) = rope.At(null, 0, 6, DType.Float64, Device.Cpu);
            return F.Attention(F.Rope(q, cos, sin), F.Rope(keys, cos, sin), values, causal: false);
        }
        var distance = ModelContractTests.Distance(Mix(k, v), Mix(k.IndexSelect(1, order), v.IndexSelect(1, order)));
        Assert.True(positions ? distance > 0.01 : distance < 1e-12, $"{distance:E2}");
    }
}

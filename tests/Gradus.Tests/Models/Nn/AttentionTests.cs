using Gradus.Engine.Ops;
using Gradus.Engine.Tensors;
using Gradus.Models.Nn;
using Gradus.Tests.Models.Families;

namespace Gradus.Tests.Models.Nn;

public class AttentionTests
{
    // Two positions, width 2. Scores: q k = [[1, 0], [1, 2]]; over sqrt 2 and through softmax, the weights of the first row are
    // 1 / (1 + exp(-+1 / sqrt 2)) = 0.66976, 0.33024, of the second the same reversed.
    private static readonly double[] s_q = [1, 0, 1, 2], s_k = [1, 0, 0, 1], s_v = [1, 2, 3, 4];

    [Row("E2"), Fact]
    public void Attention_by_hand()
    {
        using var scope = Tensor.Scope();
        var a = 1 / (1 + Math.Exp(-1 / Math.Sqrt(2)));
        AssertEqual([a + 3 * (1 - a), 2 * a + 4 * (1 - a), (1 - a) + 3 * a, 2 * (1 - a) + 4 * a], F.Attention(Heads(s_q), Heads(s_k), Heads(s_v), causal: false));
        Assert.Equal(0.66976, a, 5);
    }

    [Row("E4"), Fact]
    public void With_the_causal_mask_the_first_position_sees_itself_alone()
    {
        using var scope = Tensor.Scope();
        var a = 1 / (1 + Math.Exp(-1 / Math.Sqrt(2)));
        AssertEqual([1, 2, (1 - a) + 3 * a, 2 * (1 - a) + 4 * a], F.Attention(Heads(s_q), Heads(s_k), Heads(s_v), causal: true));
    }

    [Row("E4"), Theory, InlineData(true), InlineData(false)]
    public void The_future_is_invisible_with_the_mask_and_visible_without(bool causal)
    {
        using var scope = Tensor.Scope();
        Tensor Make(string name) => TinyModels.Noise(name, 2, DType.Float32, 1, 7, 2, 8);
        var (q, k, v) = (Make("q"), Make("k"), Make("v"));
        var before = F.Attention(q, k, v, causal).Narrow(1, 0, 5).ToArray<float>();
        k.Narrow(1, 5, 2).MulInPlace(-3);
        v.Narrow(1, 5, 2).AddInPlace(1);
        var after = F.Attention(q, k, v, causal).Narrow(1, 0, 5).ToArray<float>();
        if (causal) Assert.Equal(before, after);
        else Assert.NotEqual(before, after);
    }

    [Row("E3"), Fact]
    public void Grouped_heads_are_full_heads_with_their_keys_repeated()
    {
        using var scope = Tensor.Scope();
        var q = TinyModels.Noise("q", 2, DType.Float64, 2, 5, 6, 4);
        var (k, v) = (TinyModels.Noise("k", 2, DType.Float64, 2, 5, 2, 4), TinyModels.Noise("v", 2, DType.Float64, 2, 5, 2, 4));
        var full = F.Attention(q, k.RepeatInterleave(3, 2), v.RepeatInterleave(3, 2), causal: true);
        Assert.True(ModelContractTests.Distance(full, F.Attention(q, k, v, causal: true)) < 1e-14);
    }

    [Row("E6"), Fact]
    public void Dropout_keeps_the_mean_and_is_the_identity_at_zero()
    {
        using var scope = Tensor.Scope();
        Generator.SeedDefault(1);
        var ones = Tensor.Ones(DType.Float32, Device.Cpu, 1_000_000);
        var kept = F.Dropout(ones, 0.3).ToArray<float>();
        // Standard error of the mean: sqrt(0.3 / 0.7 / 10^6) = 0.00065; four of them.
        Assert.InRange(kept.Average(), 1 - 0.0026, 1 + 0.0026);
        Assert.InRange(kept.Count(x => x == 0) / 1e6, 0.298, 0.302);
        Assert.All(kept.Distinct(), x => Assert.True(x is 0 || Math.Abs(x - 1 / 0.7f) < 1e-6));
        Assert.Same(ones, F.Dropout(ones, 0));
    }

    [Fact]
    public void A_document_mask_behind_cached_tokens_is_refused()
    {
        using var scope = Tensor.Scope();
        using var model = TinyModels.Build("llama");
        using var cache = model.NewCache(1, 8);
        var ids = TinyModels.Ids(1, 4, model.VocabSize);
        var step = new Step { Cache = cache, Documents = Tensor.Zeros(DType.Int64, Device.Cpu, 1, 4) };
        Grad.Off(() => model.Hidden(ids, step));
        Assert.Contains("document mask", Assert.Throws<ArgumentException>(() => Grad.Off(() => model.Hidden(ids, step))).Message, StringComparison.Ordinal);
    }

    private static Tensor Heads(double[] values) => Tensor.From(values, 1, 2, 1, 2);

    private static void AssertEqual(double[] expected, Tensor actual)
    {
        foreach (var (e, a) in expected.Zip(actual.ToArray<double>())) Assert.Equal(e, a, 12);
    }
}

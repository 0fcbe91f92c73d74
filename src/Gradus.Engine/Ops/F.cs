using Gradus.Engine.Tensors;

namespace Gradus.Engine.Ops;

/// <summary>
/// Composed operations with the plain formula: the oracle of any fast path. Shape letters: B batch, T time, D model width,
/// H heads, W head width, V vocabulary.
/// </summary>
public static partial class F
{
    /// <summary>A target that no loss counts.</summary>
    public const int Ignore = -100;

    private static readonly Op s_linear = Op.Find("aten::linear", "input, weight, bias");
    private static readonly Op s_embedding = Op.Find("aten::embedding", "weight, indices");
    private static readonly Op s_layerNorm = Op.Find("aten::layer_norm", "input, normalized_shape, weight, bias, eps");
    private static readonly Op s_crossEntropy = Op.Find("aten::cross_entropy_loss", "self, target, weight, reduction, ignore_index, label_smoothing");

    /// <summary>
    /// x Wᵀ + b: [.., in] × [out, in] → [.., out]. In reduced precision <paramref name="computed"/> is a copy of
    /// <paramref name="weight"/> in the type of the product; gradients still reach the float32 <paramref name="weight"/>.
    /// </summary>
    public static Tensor Linear(Tensor x, Tensor weight, Tensor? bias = null, Tensor? computed = null)
    {
        ArgumentNullException.ThrowIfNull(weight);
        ArgumentNullException.ThrowIfNull(x);
        if (computed is null || computed.DType == weight.DType) return s_linear.Call(x, weight, bias);
        return s_linear.Call(x.To(computed.DType), weight.To(computed.DType), bias?.To(computed.DType));
    }

    /// <summary>
    /// Sum over the targets of -log softmax(x Wᵀ)[target] without ever holding all logits in float32: the head and its loss in one.
    /// x [N, D], weight [V, D], targets [N] (int64, <see cref="Ignore"/> counts nothing) → scalar float32.
    /// </summary>
    public static Tensor LinearCrossEntropySum(Tensor x, Tensor weight, Tensor targets, Tensor? computed = null) =>
        CrossEntropySum(Linear(x, weight, null, computed).To(DType.Float32), targets);

    /// <summary>silu(gate) · up (Shazeer, 2020), elementwise.</summary>
    public static Tensor SwiGlu(Tensor gate, Tensor up)
    {
        ArgumentNullException.ThrowIfNull(gate);
        return gate.Silu() * up;
    }

    /// <summary>
    /// Rotary position embedding (Su et al., 2021) in the half-split layout of Hugging Face's Llama: x [B, T, H, W], cos and sin
    /// [T, W] or [B, T, W] → x · cos + rotate(x) · sin, where rotate maps (a, b) halves to (-b, a).
    /// </summary>
    public static Tensor Rope(Tensor x, Tensor cos, Tensor sin)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(cos);
        ArgumentNullException.ThrowIfNull(sin);
        var half = x.Size(3) / 2;
        var rotated = Tensor.Cat([-x.Narrow(3, half, half), x.Narrow(3, 0, half)], 3);
        return (x * cos.Unsqueeze(-2) + rotated * sin.Unsqueeze(-2)).To(x.DType);
    }

    /// <summary>Rows of <paramref name="weight"/> [V, D] picked by <paramref name="ids"/> (int64, any shape) → [.., D].</summary>
    public static Tensor Embedding(Tensor weight, Tensor ids) => s_embedding.Call(weight, ids);

    /// <summary>(x - mean) / sqrt(variance + eps) · weight + bias over the last dimension (Ba et al., 2016).</summary>
    public static Tensor LayerNorm(Tensor x, Tensor weight, Tensor? bias, double eps) => s_layerNorm.Call(x, weight.Shape, weight, bias, eps);

    /// <summary>x / sqrt(mean(x²) + eps) · weight over the last dimension (Zhang and Sennrich, 2019), computed in float32.</summary>
    public static Tensor RmsNorm(Tensor x, Tensor weight, double eps)
    {
        var wide = x.DType == DType.Float64 ? x : x.To(DType.Float32);
        return (wide * (wide.Pow(2).Mean([-1], keepDim: true) + eps).Rsqrt()).To(x.DType) * weight;
    }

    /// <summary>Sum over the targets of -log softmax(logits)[target]; targets equal to <see cref="Ignore"/> count nothing. [N, V], [N] → scalar.</summary>
    public static Tensor CrossEntropySum(Tensor logits, Tensor targets) => s_crossEntropy.Call(logits, targets, Arg.None, 2, Ignore, 0.0);

    /// <summary>
    /// softmax(q kᵀ / sqrt(W) + mask) v (Vaswani et al., 2017). q [B, T, H, W], k and v [B, S, K, W] → [B, T, H, W]; H is a multiple
    /// of K, and each key/value head serves H / K query heads (grouped-query attention, Ainslie et al., 2023). With
    /// <paramref name="causal"/> query t, one of the last T of S positions, sees keys 0 … S - T + t. <paramref name="documents"/>
    /// [B, S] (int64, T = S) confines each position to keys of its own document.
    /// </summary>
    public static Tensor Attention(Tensor q, Tensor k, Tensor v, bool causal, Tensor? documents = null, double dropout = 0)
    {
        ArgumentNullException.ThrowIfNull(q);
        ArgumentNullException.ThrowIfNull(k);
        ArgumentNullException.ThrowIfNull(v);
        var (queries, keys, group) = (q.Size(1), k.Size(1), q.Size(2) / k.Size(2));
        var (qBHTW, kBHSW, vBHSW) = (q.Transpose(1, 2), k.Transpose(1, 2), v.Transpose(1, 2));
        if (group > 1) (kBHSW, vBHSW) = (kBHSW.RepeatInterleave(group, 1), vBHSW.RepeatInterleave(group, 1));
        var scores = (qBHTW * (1 / Math.Sqrt(q.Size(3)))).MatMul(kBHSW.Transpose(2, 3));
        if (causal && queries > 1)
        {
            var seen = Tensor.Ones(DType.Bool, q.Device, queries, keys).Tril(keys - queries);
            scores = scores.MaskedFill(seen.LogicalNot(), double.NegativeInfinity);
        }
        if (documents is not null)
        {
            var same = documents.Unsqueeze(2).Equal(documents.Unsqueeze(1)).Unsqueeze(1);
            scores = scores.MaskedFill(same.LogicalNot(), double.NegativeInfinity);
        }
        return Dropout(scores.Softmax(-1), dropout).MatMul(vBHSW).Transpose(1, 2);
    }

    /// <summary>Zeroes each element with probability <paramref name="p"/> and scales the rest by 1 / (1 - p) (Srivastava et al., 2014). The identity at p = 0.</summary>
    public static Tensor Dropout(Tensor x, double p)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (p == 0) return x;
        var keep = Grad.Off(() =>
        {
            var mask = x.Detach().EmptyLike();
            mask.BernoulliInPlace(1 - p);
            mask.MulInPlace(1 / (1 - p));
            return mask;
        });
        return x * keep;
    }
}

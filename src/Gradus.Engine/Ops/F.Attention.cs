using Gradus.Engine.Tensors;

namespace Gradus.Engine.Ops;

public static partial class F
{
    /// <summary>
    /// softmax(q kᵀ / sqrt(W) + mask) v (Vaswani et al., 2017). q [B, T, H, W], k and v [B, S, K, W] → [B, T, H, W]; H is a multiple
    /// of K, and each key/value head serves H / K query heads (grouped-query attention, Ainslie et al., 2023). With
    /// <paramref name="causal"/> query t, one of the last T of S positions, sees keys 0 … S - T + t. <paramref name="documents"/>
    /// [B, S] (int64, T = S) confines each position to keys of its own document and of <see cref="Everyone"/>.
    /// </summary>
    /// <remarks>
    /// Queries are taken in blocks and see only the keys up to the block's end, so that most of the masked half is never computed. Products
    /// read q, k and v where they lie; probabilities are kept for the backward pass in the type of q.
    /// </remarks>
    public static Tensor Attention(Tensor q, Tensor k, Tensor v, bool causal, Tensor? documents = null, double dropout = 0)
    {
        ArgumentNullException.ThrowIfNull(q);
        ArgumentNullException.ThrowIfNull(k);
        ArgumentNullException.ThrowIfNull(v);
        // Short or ever-changing lengths (decoding) would make a oneDNN primitive each.
        return q.Size(1) >= 64 && dropout == 0 && FusedAttention(q, k, v, causal, documents) is { } fused ? fused : Plain.Attention(q, k, v, causal, documents, dropout);
    }

    /// <summary>The fast path, or null where it does not apply.</summary>
    internal static Tensor? FusedAttention(Tensor q, Tensor k, Tensor v, bool causal, Tensor? documents)
    {
        if (!OneDnn.IsAvailable || !IsFast(q) || k.DType != q.DType || v.DType != q.DType || !k.Device.IsCpu || !v.Device.IsCpu || q.Dims != 4 || k.Dims != 4
            || !k.Shape.AsSpan().SequenceEqual(v.Shape) || q.Size(1) != k.Size(1) || q.Size(0) != k.Size(0) || q.Size(3) != k.Size(3) || q.Size(2) % k.Size(2) != 0) return null;
        if (Gemm.Widens(q)) return FusedAttention(q.To(DType.Float32), k.To(DType.Float32), v.To(DType.Float32), causal, documents)?.To(DType.BFloat16);
        var seen = SeenKeys.Of(q.Size(0), q.Size(1), causal, documents);
        if (seen is null) return null;
        var pass = new AttentionPass(q, k, v, causal, seen);
        var y = Grad.Off(pass.Forward);
        pass.Attach(y);
        return y;
    }
}

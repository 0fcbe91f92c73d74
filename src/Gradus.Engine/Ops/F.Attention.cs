using Gradus.Engine.Tensors;

namespace Gradus.Engine.Ops;

public static partial class F
{
    /// <summary>
    /// softmax(q kᵀ / sqrt(W) + mask) v (Vaswani et al., 2017). q [B, T, H, W], k and v [B, S, K, W] → [B, T, H, W]; H is a multiple
    /// of K, and each key/value head serves H / K query heads (grouped-query attention, Ainslie et al., 2023). With
    /// <paramref name="causal"/> query t, one of the last T of S positions, sees keys 0 … S - T + t. <paramref name="documents"/>
    /// [B, S] (int64, T = S) confines each position to keys of its own document.
    /// </summary>
    public static Tensor Attention(Tensor q, Tensor k, Tensor v, bool causal, Tensor? documents = null, double dropout = 0) => Plain.Attention(q, k, v, causal, documents, dropout);
}

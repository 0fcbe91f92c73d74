using Gradus.Engine.Ops;
using Gradus.Engine.Tensors;

namespace Gradus.Models.Nn;

/// <summary>The part of self-attention that all families share: cache, mask, dropout. Projections and positions belong to the family.</summary>
public static class Attention
{
    /// <summary>q [B, T, H, W], k and v [B, T, K, W] of the step's tokens → what each head gathered, [B, T, H · W].</summary>
    public static Tensor Causal(Tensor qBTHW, Tensor kBTKW, Tensor vBTKW, int layer, double dropout, in Step step)
    {
        ArgumentNullException.ThrowIfNull(qBTHW);
        var documents = step.Documents;
        if (step.Cache is { } cache)
        {
            (kBTKW, vBTKW) = cache.Append(layer, kBTKW, vBTKW);
            if (documents is not null && kBTKW.Size(1) != qBTHW.Size(1))
                throw new ArgumentException("a document mask covers the tokens of one step; it cannot be used behind cached tokens", nameof(step));
        }
        if (step.Prefix is { } prefix) return Behind(prefix, qBTHW, kBTKW, vBTKW, layer, documents, step.Training ? dropout : 0);
        return Joined(F.Attention(qBTHW, kBTKW, vBTKW, causal: true, documents, step.Training ? dropout : 0));
    }

    /// <summary>As <see cref="Causal"/>, but every position sees its whole document: encoders. What fills a row up is a document of its own, so nobody sees it.</summary>
    public static Tensor Bidirectional(Tensor qBTHW, Tensor kBTKW, Tensor vBTKW, double dropout, in Step step)
    {
        if (step.Cache is not null) throw new ArgumentException("an encoder sees whole rows; it has no cache", nameof(step));
        return Joined(F.Attention(qBTHW, kBTKW, vBTKW, causal: false, step.Documents, step.Training ? dropout : 0));
    }

    // The prefix is the beginning of every row. Queries of its own, which nobody reads, make it one attention with a causal mask.
    private static Tensor Behind(KeyValuePrefix prefix, Tensor q, Tensor k, Tensor v, int layer, Tensor? documents, double dropout)
    {
        var (rows, time, length) = (q.Size(0), q.Size(1), prefix.Length);
        var (pk, pv) = prefix.Of(layer, rows, k.DType);
        (k, v) = (Tensor.Cat([pk, k], 1), Tensor.Cat([pv, v], 1));
        // One query behind a cache needs no mask at all; whole rows get queries for the prefix.
        var whole = time + length == k.Size(1);
        if (whole) q = Tensor.Cat([Tensor.Zeros(q.DType, q.Device, rows, length, q.Size(2), q.Size(3)), q], 1);
        if (documents is not null) documents = Tensor.Cat([Tensor.Full([rows, length], F.Everyone, DType.Int64, q.Device), documents], 1);
        var out_ = F.Attention(q, k, v, causal: true, documents, dropout);
        if (whole) out_ = out_.Narrow(1, length, time);
        return Joined(out_);
    }

    private static Tensor Joined(Tensor xBTHW) => xBTHW.Reshape(xBTHW.Size(0), xBTHW.Size(1), xBTHW.Size(2) * xBTHW.Size(3));
}

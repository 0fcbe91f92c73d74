using Gradus.Engine.Ops;
using Gradus.Engine.Tensors;

namespace Gradus.Models.Nn;

/// <summary>The part of causal self-attention that all families share: cache, mask, dropout. Projections and positions belong to the family.</summary>
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
        var out_ = F.Attention(qBTHW, kBTKW, vBTKW, causal: true, documents, step.Training ? dropout : 0);
        return out_.Reshape(out_.Size(0), out_.Size(1), out_.Size(2) * out_.Size(3));
    }
}

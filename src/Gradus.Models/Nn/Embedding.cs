using Gradus.Engine.Ops;
using Gradus.Engine.Tensors;

namespace Gradus.Models.Nn;

/// <summary>A table of vectors, one a token or a position. Looked up in the master type: the residual stream starts in full precision.</summary>
public sealed class Embedding(Weights w, int count, int width, Init init)
{
    /// <summary>The table, [count, width]; a tied head reads it too.</summary>
    public Parameter Weight { get; } = w.Parameter("weight", init, count, width);

    /// <summary>Ids (int64, any shape) → [.., D].</summary>
    public Tensor Forward(Tensor ids) => F.Embedding(Weight.Value, ids);

    /// <summary>Rows from … from + length - 1, [length, D].</summary>
    public Tensor Rows(long from, long length) => Weight.Value.Narrow(0, from, length);
}

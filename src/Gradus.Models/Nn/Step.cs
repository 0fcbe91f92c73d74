using Gradus.Engine.Tensors;

namespace Gradus.Models.Nn;

/// <summary>What comes in with one forward pass: the same classes serve training and generation.</summary>
public readonly record struct Step
{
    /// <summary>Dropout is on.</summary>
    public bool Training { get; init; }

    /// <summary>Position of each token, [B, T] int64; null: 0 … T - 1 behind whatever the cache holds.</summary>
    public Tensor? Positions { get; init; }

    /// <summary>Document of each token within its row, [B, T] int64; attention stays inside a document. Null: one document a row.</summary>
    public Tensor? Documents { get; init; }

    /// <summary>Segment of each token, [B, T] int64, where a family tells the two texts of a pair apart; null: all 0.</summary>
    public Tensor? Types { get; init; }

    /// <summary>Keys and values of the tokens before; null when there are none to remember.</summary>
    public KvCache? Cache { get; init; }

    /// <summary>Compute each block's activations again in the backward pass instead of keeping them.</summary>
    public bool Recompute { get; init; }

    /// <summary>Position of the first of <paramref name="ids"/> [B, T]: behind what the cache holds.</summary>
    /// <exception cref="ArgumentException">More tokens than the model has positions.</exception>
    internal long Start(Tensor ids, int maxPositions)
    {
        ArgumentNullException.ThrowIfNull(ids);
        var (from, length) = (Cache?.Length ?? 0, ids.Size(1));
        return from + length <= maxPositions ? from : throw new ArgumentException($"{from + length} tokens in a row; the model's positions reach {maxPositions}", nameof(ids));
    }

    /// <summary>Runs one block: its intermediates die with it, and are recomputed later if so asked.</summary>
    public Tensor Run(Tensor x, Func<Tensor, Tensor> block)
    {
        ArgumentNullException.ThrowIfNull(block);
        return Recompute ? Grad.Checkpoint(x, block) : Tensor.Scoped(() => block(x));
    }
}

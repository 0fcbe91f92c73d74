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

    /// <summary>Keys and values that every token of every layer sees before its own; null: none.</summary>
    public KeyValuePrefix? Prefix { get; init; }

    /// <summary>Vectors [P, D] that stand before the embedded tokens of a row; null: none. Positions and documents, where given, cover them too.</summary>
    public Tensor? Prompt { get; init; }

    /// <summary>Position of the first row of what <see cref="Prepend"/> gives: behind the prefix and what the cache holds.</summary>
    /// <exception cref="ArgumentException">More tokens than the model has positions.</exception>
    internal long Start(Tensor ids, int maxPositions)
    {
        ArgumentNullException.ThrowIfNull(ids);
        var (from, length) = ((Cache?.Length ?? 0) + (Prefix?.Length ?? 0), ids.Size(1) + (Prompt?.Size(0) ?? 0));
        return from + length <= maxPositions ? from : throw new ArgumentException($"{from + length} tokens in a row; the model's positions reach {maxPositions}", nameof(ids));
    }

    /// <summary>Embedded tokens [B, T, D] behind the prompt's vectors: [B, P + T, D].</summary>
    internal Tensor Prepend(Tensor embedded) => Prompt is { } prompt
        ? Tensor.Cat([prompt.To(embedded.DType).Unsqueeze(0).Expand(embedded.Size(0), prompt.Size(0), prompt.Size(1)), embedded], 1) : embedded;

    /// <summary>What the blocks made of the tokens alone, without the rows of the prompt.</summary>
    internal Tensor WithoutPrompt(Tensor x) => Prompt is { } prompt ? x.Narrow(1, prompt.Size(0), x.Size(1) - prompt.Size(0)) : x;

    /// <summary>Runs one block: its intermediates die with it, and are recomputed later if so asked.</summary>
    public Tensor Run(Tensor x, Func<Tensor, Tensor> block)
    {
        ArgumentNullException.ThrowIfNull(block);
        return Recompute ? Grad.Checkpoint(x, block) : Tensor.Scoped(() => block(x));
    }
}

using Gradus.Engine.Tensors;

namespace Gradus.Models.Nn;

/// <summary>
/// A network over tokens with an output layer: scores of the next token, of a masked one, or, where <see cref="Task"/> says so, of labels.
/// It knows no loss, no device placement, no precision policy; those come from outside.
/// </summary>
public interface ILanguageModel : IDisposable
{
    /// <summary>Every parameter once, under its Hugging Face name, in the order of construction (tied weights are one parameter).</summary>
    IReadOnlyList<Parameter> Parameters { get; }

    /// <summary>Every linear with a name of its own, in order of construction: where adapters attach. Empty for a model that takes none.</summary>
    IReadOnlyList<Linear> Linears => [];

    /// <summary>Where the weights are, and tokens have to be.</summary>
    Device Device => Parameters[0].Value.Device;

    int VocabSize { get; }

    /// <summary>Longest sequence the positions reach.</summary>
    int MaxPositions { get; }

    /// <summary>The output projection [V, D], or [labels, D]; the fused head-and-loss reads its weight.</summary>
    Linear Head { get; }

    /// <summary>A position sees itself and what comes before it. False for encoders, which see the whole row and cannot continue a text.</summary>
    bool IsCausal => true;

    /// <summary>What the output layer is for; null: to predict tokens.</summary>
    TaskHead? Task => null;

    /// <summary>Token ids [B, T] int64 → the state of each, [B, T, D].</summary>
    Tensor Hidden(Tensor ids, in Step step);

    /// <summary>States [.., D] → what the head reads, [.., D]: nothing happens in most families, BERT has a layer here. Only rows that are wanted need to come.</summary>
    Tensor BeforeHead(Tensor states, in Step step) => states;

    /// <summary>An empty cache for <paramref name="batch"/> rows of up to <paramref name="capacity"/> tokens.</summary>
    KvCache NewCache(int batch, int capacity);

    /// <summary>Token ids [B, T] int64 → scores of the outputs, [B, T, V], float32 or wider. Training goes through <see cref="Hidden"/> and a fused head instead.</summary>
    Tensor Logits(Tensor ids, in Step step)
    {
        var logits = Head.Forward(BeforeHead(Hidden(ids, step), step));
        return logits.DType == DType.Float64 ? logits : logits.To(DType.Float32);
    }

    /// <summary>How many numbers the model has, packed ones included; tied weights count once.</summary>
    long ParameterCount => Parameters.Sum(parameter => parameter.Value.Elements) + Linears.Where(linear => linear.Weight is PackedWeight).Sum(linear => linear.Weight.In * linear.Weight.Out);
}

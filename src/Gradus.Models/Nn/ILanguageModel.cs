using Gradus.Engine.Tensors;

namespace Gradus.Models.Nn;

/// <summary>A network that predicts tokens. It knows no loss, no device placement, no precision policy; those come from outside.</summary>
public interface ILanguageModel : IDisposable
{
    /// <summary>Every parameter once, under its Hugging Face name, in the order of construction (tied weights are one parameter).</summary>
    IReadOnlyList<Parameter> Parameters { get; }

    /// <summary>Every linear with a name of its own, in order of construction: where adapters attach. Empty for a model that takes none.</summary>
    IReadOnlyList<Linear> Linears => [];

    int VocabSize { get; }

    /// <summary>Longest sequence the positions reach.</summary>
    int MaxPositions { get; }

    /// <summary>The output projection [V, D]; the fused head-and-loss reads its weight.</summary>
    Linear Head { get; }

    /// <summary>Token ids [B, T] int64 → what the head reads, [B, T, D].</summary>
    Tensor Hidden(Tensor ids, in Step step);

    /// <summary>An empty cache for <paramref name="batch"/> rows of up to <paramref name="capacity"/> tokens.</summary>
    KvCache NewCache(int batch, int capacity);

    /// <summary>Token ids [B, T] int64 → scores of the next token, [B, T, V], float32 or wider. Training goes through <see cref="Hidden"/> and a fused head instead.</summary>
    Tensor Logits(Tensor ids, in Step step)
    {
        var logits = Head.Forward(Hidden(ids, step));
        return logits.DType == DType.Float64 ? logits : logits.To(DType.Float32);
    }

    /// <summary>How many numbers the model has, packed ones included; tied weights count once.</summary>
    long ParameterCount => Parameters.Sum(parameter => parameter.Value.Elements) + Linears.Where(linear => linear.Weight is PackedWeight).Sum(linear => linear.Weight.In * linear.Weight.Out);
}

using Gradus.Engine;
using Gradus.Engine.Ops;
using Gradus.Engine.Tensors;

namespace Gradus.Models.Nn;

/// <summary>First seam of <see cref="Linear"/>: how the weight is held (dense, int8, nf4, sharded …).</summary>
public interface IWeight
{
    /// <summary>x Wᵀ + b: [.., in] → [.., out].</summary>
    Tensor Apply(Tensor x, Parameter? bias);

    long In { get; }
    long Out { get; }
}

/// <summary>Second seam of <see cref="Linear"/>: what is added to the product (LoRA, adapters, IA³ …).</summary>
public interface ILinearAdapter
{
    /// <summary>x [.., in] and the base's y [.., out] → the adapted y.</summary>
    Tensor Apply(Tensor x, Tensor y);
}

/// <summary>A weight held as it is.</summary>
public sealed class DenseWeight(Parameter parameter) : IWeight
{
    /// <summary>The parameter, [out, in].</summary>
    public Parameter Parameter { get; } = parameter ?? throw new ArgumentNullException(nameof(parameter));

    public long In => Parameter.Value.Size(1);
    public long Out => Parameter.Value.Size(0);

    public Tensor Apply(Tensor x, Parameter? bias) => F.Linear(x, Parameter.Value, bias?.Value, Parameter.Computed);
}

/// <summary>y = x Wᵀ + b, with seams for other kinds of weight and for adapters.</summary>
public sealed class Linear(string path, IWeight weight, Parameter? bias = null)
{
    public string Path { get; } = path;
    public IWeight Weight { get; set; } = weight;
    public Parameter? Bias { get; } = bias;
    public ILinearAdapter? Adapter { get; set; }

    /// <summary>A dense linear at the path of <paramref name="w"/>: <c>weight</c> [out, in] and, if asked for, <c>bias</c> [out].</summary>
    public static Linear Dense(Weights w, long fanIn, long fanOut, Init init, bool bias = false)
    {
        ArgumentNullException.ThrowIfNull(w);
        var weight = new DenseWeight(w.Parameter("weight", init, fanOut, fanIn));
        return new Linear(w.Path, weight, bias ? w.Parameter("bias", Init.Zeros, fanOut) : null);
    }

    /// <summary>A linear stored as GPT-2's Conv1D: <c>weight</c> [in, out] and <c>bias</c> [out].</summary>
    public static Linear Conv1D(Weights w, long fanIn, long fanOut, Init init)
    {
        ArgumentNullException.ThrowIfNull(w);
        var weight = new TransposedWeight(w.Parameter("weight", init, fanIn, fanOut));
        return new Linear(w.Path, weight, w.Parameter("bias", Init.Zeros, fanOut));
    }

    /// <summary>A head that reads the table of an embedding.</summary>
    public static Linear Tied(string path, Embedding embedding)
    {
        ArgumentNullException.ThrowIfNull(embedding);
        return new Linear(path, new DenseWeight(embedding.Weight));
    }

    public Tensor Forward(Tensor x)
    {
        try
        {
            var y = Weight.Apply(x, Bias);
            return Adapter is { } adapter ? adapter.Apply(x, y) : y;
        }
        catch (EngineException e) when (e.At(Path))
        {
            throw; // never reached: the filter only adds the path
        }
    }
}

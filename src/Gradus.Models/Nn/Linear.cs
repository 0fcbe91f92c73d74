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

    /// <summary>The type the product runs in.</summary>
    DType ComputeType { get; set; }

    /// <summary>The weight as a plain matrix [out, in], without history: the parameter itself, a view of it, or, for a packed one, made anew.</summary>
    Tensor Dense(DType type);
}

/// <summary>Second seam of <see cref="Linear"/>: what is added to the product (LoRA, adapters, IA³ …).</summary>
public interface ILinearAdapter
{
    /// <summary>x [.., in] and the base's y [.., out] → the adapted y. The buffer of y is fresh and the adapter's to write into.</summary>
    Tensor Apply(Tensor x, Tensor y);

    /// <summary>What the base gets to see of x; x itself unless the method changes inputs.</summary>
    Tensor Before(Tensor x) => x;
}

/// <summary>A weight held as it is.</summary>
public sealed class DenseWeight(Parameter parameter) : IWeight
{
    /// <summary>The parameter, [out, in].</summary>
    public Parameter Parameter { get; } = parameter ?? throw new ArgumentNullException(nameof(parameter));

    public long In => Parameter.Value.Size(1);
    public long Out => Parameter.Value.Size(0);

    public DType ComputeType { get => Parameter.ComputeType; set => Parameter.ComputeType = value; }

    public Tensor Apply(Tensor x, Parameter? bias) => F.Linear(x, Parameter.Value, bias?.Value, Parameter.Computed);

    public Tensor Dense(DType type) => Parameter.Value.Detach().To(type);
}

/// <summary>y = x Wᵀ + b, with seams for other kinds of weight and for adapters.</summary>
public sealed class Linear(string path, IWeight weight, Parameter? bias = null)
{
    public string Path { get; } = path;
    public IWeight Weight { get; set; } = weight;
    public Parameter? Bias { get; set; } = bias;
    public ILinearAdapter? Adapter { get; set; }

    /// <summary>A linear at the path of <paramref name="w"/>: <c>weight</c> [out, in] and, if asked for, <c>bias</c> [out].</summary>
    public static Linear Dense(Weights w, long fanIn, long fanOut, Init init, bool bias = false)
    {
        ArgumentNullException.ThrowIfNull(w);
        return w.Register(new Linear(w.Path, w.Weight(init, transposed: false, fanOut, fanIn), bias ? w.Parameter("bias", Init.Zeros, fanOut) : null));
    }

    /// <summary>A linear stored as GPT-2's Conv1D: <c>weight</c> [in, out] and <c>bias</c> [out].</summary>
    public static Linear Conv1D(Weights w, long fanIn, long fanOut, Init init)
    {
        ArgumentNullException.ThrowIfNull(w);
        return w.Register(new Linear(w.Path, w.Weight(init, transposed: true, fanIn, fanOut), w.Parameter("bias", Init.Zeros, fanOut)));
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
            if (Adapter is not { } adapter) return Weight.Apply(x, Bias);
            var input = adapter.Before(x);
            return adapter.Apply(input, Weight.Apply(input, Bias));
        }
        catch (EngineException e) when (e.At(Path))
        {
            throw; // never reached: the filter only adds the path
        }
    }
}

using Gradus.Engine.Tensors;
using Gradus.Models.Nn;

namespace Gradus.Models.Peft;

/// <summary>What a method adds to one linear.</summary>
public abstract class LinearAdapter : ILinearAdapter, IDisposable
{
    /// <summary>Dropout is on. Set before every forward pass by <see cref="AdaptedModel"/>.</summary>
    internal bool Training { get; set; }

    /// <summary>How strongly the adapter acts, 1 as trained; only methods that add say what another number means.</summary>
    internal double Strength { get; set; } = 1;

    /// <summary>Other adapters may act on the same linear.</summary>
    internal virtual bool Stacks => true;

    public abstract Tensor Apply(Tensor x, Tensor y);

    public virtual Tensor Before(Tensor x) => x;

    /// <summary>After the construction of a fresh adapter: what starts from the base's weights.</summary>
    internal virtual void Begin(Linear linear)
    {
    }

    /// <summary>Weight [out, in] and bias of the base with this adapter in them; null where the method cannot.</summary>
    internal virtual (Tensor Weight, Tensor? Bias)? Merge(Tensor weight, Tensor? bias) => null;

    public virtual void Dispose() => GC.SuppressFinalize(this);
}

/// <summary>Several adapters on one linear, each on what the one before it gave.</summary>
internal sealed class AdapterStack(IReadOnlyList<LinearAdapter> parts) : ILinearAdapter
{
    public Tensor Before(Tensor x)
    {
        foreach (var part in parts) x = part.Before(x);
        return x;
    }

    public Tensor Apply(Tensor x, Tensor y)
    {
        foreach (var part in parts) y = part.Apply(x, y);
        return y;
    }
}

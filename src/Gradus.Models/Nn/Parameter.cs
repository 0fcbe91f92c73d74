using Gradus.Engine.Tensors;

namespace Gradus.Models.Nn;

/// <summary>One named weight: a float32 master that the optimiser owns, and a copy in the precision the products run in.</summary>
public sealed class Parameter : IDisposable
{
    private Tensor? _copy;
    private long _copiedVersion = -1;
    private DType? _computeType;

    public Parameter(string name, Tensor value)
    {
        ArgumentNullException.ThrowIfNull(value);
        Name = name;
        Value = value.Keep();
        Value.RequiresGrad = true;
    }

    /// <summary>The Hugging Face name, for example <c>model.layers.0.self_attn.q_proj.weight</c>.</summary>
    public string Name { get; }

    /// <summary>The master value, a leaf of the graph. Gradients arrive here, in its type.</summary>
    public Tensor Value { get; }

    public bool Trainable
    {
        get => Value.RequiresGrad;
        set => Value.RequiresGrad = value;
    }

    /// <summary>A factor on what it acts on, as the gains of norms are: 1 changes nothing, so weight decay, which pulls to 0, leaves it alone.</summary>
    public bool IsGain { get; set; }

    /// <summary>The learning rate of this parameter as a multiple of the run's.</summary>
    public double RateScale { get; set; } = 1;

    /// <summary>Updates of the run that pass before this parameter moves for the first time.</summary>
    public long Since { get; set; }

    /// <summary>The type products with this weight run in; the master's own by default.</summary>
    public DType ComputeType
    {
        get => _computeType ?? Value.DType;
        set
        {
            _computeType = value;
            _copy?.Dispose();
            _copy = null;
        }
    }

    /// <summary>The value in <see cref="ComputeType"/>: the master itself, or a copy refreshed whenever the master has changed.</summary>
    public Tensor Computed
    {
        get
        {
            if (ComputeType == Value.DType) return Value;
            var version = Value.Version;
            if (_copy is not null && _copiedVersion == version) return _copy;
            Grad.Off(() =>
            {
                using var scope = Tensor.Scope();
                if (_copy is null) _copy = Value.Detach().To(ComputeType).Keep();
                else _copy.CopyFrom(Value);
            });
            _copiedVersion = version;
            return _copy!;
        }
    }

    /// <summary>For an optimiser that writes the copy in its own pass: the copy to write, or null; call <see cref="CopyIsFresh"/> after.</summary>
    public Tensor? Copy => ComputeType == Value.DType ? null : Computed;

    /// <summary>Says that <see cref="Copy"/> already holds the master's present value.</summary>
    public void CopyIsFresh() => _copiedVersion = Value.Version;

    public void Dispose()
    {
        _copy?.Dispose();
        Value.Dispose();
    }

    public override string ToString() => $"{Name} {Value.Describe()}";
}

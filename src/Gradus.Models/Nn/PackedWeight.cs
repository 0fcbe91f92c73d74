using Gradus.Engine.Ops;
using Gradus.Engine.Tensors;

namespace Gradus.Models.Nn;

/// <summary>How the linears of a model's blocks are held while they do not train.</summary>
[Gradus.Foundation.Recipes.Socket("weights")]
public abstract record WeightOptions
{
    /// <summary>Packs a weight; the caller frees the dense one.</summary>
    /// <param name="name">The dense weight's name: <c>model.layers.0.mlp.up_proj.weight</c>.</param>
    /// <param name="weight">[out, in], or [in, out] when <paramref name="transposed"/>.</param>
    /// <param name="transposed">Stored as GPT-2's Conv1D.</param>
    public abstract PackedWeight Hold(string name, Tensor weight, bool transposed);
}

/// <summary>A frozen weight in fewer bits: made dense again for each product, forward and backward, and never kept.</summary>
public abstract class PackedWeight : IWeight, IDisposable
{
    private readonly long[] _shape;
    private readonly bool _transposed;

    /// <param name="name">The dense weight's name.</param>
    /// <param name="weight">The dense weight: its shape and type are noted.</param>
    /// <param name="transposed">Stored [in, out].</param>
    protected PackedWeight(string name, Tensor weight, bool transposed)
    {
        ArgumentNullException.ThrowIfNull(weight);
        (Name, _shape, _transposed, ComputeType) = (name, weight.Shape, transposed, weight.DType);
        if (!weight.Device.IsCpu) throw new Gradus.Foundation.Files.UserException($"{name}: packed weights are held on the CPU; this run's device is {weight.Device}");
    }

    /// <summary>The name the dense weight has in model files.</summary>
    public string Name { get; }

    public long In => _shape[_transposed ? 0 : 1];
    public long Out => _shape[_transposed ? 1 : 0];

    public DType ComputeType { get; set; }

    /// <summary>True for a weight stored [in, out].</summary>
    public bool IsTransposed => _transposed;

    /// <summary>What is kept: codes and scales.</summary>
    public abstract IReadOnlyList<(string Name, Tensor Value)> Stored { get; }

    /// <summary>Bits a weight takes, scales included.</summary>
    public double BitsPerWeight => Stored.Sum(part => 8.0 * part.Value.Elements * part.Value.DType.ByteSize) / (In * Out);

    public Tensor Apply(Tensor x, Parameter? bias) => F.LinearUnpacked(x, type => Unpack(type, _shape), Out, bias?.Value, ComputeType, _transposed);

    public Tensor Dense(DType type) => Grad.Off(() => _transposed ? Unpack(type, _shape).T() : Unpack(type, _shape));

    public void Dispose()
    {
        foreach (var (_, value) in Stored) value.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>The dense weight as it was stored, contiguous.</summary>
    protected abstract Tensor Unpack(DType type, long[] shape);

    /// <summary>The weight as the packing kernels read it.</summary>
    protected static Tensor Plain(Tensor weight) => (weight ?? throw new ArgumentNullException(nameof(weight))).Detach().To(DType.Float32).Contiguous();
}

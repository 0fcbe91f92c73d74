using Gradus.Engine.Tensors;
using Gradus.Foundation.Recipes;

namespace Gradus.Models.Nn;

/// <summary>16 bits a weight, as most published models are stored: nothing is lost of those, and products in bfloat16 read it as it is.</summary>
[Component("bf16")]
public sealed record Bf16Options : WeightOptions
{
    public override PackedWeight Hold(string name, Tensor weight, bool transposed) => new Bf16Weight(name, weight, transposed);
}

internal sealed class Bf16Weight : PackedWeight
{
    private readonly Tensor _values;

    public Bf16Weight(string name, Tensor weight, bool transposed) : base(name, weight, transposed) => _values = Plain(weight).To(DType.BFloat16).Keep();

    public override IReadOnlyList<(string Name, Tensor Value)> Stored => [(Name, _values)];

    protected override Tensor Unpack(DType type, long[] shape) => type == DType.BFloat16 ? _values : _values.To(type);
}

using Gradus.Engine.Ops;
using Gradus.Engine.Tensors;
using Gradus.Foundation.Recipes;

namespace Gradus.Models.Nn;

/// <summary>8 bits a weight, rounded to nearest with a scale an output (largest magnitude / 127): no weight moves by more than half a step.</summary>
[Component("int8")]
public sealed record Int8Options : WeightOptions
{
    public override PackedWeight Hold(string name, Tensor weight, bool transposed) => new Int8Weight(name, weight, transposed);
}

internal sealed class Int8Weight : PackedWeight
{
    private readonly Tensor _codes, _scales;

    public Int8Weight(string name, Tensor weight, bool transposed) : base(name, weight, transposed)
    {
        (_codes, _scales) = F.PackInt8(Plain(weight), byColumn: transposed);
        _codes.Keep();
        _scales.Keep();
    }

    public override IReadOnlyList<(string Name, Tensor Value)> Stored => [(Name + ":codes", _codes), (Name + ":scales", _scales)];

    protected override Tensor Unpack(DType type, long[] shape) => F.UnpackInt8(_codes, _scales, IsTransposed, type);
}

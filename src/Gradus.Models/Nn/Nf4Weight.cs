using Gradus.Engine.Ops;
using Gradus.Engine.Tensors;
using Gradus.Foundation.Recipes;

namespace Gradus.Models.Nn;

/// <summary>
/// 4-bit NormalFloat (QLoRA: Dettmers et al., 2023): blocks of 64 weights share a scale. With double quantisation the scales are 8-bit
/// themselves, in groups of 256 round their mean: 4 + 8/64 + 32/(64 · 256) = 4.127 bits a weight.
/// </summary>
[Component("nf4")]
public sealed record Nf4Options : WeightOptions
{
    /// <summary>Scales in 8 bits. Off, they are float32: 4.5 bits a weight.</summary>
    public bool DoubleQuant { get; init; } = true;

    public override PackedWeight Hold(string name, Tensor weight, bool transposed) => new Nf4Weight(name, weight, transposed, DoubleQuant);
}

internal sealed class Nf4Weight : PackedWeight
{
    private const int Group = 256; // scales that share a scale of their own

    private readonly Tensor _codes;
    private readonly Tensor? _plainScales;
    private readonly Tensor? _scaleCodes, _scaleScales, _mean;

    public Nf4Weight(string name, Tensor weight, bool transposed, bool doubleQuant) : base(name, weight, transposed)
    {
        using var scope = Tensor.Scope();
        var plain = Plain(weight);
        var scales = F.Nf4Scales(plain);
        if (doubleQuant)
        {
            (_scaleCodes, _scaleScales, _mean) = PackScales(scales);
            foreach (var part in new[] { _scaleCodes, _scaleScales, _mean }) part.Keep();
            scales = Scales(); // codes are chosen under the scales they will be read with
        }
        else
        {
            _plainScales = scales.Keep();
        }
        _codes = F.PackNf4(plain, scales).Keep();
    }

    public override IReadOnlyList<(string Name, Tensor Value)> Stored => _plainScales is { } plain
        ? [(Name + ":codes", _codes), (Name + ":scales", plain)]
        : [(Name + ":codes", _codes), (Name + ":scales", _scaleCodes!), (Name + ":scales_of_scales", _scaleScales!), (Name + ":mean_scale", _mean!)];

    protected override Tensor Unpack(DType type, long[] shape)
    {
        using var scope = Tensor.Scope();
        return scope.Return(F.UnpackNf4(_codes, Scales(), type, shape));
    }

    // The scales are all positive, so an 8-bit code of the distance to their mean is twice as fine as one of the scale (section 3).
    private static (Tensor Codes, Tensor Scales, Tensor Mean) PackScales(Tensor scales)
    {
        var values = scales.Span<float>();
        var sum = 0.0;
        foreach (var value in values) sum += value;
        var mean = values.Length == 0 ? 0 : (float)(sum / values.Length);
        var (codes, steps) = (new sbyte[values.Length], new float[(values.Length + Group - 1) / Group]);
        for (var group = 0; group < steps.Length; group++)
        {
            var part = values[(group * Group)..Math.Min(values.Length, (group + 1) * Group)];
            var most = 0f;
            foreach (var value in part) most = Math.Max(most, Math.Abs(value - mean));
            steps[group] = most / 127;
            for (var i = 0; i < part.Length; i++) codes[group * Group + i] = most > 0 ? (sbyte)Math.Clamp(MathF.Round((part[i] - mean) / steps[group]), -127, 127) : (sbyte)0;
        }
        return (Tensor.From(codes, codes.Length), Tensor.From(steps, steps.Length), Tensor.From([mean], 1));
    }

    private Tensor Scales()
    {
        if (_plainScales is { } plain) return plain;
        var scales = Tensor.Empty(DType.Float32, Device.Cpu, _scaleCodes!.Elements);
        var to = scales.Span<float>();
        var codes = _scaleCodes.Span<sbyte>();
        var steps = _scaleScales!.Span<float>();
        var mean = _mean!.Span<float>()[0];
        for (var i = 0; i < to.Length; i++) to[i] = Math.Max(0, mean + codes[i] * steps[i / Group]);
        return scales;
    }
}

using Gradus.Engine.Ops;
using Gradus.Engine.Tensors;

namespace Gradus.Models.Nn;

/// <summary>
/// Rotary positions (Su et al., 2021): cosines and sines of position times frequency, computed in double, kept for the positions
/// used so far. The first and the second half of a head's width turn by the same angles.
/// </summary>
public sealed class Rope : IDisposable
{
    private readonly double[] _frequencies;
    private (Tensor Cos, Tensor Sin)? _table;

    /// <param name="frequencies">W / 2 angles per position; see <see cref="Frequencies"/>.</param>
    public Rope(double[] frequencies)
    {
        ArgumentNullException.ThrowIfNull(frequencies);
        _frequencies = frequencies;
    }

    /// <summary>theta^(-2i / width) for i in 0 … width / 2 - 1.</summary>
    public static double[] Frequencies(int width, double theta) =>
        [.. Enumerable.Range(0, width / 2).Select(i => Math.Pow(theta, -2.0 * i / width))];

    /// <summary>
    /// Llama 3.1's stretching of the context: a frequency whose wave fits <paramref name="highFrequencyFactor"/> times or more into the
    /// original context is kept, one that fits <paramref name="lowFrequencyFactor"/> times or less is divided by <paramref name="factor"/>,
    /// and between the two it is blended.
    /// </summary>
    public static double[] Llama3(double[] frequencies, double factor, double lowFrequencyFactor, double highFrequencyFactor, int originalPositions)
    {
        ArgumentNullException.ThrowIfNull(frequencies);
        return [.. frequencies.Select(frequency =>
        {
            var turns = originalPositions * frequency / (2 * Math.PI);
            var kept = Math.Clamp((turns - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor), 0, 1);
            return (1 - kept) * frequency / factor + kept * frequency;
        })];
    }

    /// <summary>
    /// Cosines and sines for <see cref="F.Rope"/>: [T, W] for positions <paramref name="from"/> … from + length - 1, or [B, T, W] for
    /// <paramref name="positions"/> [B, T]. They belong to the caller's scope.
    /// </summary>
    public (Tensor Cos, Tensor Sin) At(Tensor? positions, long from, long length, DType type, Device device)
    {
        if (positions is not null) return Angles(positions, type, device);
        if (_table is { } table && (table.Cos.Size(0) < from + length || table.Cos.DType != type || table.Cos.Device != device)) Dispose();
        if (_table is null)
        {
            using var scope = Tensor.Scope();
            var (cos, sin) = Angles(Tensor.Arange((long)System.Numerics.BitOperations.RoundUpToPowerOf2((ulong)(from + length))), type, device);
            _table = (cos.Keep(), sin.Keep());
        }
        return (_table.Value.Cos.Narrow(0, from, length), _table.Value.Sin.Narrow(0, from, length));
    }

    public void Dispose()
    {
        _table?.Cos.Dispose();
        _table?.Sin.Dispose();
        _table = null;
    }

    private (Tensor Cos, Tensor Sin) Angles(Tensor positions, DType type, Device device)
    {
        var half = positions.To(Device.Cpu).To(DType.Float64).Unsqueeze(-1) * Tensor.From(_frequencies, _frequencies.Length);
        var whole = Tensor.Cat([half, half], -1);
        return (whole.Cos().To(type).To(device), whole.Sin().To(type).To(device));
    }
}

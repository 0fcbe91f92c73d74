using System.Numerics;
using System.Runtime.InteropServices;
using Gradus.Engine.Tensors;
using Gradus.Foundation.Files;

namespace Gradus.Engine.Files;

/// <summary>How many elements of a tensor are not ordinary numbers.</summary>
/// <param name="Count">All elements.</param>
/// <param name="NaNs">Not a number.</param>
/// <param name="Infinities">Of either sign.</param>
/// <param name="Subnormals">Not zero, but smaller than the smallest normal number: slow on many processors, and often a sign of damage.</param>
public readonly record struct TensorCensus(long Count, long NaNs, long Infinities, long Subnormals)
{
    /// <summary>True when no element is NaN or infinite.</summary>
    public bool IsFinite => NaNs == 0 && Infinities == 0;

    /// <summary>Counts of two parts.</summary>
    public static TensorCensus operator +(TensorCensus a, TensorCensus b) =>
        new(a.Count + b.Count, a.NaNs + b.NaNs, a.Infinities + b.Infinities, a.Subnormals + b.Subnormals);

    /// <summary>Counts in little-endian elements of a floating-point type.</summary>
    public static TensorCensus Of(DType type, ReadOnlySpan<byte> data) => type switch
    {
        DType.Float16 => Of(MemoryMarshal.Cast<byte, ushort>(data), (ushort)0x7C00, (ushort)0x7FFF),
        DType.BFloat16 => Of(MemoryMarshal.Cast<byte, ushort>(data), (ushort)0x7F80, (ushort)0x7FFF),
        DType.Float32 => Of(MemoryMarshal.Cast<byte, uint>(data), 0x7F80_0000u, 0x7FFF_FFFFu),
        DType.Float64 => Of(MemoryMarshal.Cast<byte, ulong>(data), 0x7FF0_0000_0000_0000ul, 0x7FFF_FFFF_FFFF_FFFFul),
        _ => throw new ArgumentException($"{type} is not a floating-point type", nameof(type)),
    };

    /// <summary>Refuses a tensor that holds a NaN or an infinity.</summary>
    /// <exception cref="UserException">It does.</exception>
    public void RefuseNonFinite(TensorEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        if (!IsFinite)
            throw new UserException($"{entry.File}: tensor {Quote.Name(entry.Name)}: {NaNs} NaN and {Infinities} infinite of {Count} values");
    }

    // By bit pattern: exponent all ones is infinite (fraction zero) or NaN; exponent zero with a fraction is subnormal.
    private static TensorCensus Of<T>(ReadOnlySpan<T> bits, T exponent, T magnitude)
        where T : unmanaged, IBinaryInteger<T>
    {
        long nans = 0, infinities = 0, subnormals = 0;
        foreach (var value in bits)
        {
            var absolute = value & magnitude;
            if (absolute > exponent)
                nans++;
            else if (absolute == exponent)
                infinities++;
            else if ((absolute & exponent) == T.Zero && absolute != T.Zero)
                subnormals++;
        }

        return new TensorCensus(bits.Length, nans, infinities, subnormals);
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Gradus.Foundation.Kernels;

/// <summary>Conversion between float32 and bfloat16 (as its 16 bits): nearest, ties to even; denormals kept; a NaN stays a NaN.</summary>
public static unsafe class Bf16
{
    /// <summary>True where the processor multiplies matrices of bfloat16 by instructions of its own (AVX512-BF16, AMX): elsewhere float32 is faster.</summary>
    public static bool HasProducts { get; } = X86Base.IsSupported && X86Base.CpuId(0, 0).Eax >= 7
        && ((X86Base.CpuId(7, 0).Edx >> 22 & 1) != 0 || (X86Base.CpuId(7, 1).Eax >> 5 & 1) != 0) && Avx512BW.IsSupported;

    /// <summary>Rounds <paramref name="from"/> into <paramref name="to"/> of the same length.</summary>
    public static void Narrow(ReadOnlySpan<float> from, Span<ushort> to)
    {
        if (from.Length != to.Length) throw new ArgumentException($"{from.Length} values do not fit {to.Length} places", nameof(to));
        fixed (float* source = from)
        fixed (ushort* target = to)
            Convert<AsFloat32, AsBf16>((byte*)source, (byte*)target, from.Length);
    }

    /// <summary>Widens <paramref name="from"/> into <paramref name="to"/> of the same length, exactly.</summary>
    public static void Widen(ReadOnlySpan<ushort> from, Span<float> to)
    {
        if (from.Length != to.Length) throw new ArgumentException($"{from.Length} values do not fit {to.Length} places", nameof(to));
        fixed (ushort* source = from)
        fixed (float* target = to)
            Convert<AsBf16, AsFloat32>((byte*)source, (byte*)target, from.Length);
    }

    internal static void Convert<TFrom, TTo>(byte* from, byte* to, long count) where TFrom : struct, IElement where TTo : struct, IElement
    {
        var done = Vector512.IsHardwareAccelerated ? Run<Lanes16, TFrom, TTo>(from, to, 0, count)
            : Vector256.IsHardwareAccelerated ? Run<Lanes8, TFrom, TTo>(from, to, 0, count)
            : Vector128.IsHardwareAccelerated ? Run<Lanes4, TFrom, TTo>(from, to, 0, count) : 0;
        Run<Lane, TFrom, TTo>(from, to, done, count);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static long Run<T, TFrom, TTo>(byte* from, byte* to, long start, long count)
        where T : unmanaged, ILanes<T> where TFrom : struct, IElement where TTo : struct, IElement
    {
        var i = start;
        for (; i <= count - T.Count; i += T.Count) TTo.Store(to + i * TTo.Bytes, TFrom.Load<T>(from + i * TFrom.Bytes));
        return i;
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Gradus.Foundation.Kernels;

/// <summary>
/// 8-bit weights, rounded to nearest by a scale a channel (largest magnitude / 127), the channel being a row or a column of the matrix as it is
/// stored. Elementwise: the same bits at every width of vectors and however rows are split.
/// </summary>
public static unsafe class Int8Kernel
{
    /// <summary>The scale of each channel.</summary>
    internal static void Scales(float* values, float* scales, long rows, long columns, bool byColumn)
    {
        for (long i = 0; i < (byColumn ? columns : rows); i++) scales[i] = 0;
        for (long r = 0; r < rows; r++)
            for (long c = 0; c < columns; c++)
            {
                ref var most = ref scales[byColumn ? c : r];
                most = MathF.Max(most, MathF.Abs(values[r * columns + c]));
            }
        for (long i = 0; i < (byColumn ? columns : rows); i++) scales[i] /= 127;
    }

    /// <summary>Codes of rows <paramref name="first"/> … <paramref name="end"/> - 1.</summary>
    internal static void Encode(float* values, float* scales, sbyte* codes, long columns, bool byColumn, long first, long end)
    {
        for (var r = first; r < end; r++)
            for (long c = 0; c < columns; c++)
            {
                var scale = scales[byColumn ? c : r];
                codes[r * columns + c] = scale > 0 ? (sbyte)Math.Clamp(MathF.Round(values[r * columns + c] / scale), -127, 127) : (sbyte)0;
            }
    }

    /// <summary>Values of rows <paramref name="first"/> … <paramref name="end"/> - 1, as float32 or bfloat16.</summary>
    internal static void Decode<TTo>(sbyte* codes, float* scales, byte* to, long columns, bool byColumn, long first, long end) where TTo : struct, IElement =>
        Decode<TTo>(codes, scales, to, columns, byColumn, first, end, Avx512F.IsSupported ? 512 : Avx2.IsSupported ? 256 : 0);

    /// <summary>The same with vectors of the tests' choice; 0: one element at a time, the oracle.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Decode<TTo>(sbyte* codes, float* scales, byte* to, long columns, bool byColumn, long first, long end, int bits) where TTo : struct, IElement
    {
        const int piece = 256;
        var part = stackalloc float[piece];
        for (var r = first; r < end; r++)
            for (long from = 0; from < columns; from += piece)
            {
                var n = Math.Min(piece, columns - from);
                var source = codes + r * columns + from;
                var target = to + (r * columns + from) * TTo.Bytes;
                var values = TTo.Bytes == 4 ? (float*)target : part;
                long i = 0;
                if (bits == 512)
                    for (; i <= n - 16; i += 16)
                        (Avx512F.ConvertToVector512Single(Avx512F.ConvertToVector512Int32(Vector128.Load(source + i))) * (byColumn ? Vector512.Load(scales + from + i) : Vector512.Create(scales[r]))).Store(values + i);
                else if (bits == 256)
                    for (; i <= n - 8; i += 8)
                        (Avx.ConvertToVector256Single(Avx2.ConvertToVector256Int32(source + i)) * (byColumn ? Vector256.Load(scales + from + i) : Vector256.Create(scales[r]))).Store(values + i);
                for (; i < n; i++) values[i] = source[i] * scales[byColumn ? from + i : r];
                if (values == part) Bf16.Convert<AsFloat32, TTo>((byte*)part, target, n);
            }
    }
}

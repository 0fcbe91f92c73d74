using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Gradus.Foundation.Kernels;

/// <summary>
/// 4-bit NormalFloat (Dettmers et al., 2023, appendix E): sixteen levels at quantiles of a normal distribution, scaled by the largest magnitude
/// of each block of 64. In memory, byte i of a block holds element i in its low and element i + 32 in its high half, so that a load of
/// bytes gives neighbours. Elementwise: the same bits at every width of vectors and however blocks are split.
/// </summary>
public static unsafe class Nf4Kernel
{
    /// <summary>Elements that share a scale.</summary>
    public const int Block = 64;

    // Ascending; code 7 is exactly zero, so zeros stay zeros whatever the scale.
    private static readonly float[] s_levels =
    [
        -1, -0.6961928009986877f, -0.5250730514526367f, -0.39491748809814453f, -0.28444138169288635f, -0.18477343022823334f, -0.09105003625154495f, 0,
        0.07958029955625534f, 0.16093020141124725f, 0.24611230194568634f, 0.33791524171829224f, 0.44070982933044434f, 0.5626170039176941f, 0.7229568362236023f, 1,
    ];

    private static readonly float[] s_borders = [.. Enumerable.Range(0, 15).Select(i => (float)(((double)s_levels[i] + s_levels[i + 1]) / 2))];

    /// <summary>The sixteen levels, ascending.</summary>
    public static ReadOnlySpan<float> Levels => s_levels;

    /// <summary>The largest magnitude of each block <paramref name="first"/> … <paramref name="end"/> - 1.</summary>
    internal static void Scales(float* values, long count, float* scales, long first, long end)
    {
        for (var block = first; block < end; block++)
        {
            var most = 0f;
            for (long i = block * Block, to = Math.Min(count, (block + 1) * Block); i < to; i++) most = MathF.Max(most, MathF.Abs(values[i]));
            scales[block] = most;
        }
    }

    /// <summary>Codes of blocks <paramref name="first"/> … <paramref name="end"/> - 1: the nearest level of value / scale; beyond the last element, zeros.</summary>
    internal static void Encode(float* values, long count, float* scales, byte* codes, long first, long end)
    {
        for (var block = first; block < end; block++)
        {
            var inverse = scales[block] > 0 ? 1 / scales[block] : 0;
            for (var i = 0; i < Block / 2; i++)
                codes[block * (Block / 2) + i] = (byte)(Code(block * Block + i) | Code(block * Block + i + Block / 2) << 4);

            int Code(long at)
            {
                if (at >= count) return 7;
                var (value, code) = (values[at] * inverse, 0);
                foreach (var border in s_borders) code += value > border ? 1 : 0;
                return code;
            }
        }
    }

    /// <summary>Values of blocks <paramref name="first"/> … <paramref name="end"/> - 1, as float32 or bfloat16.</summary>
    internal static void Decode<TTo>(byte* codes, float* scales, byte* to, long count, long first, long end) where TTo : struct, IElement =>
        Decode<TTo>(codes, scales, to, count, first, end, Avx512F.IsSupported ? 512 : Avx2.IsSupported ? 256 : 0);

    /// <summary>The same with vectors of the tests' choice; 0: one element at a time, the oracle.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Decode<TTo>(byte* codes, float* scales, byte* to, long count, long first, long end, int bits) where TTo : struct, IElement
    {
        var part = stackalloc float[Block];
        fixed (float* levels = s_levels)
            for (var block = first; block < end; block++)
            {
                var from = codes + block * (Block / 2);
                var n = Math.Min(Block, count - block * Block);
                var target = to + block * Block * TTo.Bytes;
                var values = n == Block && TTo.Bytes == 4 ? (float*)target : part;
                if (bits == 512) Wide512(from, levels, scales[block], values);
                else if (bits == 256) Wide256(from, levels, scales[block], values);
                else One(from, levels, scales[block], values);
                if (values == part) Bf16.Convert<AsFloat32, TTo>((byte*)part, target, n);
            }
    }

    private static void One(byte* codes, float* levels, float scale, float* to)
    {
        for (var i = 0; i < Block / 2; i++)
        {
            to[i] = levels[codes[i] & 15] * scale;
            to[i + Block / 2] = levels[codes[i] >> 4] * scale;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Wide512(byte* codes, float* levels, float scale, float* to)
    {
        var (table, factor) = (Vector512.Load(levels), Vector512.Create(scale));
        for (var i = 0; i < Block / 2; i += 16)
        {
            var pair = Avx512F.ConvertToVector512Int32(Vector128.Load(codes + i));
            (Avx512F.PermuteVar16x32(table, pair & Vector512.Create(15)) * factor).Store(to + i);
            (Avx512F.PermuteVar16x32(table, pair >>> 4) * factor).Store(to + i + Block / 2);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Wide256(byte* codes, float* levels, float scale, float* to)
    {
        var (low, high, factor) = (Vector256.Load(levels), Vector256.Load(levels + 8), Vector256.Create(scale));
        for (var i = 0; i < Block / 2; i += 8)
        {
            var pair = Avx2.ConvertToVector256Int32(codes + i);
            (Look(low, high, pair & Vector256.Create(15)) * factor).Store(to + i);
            (Look(low, high, pair >>> 4) * factor).Store(to + i + Block / 2);
        }
    }

    // Sixteen entries in two registers: both are looked up by the lower three bits, the fourth chooses.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Look(Vector256<float> low, Vector256<float> high, Vector256<int> index) =>
        Avx.BlendVariable(Avx2.PermuteVar8x32(low, index), Avx2.PermuteVar8x32(high, index), (index << 28).AsSingle());
}

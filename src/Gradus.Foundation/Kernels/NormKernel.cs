using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Gradus.Foundation.Kernels;

/// <summary>
/// Layer norm (centred) and root-mean-square norm of rows, with float32 statistics; forward, backward by the input, and backward by gain and
/// bias. Sums within a row run in an order that depends on the vector width only; sums over rows in the order of the rows.
/// </summary>
internal static unsafe class NormKernel
{
    /// <summary>What a pass reads and writes: x [rows, width] of some type, everything else float32; statistics are (mean, 1 / deviation) a row.</summary>
    public readonly struct Rows(byte* x, float* gain, float* bias, float* y, float* statistics, long width, float epsilon, bool centred)
    {
        public readonly byte* X = x;
        public readonly float* Gain = gain, Bias = bias, Y = y, Statistics = statistics;
        public readonly long Width = width;
        public readonly float Epsilon = epsilon;
        public readonly bool Centred = centred;
    }

    public static void Forward<TElement>(in Rows r, long from, long to) where TElement : struct, IElement
    {
        if (Vector512.IsHardwareAccelerated) Forward<Lanes16, TElement>(r, from, to);
        else if (Vector256.IsHardwareAccelerated) Forward<Lanes8, TElement>(r, from, to);
        else if (Vector128.IsHardwareAccelerated) Forward<Lanes4, TElement>(r, from, to);
        else Forward<Lane, TElement>(r, from, to);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Forward<T, TElement>(in Rows r, long from, long to) where T : unmanaged, ILanes<T> where TElement : struct, IElement
    {
        var (width, bytes) = (r.Width, TElement.Bytes);
        for (var row = from; row < to; row++)
        {
            byte* x = r.X + row * width * bytes;
            var y = r.Y + row * width;
            float mean = 0, rest = 0;
            long i;
            if (r.Centred)
            {
                var sum = T.Of(0);
                for (i = 0; i <= width - T.Count; i += T.Count) sum += TElement.Load<T>(x + i * bytes);
                for (; i < width; i++) rest += Lane.Sum(TElement.Load<Lane>(x + i * bytes));
                mean = (T.Sum(sum) + rest) / width;
            }
            var (squares, shift) = (T.Of(0), T.Of(mean));
            rest = 0;
            for (i = 0; i <= width - T.Count; i += T.Count)
            {
                var d = TElement.Load<T>(x + i * bytes) - shift;
                squares = T.Fma(d, d, squares);
            }
            for (; i < width; i++)
            {
                var d = Lane.Sum(TElement.Load<Lane>(x + i * bytes)) - mean;
                rest += d * d;
            }
            var inverse = 1 / MathF.Sqrt((T.Sum(squares) + rest) / width + r.Epsilon);
            (r.Statistics[2 * row], r.Statistics[2 * row + 1]) = (mean, inverse);
            Apply<Lane, TElement>(r, x, y, mean, inverse, Apply<T, TElement>(r, x, y, mean, inverse, 0));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static long Apply<T, TElement>(in Rows r, byte* x, float* y, float mean, float inverse, long i) where T : unmanaged, ILanes<T> where TElement : struct, IElement
    {
        var (shift, factor) = (T.Of(mean), T.Of(inverse));
        for (; i <= r.Width - T.Count; i += T.Count)
        {
            var n = (TElement.Load<T>(x + i * TElement.Bytes) - shift) * factor;
            T.Store(y + i, r.Bias == null ? n * T.Load(r.Gain + i) : T.Fma(n, T.Load(r.Gain + i), T.Load(r.Bias + i)));
        }
        return i;
    }

    /// <summary>The gradient by the input; <see cref="Rows.Y"/> holds the gradient of the output.</summary>
    public static void Backward<TElement>(in Rows r, byte* dx, long from, long to) where TElement : struct, IElement
    {
        if (Vector512.IsHardwareAccelerated) Backward<Lanes16, TElement>(r, dx, from, to);
        else if (Vector256.IsHardwareAccelerated) Backward<Lanes8, TElement>(r, dx, from, to);
        else if (Vector128.IsHardwareAccelerated) Backward<Lanes4, TElement>(r, dx, from, to);
        else Backward<Lane, TElement>(r, dx, from, to);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Backward<T, TElement>(in Rows r, byte* dx, long from, long to) where T : unmanaged, ILanes<T> where TElement : struct, IElement
    {
        var (width, bytes) = (r.Width, TElement.Bytes);
        for (var row = from; row < to; row++)
        {
            byte* x = r.X + row * width * bytes;
            var dy = r.Y + row * width;
            var (mean, inverse) = (r.Statistics[2 * row], r.Statistics[2 * row + 1]);
            var (plain, along, shift, factor) = (T.Of(0), T.Of(0), T.Of(mean), T.Of(inverse));
            float plainRest = 0, alongRest = 0;
            long i = 0;
            for (; i <= width - T.Count; i += T.Count)
            {
                var g = T.Load(dy + i) * T.Load(r.Gain + i);
                plain += g;
                along = T.Fma(g, (TElement.Load<T>(x + i * bytes) - shift) * factor, along);
            }
            for (; i < width; i++)
            {
                var g = dy[i] * r.Gain[i];
                plainRest += g;
                alongRest += g * ((Lane.Sum(TElement.Load<Lane>(x + i * bytes)) - mean) * inverse);
            }
            var meanPlain = r.Centred ? (T.Sum(plain) + plainRest) / width : 0;
            var meanAlong = (T.Sum(along) + alongRest) / width;
            var line = dx + row * width * bytes;
            i = Inputs<T, TElement>(r, x, dy, line, mean, inverse, meanPlain, meanAlong, 0);
            Inputs<Lane, TElement>(r, x, dy, line, mean, inverse, meanPlain, meanAlong, i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static long Inputs<T, TElement>(in Rows r, byte* x, float* dy, byte* dx, float mean, float inverse, float plain, float along, long i)
        where T : unmanaged, ILanes<T> where TElement : struct, IElement
    {
        var (shift, factor, p, a) = (T.Of(mean), T.Of(inverse), T.Of(plain), T.Of(-along));
        for (; i <= r.Width - T.Count; i += T.Count)
        {
            var n = (TElement.Load<T>(x + i * TElement.Bytes) - shift) * factor;
            TElement.Store(dx + i * TElement.Bytes, T.Fma(n, a, T.Fma(T.Load(dy + i), T.Load(r.Gain + i), T.Of(0) - p)) * factor);
        }
        return i;
    }

    /// <summary>Gradients by gain and (unless null) bias for columns [from, to), which start at zero here.</summary>
    public static void Parameters<TElement>(in Rows r, long rows, float* dGain, float* dBias, long from, long to) where TElement : struct, IElement
    {
        if (Vector512.IsHardwareAccelerated) Parameters<Lanes16, TElement>(r, rows, dGain, dBias, from, to);
        else if (Vector256.IsHardwareAccelerated) Parameters<Lanes8, TElement>(r, rows, dGain, dBias, from, to);
        else if (Vector128.IsHardwareAccelerated) Parameters<Lanes4, TElement>(r, rows, dGain, dBias, from, to);
        else Parameters<Lane, TElement>(r, rows, dGain, dBias, from, to);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Parameters<T, TElement>(in Rows r, long rows, float* dGain, float* dBias, long from, long to) where T : unmanaged, ILanes<T> where TElement : struct, IElement
    {
        new Span<float>(dGain + from, (int)(to - from)).Clear();
        if (dBias != null) new Span<float>(dBias + from, (int)(to - from)).Clear();
        for (long row = 0; row < rows; row++)
        {
            byte* x = r.X + row * r.Width * TElement.Bytes;
            var dy = r.Y + row * r.Width;
            var (mean, inverse) = (r.Statistics[2 * row], r.Statistics[2 * row + 1]);
            Gather<Lane, TElement>(x, dy, mean, inverse, dGain, dBias, Gather<T, TElement>(x, dy, mean, inverse, dGain, dBias, from, to), to);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static long Gather<T, TElement>(byte* x, float* dy, float mean, float inverse, float* dGain, float* dBias, long i, long to)
        where T : unmanaged, ILanes<T> where TElement : struct, IElement
    {
        var (shift, factor) = (T.Of(mean), T.Of(inverse));
        for (; i <= to - T.Count; i += T.Count)
        {
            var d = T.Load(dy + i);
            T.Store(dGain + i, T.Fma(d, (TElement.Load<T>(x + i * TElement.Bytes) - shift) * factor, T.Load(dGain + i)));
            if (dBias != null) T.Store(dBias + i, T.Load(dBias + i) + d);
        }
        return i;
    }
}

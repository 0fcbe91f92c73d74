using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Gradus.Foundation.Kernels;

/// <summary>Activations and their derivatives in one pass. Elementwise: the same bits at every width and for every split.</summary>
internal static unsafe class ActivationKernel
{
    // gelu(x) ≈ x · sigmoid(2 u), u = √(2/π) (x + 0.044715 x³): the tanh formula without its cancellation.
    private const float Twice = 1.5957691216f, Cubic = 0.044715f;

    /// <summary>y = gelu(x), or with <paramref name="dy"/> y = dy · gelu'(x), over [from, to).</summary>
    public static void Gelu<TElement>(byte* x, byte* dy, byte* y, long from, long to) where TElement : struct, IElement
    {
        var done = Vector512.IsHardwareAccelerated ? Gelu<Lanes16, TElement>(x, dy, y, from, to)
            : Vector256.IsHardwareAccelerated ? Gelu<Lanes8, TElement>(x, dy, y, from, to)
            : Vector128.IsHardwareAccelerated ? Gelu<Lanes4, TElement>(x, dy, y, from, to) : from;
        Gelu<Lane, TElement>(x, dy, y, done, to);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static long Gelu<T, TElement>(byte* x, byte* dy, byte* y, long i, long to) where T : unmanaged, ILanes<T> where TElement : struct, IElement
    {
        var bytes = TElement.Bytes;
        for (; i <= to - T.Count; i += T.Count)
        {
            var v = TElement.Load<T>(x + i * bytes);
            if (dy == null)
            {
                TElement.Store(y + i * bytes, v * Functions.Sigmoid(T.Of(Twice) * v * T.Fma(v * v, T.Of(Cubic), T.Of(1))));
                continue;
            }
            // Past 9 the slope is 0 or 1 to the last bit, and nothing below overflows up to there.
            v = T.Max(T.Of(-9), T.Min(T.Of(9), v));
            var square = v * v;
            var e = Functions.Exp(T.Of(-Twice) * v * T.Fma(square, T.Of(Cubic), T.Of(1)));
            var s = T.Of(1) / (T.Of(1) + e);
            // d/dx (x s(2u)) = s + x s (1 - s) (2u)', where 1 - s = e s does not cancel.
            var slope = s * (e * s) * (v * T.Of(Twice) * T.Fma(square, T.Of(3 * Cubic), T.Of(1)));
            TElement.Store(y + i * bytes, TElement.Load<T>(dy + i * bytes) * (s + slope));
        }
        return i;
    }

    /// <summary>y = silu(gate) · up over [from, to).</summary>
    public static void SwiGlu<TElement>(byte* gate, byte* up, byte* y, long from, long to) where TElement : struct, IElement
    {
        var done = Vector512.IsHardwareAccelerated ? SwiGlu<Lanes16, TElement>(gate, up, y, from, to)
            : Vector256.IsHardwareAccelerated ? SwiGlu<Lanes8, TElement>(gate, up, y, from, to)
            : Vector128.IsHardwareAccelerated ? SwiGlu<Lanes4, TElement>(gate, up, y, from, to) : from;
        SwiGlu<Lane, TElement>(gate, up, y, done, to);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static long SwiGlu<T, TElement>(byte* gate, byte* up, byte* y, long i, long to) where T : unmanaged, ILanes<T> where TElement : struct, IElement
    {
        var bytes = TElement.Bytes;
        for (; i <= to - T.Count; i += T.Count)
        {
            var g = TElement.Load<T>(gate + i * bytes);
            TElement.Store(y + i * bytes, g * Functions.Sigmoid(g) * TElement.Load<T>(up + i * bytes));
        }
        return i;
    }

    /// <summary>The derivatives of <see cref="SwiGlu{TElement}"/> by gate and by up.</summary>
    public static void SwiGluBackward<TElement>(byte* gate, byte* up, byte* dy, byte* dGate, byte* dUp, long from, long to) where TElement : struct, IElement
    {
        var done = Vector512.IsHardwareAccelerated ? SwiGluBackward<Lanes16, TElement>(gate, up, dy, dGate, dUp, from, to)
            : Vector256.IsHardwareAccelerated ? SwiGluBackward<Lanes8, TElement>(gate, up, dy, dGate, dUp, from, to)
            : Vector128.IsHardwareAccelerated ? SwiGluBackward<Lanes4, TElement>(gate, up, dy, dGate, dUp, from, to) : from;
        SwiGluBackward<Lane, TElement>(gate, up, dy, dGate, dUp, done, to);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static long SwiGluBackward<T, TElement>(byte* gate, byte* up, byte* dy, byte* dGate, byte* dUp, long i, long to) where T : unmanaged, ILanes<T> where TElement : struct, IElement
    {
        var bytes = TElement.Bytes;
        for (; i <= to - T.Count; i += T.Count)
        {
            var (g, d) = (TElement.Load<T>(gate + i * bytes), TElement.Load<T>(dy + i * bytes));
            var s = Functions.Sigmoid(g);
            var silu = g * s;
            TElement.Store(dUp + i * bytes, d * silu);
            TElement.Store(dGate + i * bytes, d * TElement.Load<T>(up + i * bytes) * T.Fma(silu, T.Of(1) - s, s));
        }
        return i;
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Gradus.Foundation.Kernels;

/// <summary>One row of logits: its loss, and its gradient softmax - onehot, in three passes that stay in the second-level cache.</summary>
internal static unsafe class CrossEntropyKernel
{
    /// <summary>
    /// -log softmax(logits)[target], summed within a row in an order that depends on the vector width only. The logits are overwritten.
    /// With <paramref name="gradient"/> (may be the logits themselves when float32) also writes the derivative.
    /// </summary>
    public static double Row<TGradient>(float* logits, long count, long target, byte* gradient) where TGradient : struct, IElement =>
        Vector512.IsHardwareAccelerated ? Row<Lanes16, TGradient>(logits, count, target, gradient)
        : Vector256.IsHardwareAccelerated ? Row<Lanes8, TGradient>(logits, count, target, gradient)
        : Vector128.IsHardwareAccelerated ? Row<Lanes4, TGradient>(logits, count, target, gradient)
        : Row<Lane, TGradient>(logits, count, target, gradient);

    internal static double Row<T, TGradient>(float* logits, long count, long target, byte* gradient)
        where T : unmanaged, ILanes<T> where TGradient : struct, IElement
    {
        var largest = Largest<T>(logits, count);
        double own = logits[target];
        var sum = Exponentials<T>(logits, count, largest);
        if (gradient == null) return Math.Log(sum) + largest - own;
        var inverse = (float)(1 / sum);
        var i = Scaled<T, TGradient>(logits, gradient, inverse, 0, count);
        Scaled<Lane, TGradient>(logits, gradient, inverse, i, count);
        // Before rounding to the gradient's type: near 1 the difference is all there is.
        TGradient.Store(gradient + target * TGradient.Bytes, Lane.Of((float)(Math.Exp(own - largest) / sum - 1)));
        return Math.Log(sum) + largest - own;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Largest<T>(float* x, long count) where T : unmanaged, ILanes<T>
    {
        var (first, second) = (T.Of(float.NegativeInfinity), T.Of(float.NegativeInfinity));
        long i = 0;
        for (; i <= count - 2 * T.Count; i += 2 * T.Count)
        {
            first = T.Max(T.Load(x + i), first);
            second = T.Max(T.Load(x + i + T.Count), second);
        }
        var largest = T.Largest(T.Max(first, second));
        for (; i < count; i++) largest = MathF.Max(largest, x[i]);
        return largest;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double Exponentials<T>(float* x, long count, float largest) where T : unmanaged, ILanes<T>
    {
        // Blocks keep the float32 partial sums short; the blocks add up in float64.
        double sum = 0;
        var shift = T.Of(largest);
        long i = 0;
        while (i <= count - 4 * T.Count)
        {
            var end = Math.Min(i + 256 * T.Count, count - 4 * T.Count + 1);
            T a = T.Of(0), b = T.Of(0), c = T.Of(0), d = T.Of(0);
            for (; i < end; i += 4 * T.Count)
            {
                a += Raised(x + i, shift);
                b += Raised(x + i + T.Count, shift);
                c += Raised(x + i + 2 * T.Count, shift);
                d += Raised(x + i + 3 * T.Count, shift);
            }
            sum += T.Sum((a + b) + (c + d));
        }
        for (; i < count; i++) sum += Lane.Sum(Raised(x + i, Lane.Of(largest)));
        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Raised<T>(float* x, T shift) where T : unmanaged, ILanes<T>
    {
        var e = Functions.Exp(T.Load(x) - shift);
        T.Store(x, e);
        return e;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static long Scaled<T, TGradient>(float* x, byte* to, float factor, long i, long count) where T : unmanaged, ILanes<T> where TGradient : struct, IElement
    {
        var f = T.Of(factor);
        for (; i <= count - T.Count; i += T.Count) TGradient.Store(to + i * TGradient.Bytes, T.Load(x + i) * f);
        return i;
    }
}

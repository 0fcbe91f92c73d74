using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Gradus.Foundation.Kernels;

/// <summary>Soft-max of attention scores over the keys a query may see, and its derivative; one row at a time.</summary>
internal static unsafe class SoftmaxKernel
{
    /// <summary>
    /// to[j] = softmax(scale · scores)[j] for j in [from, end) and 0 for the rest of [0, count). The scores are overwritten; <paramref name="to"/> may
    /// be they. Sums run in an order that depends on the vector width only.
    /// </summary>
    public static void Row<TElement>(float* scores, long count, long from, long end, float scale, byte* to) where TElement : struct, IElement
    {
        if (Vector512.IsHardwareAccelerated) Row<Lanes16, TElement>(scores, count, from, end, scale, to);
        else if (Vector256.IsHardwareAccelerated) Row<Lanes8, TElement>(scores, count, from, end, scale, to);
        else if (Vector128.IsHardwareAccelerated) Row<Lanes4, TElement>(scores, count, from, end, scale, to);
        else Row<Lane, TElement>(scores, count, from, end, scale, to);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Row<T, TElement>(float* scores, long count, long from, long end, float scale, byte* to) where T : unmanaged, ILanes<T> where TElement : struct, IElement
    {
        var largest = T.Of(float.NegativeInfinity);
        var i = from;
        for (; i <= end - T.Count; i += T.Count) largest = T.Max(T.Load(scores + i), largest);
        var top = T.Largest(largest);
        for (; i < end; i++) top = MathF.Max(top, scores[i]);

        var (sum, rest, factor, shift) = (T.Of(0), 0f, T.Of(scale), T.Of(-scale * top));
        for (i = from; i <= end - T.Count; i += T.Count)
        {
            var e = Functions.Exp(T.Fma(T.Load(scores + i), factor, shift));
            T.Store(scores + i, e);
            sum += e;
        }
        for (; i < end; i++)
        {
            var e = Functions.Exp(Lane.Fma(Lane.Load(scores + i), Lane.Of(scale), Lane.Of(-scale * top)));
            Lane.Store(scores + i, e);
            rest += Lane.Sum(e);
        }
        var inverse = 1 / (T.Sum(sum) + rest);
        var bytes = TElement.Bytes;
        new Span<byte>(to, (int)(from * bytes)).Clear();
        for (i = from; i <= end - T.Count; i += T.Count) TElement.Store(to + i * bytes, T.Load(scores + i) * T.Of(inverse));
        for (; i < end; i++) TElement.Store(to + i * bytes, Lane.Load(scores + i) * Lane.Of(inverse));
        new Span<byte>(to + end * bytes, (int)((count - end) * bytes)).Clear();
    }

    /// <summary>to[j] = scale · p[j] · (dp[j] - Σ p · dp): the derivative of the scores. <paramref name="to"/> may be <paramref name="dp"/> when float32.</summary>
    public static void Backward<TElement>(byte* p, float* dp, long count, float scale, byte* to) where TElement : struct, IElement
    {
        if (Vector512.IsHardwareAccelerated) Backward<Lanes16, TElement>(p, dp, count, scale, to);
        else if (Vector256.IsHardwareAccelerated) Backward<Lanes8, TElement>(p, dp, count, scale, to);
        else if (Vector128.IsHardwareAccelerated) Backward<Lanes4, TElement>(p, dp, count, scale, to);
        else Backward<Lane, TElement>(p, dp, count, scale, to);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Backward<T, TElement>(byte* p, float* dp, long count, float scale, byte* to) where T : unmanaged, ILanes<T> where TElement : struct, IElement
    {
        var (sum, rest, bytes) = (T.Of(0), 0f, TElement.Bytes);
        long i = 0;
        for (; i <= count - T.Count; i += T.Count) sum = T.Fma(TElement.Load<T>(p + i * bytes), T.Load(dp + i), sum);
        for (; i < count; i++) rest += Lane.Sum(TElement.Load<Lane>(p + i * bytes) * Lane.Load(dp + i));
        var mean = T.Sum(sum) + rest;
        for (i = 0; i <= count - T.Count; i += T.Count) TElement.Store(to + i * bytes, TElement.Load<T>(p + i * bytes) * (T.Load(dp + i) - T.Of(mean)) * T.Of(scale));
        for (; i < count; i++) TElement.Store(to + i * bytes, TElement.Load<Lane>(p + i * bytes) * (Lane.Load(dp + i) - Lane.Of(mean)) * Lane.Of(scale));
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Gradus.Foundation.Kernels;

/// <summary>Rotation of one head's row in the half-split layout, or its transpose. Elementwise: the same bits at every width.</summary>
internal static unsafe class RopeKernel
{
    /// <summary>y = x · cos + (-x₂, x₁) · sin for the halves x₁, x₂ of <paramref name="half"/> elements each; <paramref name="back"/> applies the transpose.</summary>
    public static void Row<TElement>(byte* x, float* cos, float* sin, byte* y, long half, bool back) where TElement : struct, IElement
    {
        var done = Vector512.IsHardwareAccelerated && half >= 16 ? Row<Lanes16, TElement>(x, cos, sin, y, 0, half, back)
            : Vector256.IsHardwareAccelerated && half >= 8 ? Row<Lanes8, TElement>(x, cos, sin, y, 0, half, back)
            : Vector128.IsHardwareAccelerated ? Row<Lanes4, TElement>(x, cos, sin, y, 0, half, back) : 0;
        Row<Lane, TElement>(x, cos, sin, y, done, half, back);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static long Row<T, TElement>(byte* x, float* cos, float* sin, byte* y, long i, long half, bool back) where T : unmanaged, ILanes<T> where TElement : struct, IElement
    {
        var bytes = TElement.Bytes;
        for (; i <= half - T.Count; i += T.Count)
        {
            var (a, b) = (TElement.Load<T>(x + i * bytes), TElement.Load<T>(x + (half + i) * bytes));
            // Forward takes each half's own sine; the transpose the other half's, with the opposite sign.
            var (low, high) = back ? (b * T.Load(sin + half + i), T.Of(0) - a * T.Load(sin + i)) : (T.Of(0) - b * T.Load(sin + i), a * T.Load(sin + half + i));
            TElement.Store(y + i * bytes, T.Fma(a, T.Load(cos + i), low));
            TElement.Store(y + (half + i) * bytes, T.Fma(b, T.Load(cos + half + i), high));
        }
        return i;
    }
}

using System.Runtime.CompilerServices;

namespace Gradus.Foundation.Kernels;

/// <summary>Elementary functions over lanes. Errors are in units in the last place against float64, as the tests measure them.</summary>
internal static class Functions
{
    /// <summary>
    /// e^x within 1.5 ulp, denormal results included; 0 below -104, infinity above 88.73, NaN for NaN. Cody-Waite reduction to
    /// |r| ≤ ln 2 / 2 and a polynomial of degree 7.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Exp<T>(T x) where T : unmanaged, ILanes<T>
    {
        x = T.Max(T.Of(-104f), T.Min(T.Of(89f), x)); // the limit first: a NaN passes both
        var n = T.Round(x * T.Of(1.44269504f));
        // ln 2 in two parts; n · high is exact.
        var r = T.Fma(n, T.Of(-0.693359375f), x);
        r = T.Fma(n, T.Of(2.12194440e-4f), r);
        var p = T.Fma(r, T.Of(1.9875691500e-4f), T.Of(1.3981999507e-3f));
        p = T.Fma(p, r, T.Of(8.3334519073e-3f));
        p = T.Fma(p, r, T.Of(4.1665795894e-2f));
        p = T.Fma(p, r, T.Of(1.6666665459e-1f));
        p = T.Fma(p, r, T.Of(5.0000001201e-1f));
        p = T.Fma(p, r * r, r) + T.Of(1f);
        return T.Scale(p, n);
    }

    /// <summary>1 / (1 + e^-x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sigmoid<T>(T x) where T : unmanaged, ILanes<T> => T.Of(1f) / (T.Of(1f) + Exp(T.Of(0f) - x));
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Gradus.Foundation.Kernels;

/// <summary>The numbers of one update, the same for every element.</summary>
public readonly record struct AdamWStep
{
    public required double LearningRate { get; init; }
    public required double Beta1 { get; init; }
    public required double Beta2 { get; init; }
    public required double Epsilon { get; init; }
    public required double WeightDecay { get; init; }

    /// <summary>This update's number, from 1: corrects the bias of the moments.</summary>
    public required long Step { get; init; }

    /// <summary>Multiplies every gradient first: clipping and un-scaling at no extra pass.</summary>
    public double GradientScale { get; init; } = 1;

    /// <summary>Decay the weights themselves (AdamW). False adds <see cref="WeightDecay"/> · p to the gradient (Adam with L2).</summary>
    public bool Decoupled { get; init; } = true;

    public AdamWStep() { }
}

/// <summary>
/// AdamW (Loshchilov and Hutter, 2019) in one pass over parameter, gradient, both moments and the bfloat16 copy of the parameter.
/// PyTorch's formula and order. Elementwise: the result does not depend on how the ranges are split or on the width of the vectors.
/// </summary>
public static unsafe class AdamWKernel
{
    /// <param name="p">Parameters, updated.</param>
    /// <param name="g">Gradients.</param>
    /// <param name="m">Running mean of the gradient, updated.</param>
    /// <param name="v">Running mean of its square, updated.</param>
    /// <param name="bf16CopyOrEmpty">Receives the new parameters rounded to bfloat16, or is empty.</param>
    /// <param name="s">The step.</param>
    public static void Step(Span<float> p, ReadOnlySpan<float> g, Span<float> m, Span<float> v, Span<ushort> bf16CopyOrEmpty, in AdamWStep s)
    {
        if (g.Length != p.Length || m.Length != p.Length || v.Length != p.Length || (bf16CopyOrEmpty.Length != 0 && bf16CopyOrEmpty.Length != p.Length))
            throw new ArgumentException($"lengths differ: parameter {p.Length}, gradient {g.Length}, moments {m.Length} and {v.Length}, copy {bf16CopyOrEmpty.Length}");
        ArgumentOutOfRangeException.ThrowIfLessThan(s.Step, 1);
        fixed (float* pp = p, pg = g, pm = m, pv = v)
        fixed (ushort* copy = bf16CopyOrEmpty)
        {
            var pass = new Pass(pp, pg, pm, pv, bf16CopyOrEmpty.IsEmpty ? null : copy, new Numbers(s));
            var done = Vector512.IsHardwareAccelerated ? Run<Lanes16>(pass, 0, p.Length)
                : Vector256.IsHardwareAccelerated ? Run<Lanes8>(pass, 0, p.Length)
                : Vector128.IsHardwareAccelerated ? Run<Lanes4>(pass, 0, p.Length) : 0;
            Run<Lane>(pass, done, p.Length);
        }
    }

    /// <summary>The same with lanes of the tests' choice.</summary>
    internal static void StepWith<T>(Span<float> p, ReadOnlySpan<float> g, Span<float> m, Span<float> v, Span<ushort> copyOrEmpty, in AdamWStep s) where T : unmanaged, ILanes<T>
    {
        fixed (float* pp = p, pg = g, pm = m, pv = v)
        fixed (ushort* copy = copyOrEmpty)
        {
            var pass = new Pass(pp, pg, pm, pv, copyOrEmpty.IsEmpty ? null : copy, new Numbers(s));
            Run<Lane>(pass, Run<T>(pass, 0, p.Length), p.Length);
        }
    }

    private readonly struct Numbers(in AdamWStep s)
    {
        public readonly float Beta1 = (float)s.Beta1, Rest1 = (float)(1 - s.Beta1), Beta2 = (float)s.Beta2, Rest2 = (float)(1 - s.Beta2), Epsilon = (float)s.Epsilon;
        public readonly float Shrink = s.Decoupled ? (float)(1 - s.LearningRate * s.WeightDecay) : 1;
        public readonly float L2 = s.Decoupled ? 0 : (float)s.WeightDecay;
        public readonly float Rate = (float)(s.LearningRate / (1 - Math.Pow(s.Beta1, s.Step)));
        public readonly float RootCorrection = (float)Math.Sqrt(1 - Math.Pow(s.Beta2, s.Step));
        public readonly float Scale = (float)s.GradientScale;
    }

    private readonly struct Pass(float* p, float* g, float* m, float* v, ushort* copy, Numbers numbers)
    {
        public readonly float* P = p, G = g, M = m, V = v;
        public readonly ushort* Copy = copy;
        public readonly Numbers Numbers = numbers;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int Run<T>(in Pass pass, int from, int to) where T : unmanaged, ILanes<T>
    {
        var n = pass.Numbers;
        var (beta1, rest1, beta2, rest2) = (T.Of(n.Beta1), T.Of(n.Rest1), T.Of(n.Beta2), T.Of(n.Rest2));
        var (shrink, l2, rate, correction, epsilon, scale) = (T.Of(n.Shrink), T.Of(n.L2), T.Of(n.Rate), T.Of(n.RootCorrection), T.Of(n.Epsilon), T.Of(n.Scale));
        float* pp = pass.P, pg = pass.G, pm = pass.M, pv = pass.V;
        var copy = pass.Copy;
        var i = from;
        for (; i <= to - T.Count; i += T.Count)
        {
            var p = T.Load(pp + i);
            var g = T.Fma(l2, p, T.Load(pg + i) * scale);
            var m = T.Fma(rest1, g, T.Load(pm + i) * beta1);
            var v = T.Fma(rest2 * g, g, T.Load(pv + i) * beta2);
            p = p * shrink - rate * m / (T.Sqrt(v) / correction + epsilon);
            T.Store(pm + i, m);
            T.Store(pv + i, v);
            T.Store(pp + i, p);
            if (copy != null) T.StoreBf16(copy + i, p);
        }
        return i;
    }
}

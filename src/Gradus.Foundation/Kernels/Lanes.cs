using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Gradus.Foundation.Kernels;

/// <summary>
/// Floats computed on side by side. A kernel is written once over this and compiled for 16, 8, 4 lanes and for one, which is the
/// oracle of the others. Every operation but <see cref="Sum"/> rounds each lane on its own in the same way at every width (multiply-add is
/// fused everywhere), so elementwise kernels give the same bits on every machine and however the work is split.
/// </summary>
internal unsafe interface ILanes<T> : IAdditionOperators<T, T, T>, ISubtractionOperators<T, T, T>, IMultiplyOperators<T, T, T>, IDivisionOperators<T, T, T>
    where T : unmanaged, ILanes<T>
{
    static abstract int Count { get; }
    static abstract T Of(float value);
    static abstract T Load(float* from);

    /// <summary>Widens bfloat16.</summary>
    static abstract T LoadBf16(ushort* from);

    static abstract void Store(float* to, T value);

    /// <summary>Rounds to bfloat16: nearest, ties to even; a NaN stays a NaN.</summary>
    static abstract void StoreBf16(ushort* to, T value);

    /// <summary>a · b + c, rounded once.</summary>
    static abstract T Fma(T a, T b, T c);

    static abstract T Sqrt(T a);

    /// <summary>The larger; <paramref name="b"/> where either is a NaN.</summary>
    static abstract T Max(T a, T b);

    /// <summary>The smaller; <paramref name="b"/> where either is a NaN.</summary>
    static abstract T Min(T a, T b);

    /// <summary>Nearest integer, ties to even.</summary>
    static abstract T Round(T a);

    /// <summary>a · 2^n for integral n in [-150, 128], rounded once.</summary>
    static abstract T Scale(T a, T n);

    /// <summary>The sum of the lanes, in an order that depends on the width.</summary>
    static abstract float Sum(T a);

    static abstract float Largest(T a);
}

/// <summary>How the elements of a buffer are stored.</summary>
internal unsafe interface IElement
{
    static abstract int Bytes { get; }
    static abstract T Load<T>(byte* at) where T : unmanaged, ILanes<T>;
    static abstract void Store<T>(byte* at, T value) where T : unmanaged, ILanes<T>;
}

internal readonly unsafe struct AsFloat32 : IElement
{
    public static int Bytes => 4;
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static T Load<T>(byte* at) where T : unmanaged, ILanes<T> => T.Load((float*)at);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static void Store<T>(byte* at, T value) where T : unmanaged, ILanes<T> => T.Store((float*)at, value);
}

internal readonly unsafe struct AsBf16 : IElement
{
    public static int Bytes => 2;
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static T Load<T>(byte* at) where T : unmanaged, ILanes<T> => T.LoadBf16((ushort*)at);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static void Store<T>(byte* at, T value) where T : unmanaged, ILanes<T> => T.StoreBf16((ushort*)at, value);
}

/// <summary>Sixteen lanes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly unsafe struct Lanes16(Vector512<float> v) : ILanes<Lanes16>
{
    private readonly Vector512<float> _v = v;

    public static int Count => 16;
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Lanes16 Of(float value) => new(Vector512.Create(value));
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Lanes16 Load(float* from) => new(Vector512.Load(from));
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static void Store(float* to, Lanes16 value) => value._v.Store(to);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 LoadBf16(ushort* from)
    {
        var narrow = Vector256.Load(from);
        var wide = Avx512F.IsSupported ? Avx512F.ConvertToVector512Int32(narrow).AsUInt32() : Vector512.Create(Vector256.WidenLower(narrow), Vector256.WidenUpper(narrow));
        return new((wide << 16).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBf16(ushort* to, Lanes16 value)
    {
        var bits = value._v.AsUInt32();
        var rounded = (bits + Vector512.Create(0x7FFFu) + ((bits >>> 16) & Vector512<uint>.One)) >>> 16;
        var kept = Vector512.ConditionalSelect(Vector512.Equals(value._v, value._v).AsUInt32(), rounded, (bits >>> 16) | Vector512.Create(0x40u));
        if (Avx512F.IsSupported) Avx512F.ConvertToVector256UInt16(kept).Store(to);
        else Vector256.Narrow(kept.GetLower(), kept.GetUpper()).Store(to);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Lanes16 Fma(Lanes16 a, Lanes16 b, Lanes16 c) => new(Vector512.FusedMultiplyAdd(a._v, b._v, c._v));
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Lanes16 Sqrt(Lanes16 a) => new(Vector512.Sqrt(a._v));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 Max(Lanes16 a, Lanes16 b) => new(Avx512F.IsSupported ? Avx512F.Max(a._v, b._v) : Vector512.ConditionalSelect(Vector512.GreaterThan(a._v, b._v), a._v, b._v));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 Min(Lanes16 a, Lanes16 b) => new(Avx512F.IsSupported ? Avx512F.Min(a._v, b._v) : Vector512.ConditionalSelect(Vector512.LessThan(a._v, b._v), a._v, b._v));
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Lanes16 Round(Lanes16 a) => new(Vector512.Round(a._v));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 Scale(Lanes16 a, Lanes16 n)
    {
        if (Avx512F.IsSupported) return new(Avx512F.Scale(a._v, n._v));
        var power = Vector512.ConvertToInt32(n._v);
        var half = power >> 1;
        return new(a._v * ((half + Vector512.Create(127)) << 23).AsSingle() * ((power - half + Vector512.Create(127)) << 23).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static float Sum(Lanes16 a) => Lanes8.Sum(new(a._v.GetLower() + a._v.GetUpper()));
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static float Largest(Lanes16 a) => MathF.Max(Lanes8.Largest(new(a._v.GetLower())), Lanes8.Largest(new(a._v.GetUpper())));
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Lanes16 operator +(Lanes16 a, Lanes16 b) => new(a._v + b._v);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Lanes16 operator -(Lanes16 a, Lanes16 b) => new(a._v - b._v);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Lanes16 operator *(Lanes16 a, Lanes16 b) => new(a._v * b._v);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Lanes16 operator /(Lanes16 a, Lanes16 b) => new(a._v / b._v);
}

/// <summary>Eight lanes.</summary>
internal readonly unsafe struct Lanes8(Vector256<float> v) : ILanes<Lanes8>
{
    private readonly Vector256<float> _v = v;

    public static int Count => 8;
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Lanes8 Of(float value) => new(Vector256.Create(value));
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Lanes8 Load(float* from) => new(Vector256.Load(from));
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static void Store(float* to, Lanes8 value) => value._v.Store(to);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 LoadBf16(ushort* from)
    {
        var narrow = Vector128.Load(from);
        return new((Vector256.Create(Vector128.WidenLower(narrow), Vector128.WidenUpper(narrow)) << 16).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBf16(ushort* to, Lanes8 value)
    {
        var bits = value._v.AsUInt32();
        var rounded = (bits + Vector256.Create(0x7FFFu) + ((bits >>> 16) & Vector256<uint>.One)) >>> 16;
        var kept = Vector256.ConditionalSelect(Vector256.Equals(value._v, value._v).AsUInt32(), rounded, (bits >>> 16) | Vector256.Create(0x40u));
        Vector128.Narrow(kept.GetLower(), kept.GetUpper()).Store(to);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Lanes8 Fma(Lanes8 a, Lanes8 b, Lanes8 c) => new(Vector256.FusedMultiplyAdd(a._v, b._v, c._v));
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Lanes8 Sqrt(Lanes8 a) => new(Vector256.Sqrt(a._v));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 Max(Lanes8 a, Lanes8 b) => new(Avx.IsSupported ? Avx.Max(a._v, b._v) : Vector256.ConditionalSelect(Vector256.GreaterThan(a._v, b._v), a._v, b._v));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 Min(Lanes8 a, Lanes8 b) => new(Avx.IsSupported ? Avx.Min(a._v, b._v) : Vector256.ConditionalSelect(Vector256.LessThan(a._v, b._v), a._v, b._v));
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Lanes8 Round(Lanes8 a) => new(Vector256.Round(a._v));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 Scale(Lanes8 a, Lanes8 n)
    {
        var power = Vector256.ConvertToInt32(n._v);
        var half = power >> 1;
        return new(a._v * ((half + Vector256.Create(127)) << 23).AsSingle() * ((power - half + Vector256.Create(127)) << 23).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static float Sum(Lanes8 a) => Lanes4.Sum(new(a._v.GetLower() + a._v.GetUpper()));
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static float Largest(Lanes8 a) => MathF.Max(Lanes4.Largest(new(a._v.GetLower())), Lanes4.Largest(new(a._v.GetUpper())));
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Lanes8 operator +(Lanes8 a, Lanes8 b) => new(a._v + b._v);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Lanes8 operator -(Lanes8 a, Lanes8 b) => new(a._v - b._v);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Lanes8 operator *(Lanes8 a, Lanes8 b) => new(a._v * b._v);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Lanes8 operator /(Lanes8 a, Lanes8 b) => new(a._v / b._v);
}

/// <summary>Four lanes.</summary>
internal readonly unsafe struct Lanes4(Vector128<float> v) : ILanes<Lanes4>
{
    private readonly Vector128<float> _v = v;

    public static int Count => 4;
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Lanes4 Of(float value) => new(Vector128.Create(value));
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Lanes4 Load(float* from) => new(Vector128.Load(from));
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static void Store(float* to, Lanes4 value) => value._v.Store(to);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Lanes4 LoadBf16(ushort* from) => new((Vector128.WidenLower(Vector64.Load(from).ToVector128Unsafe()) << 16).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBf16(ushort* to, Lanes4 value)
    {
        var bits = value._v.AsUInt32();
        var rounded = (bits + Vector128.Create(0x7FFFu) + ((bits >>> 16) & Vector128<uint>.One)) >>> 16;
        var kept = Vector128.ConditionalSelect(Vector128.Equals(value._v, value._v).AsUInt32(), rounded, (bits >>> 16) | Vector128.Create(0x40u));
        Vector128.Narrow(kept, kept).GetLower().Store(to);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Lanes4 Fma(Lanes4 a, Lanes4 b, Lanes4 c) => new(Vector128.FusedMultiplyAdd(a._v, b._v, c._v));
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Lanes4 Sqrt(Lanes4 a) => new(Vector128.Sqrt(a._v));
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Lanes4 Max(Lanes4 a, Lanes4 b) => new(Vector128.ConditionalSelect(Vector128.GreaterThan(a._v, b._v), a._v, b._v));
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Lanes4 Min(Lanes4 a, Lanes4 b) => new(Vector128.ConditionalSelect(Vector128.LessThan(a._v, b._v), a._v, b._v));
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Lanes4 Round(Lanes4 a) => new(Vector128.Round(a._v));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 Scale(Lanes4 a, Lanes4 n)
    {
        var power = Vector128.ConvertToInt32(n._v);
        var half = power >> 1;
        return new(a._v * ((half + Vector128.Create(127)) << 23).AsSingle() * ((power - half + Vector128.Create(127)) << 23).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static float Sum(Lanes4 a) => a._v[0] + a._v[2] + (a._v[1] + a._v[3]);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static float Largest(Lanes4 a) => MathF.Max(MathF.Max(a._v[0], a._v[1]), MathF.Max(a._v[2], a._v[3]));
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Lanes4 operator +(Lanes4 a, Lanes4 b) => new(a._v + b._v);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Lanes4 operator -(Lanes4 a, Lanes4 b) => new(a._v - b._v);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Lanes4 operator *(Lanes4 a, Lanes4 b) => new(a._v * b._v);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Lanes4 operator /(Lanes4 a, Lanes4 b) => new(a._v / b._v);
}

/// <summary>One lane: the oracle, and the tail of every loop.</summary>
internal readonly unsafe struct Lane(float v) : ILanes<Lane>
{
    private readonly float _v = v;

    public static int Count => 1;
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Lane Of(float value) => new(value);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Lane Load(float* from) => new(*from);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static void Store(float* to, Lane value) => *to = value._v;
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Lane LoadBf16(ushort* from) => new(BitConverter.UInt32BitsToSingle((uint)*from << 16));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBf16(ushort* to, Lane value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value._v);
        *to = (ushort)(float.IsNaN(value._v) ? bits >> 16 | 0x40 : bits + 0x7FFF + (bits >> 16 & 1) >> 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Lane Fma(Lane a, Lane b, Lane c) => new(MathF.FusedMultiplyAdd(a._v, b._v, c._v));
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Lane Sqrt(Lane a) => new(MathF.Sqrt(a._v));
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Lane Max(Lane a, Lane b) => new(a._v > b._v ? a._v : b._v);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Lane Min(Lane a, Lane b) => new(a._v < b._v ? a._v : b._v);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Lane Round(Lane a) => new(MathF.Round(a._v));
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lane Scale(Lane a, Lane n)
    {
        var power = float.IsNaN(n._v) ? 0 : (int)n._v;
        var half = power >> 1;
        return new(a._v * BitConverter.Int32BitsToSingle((half + 127) << 23) * BitConverter.Int32BitsToSingle((power - half + 127) << 23));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static float Sum(Lane a) => a._v;
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static float Largest(Lane a) => a._v;
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Lane operator +(Lane a, Lane b) => new(a._v + b._v);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Lane operator -(Lane a, Lane b) => new(a._v - b._v);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Lane operator *(Lane a, Lane b) => new(a._v * b._v);
    [MethodImpl(MethodImplOptions.AggressiveInlining)] public static Lane operator /(Lane a, Lane b) => new(a._v / b._v);
}

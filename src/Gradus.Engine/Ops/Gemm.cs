using System.Runtime.Intrinsics.X86;
using Gradus.Engine.Tensors;
using Gradus.Foundation.Kernels;

namespace Gradus.Engine.Ops;

/// <summary>Matrix products written into a given tensor: by oneDNN where libtorch has brought it, by libtorch elsewhere.</summary>
internal static unsafe class Gemm
{
    private static readonly Op s_mm = Op.Find("aten::mm", "self, mat2");

    /// <summary>
    /// c [n, m] (+)= a · b (+ bias), where a transposed factor is stored the other way round. All contiguous on the CPU; a and b of one type,
    /// float32 or bfloat16; c float32 or that type.
    /// </summary>
    public static void Run(Tensor c, Tensor a, bool aTransposed, Tensor b, bool bTransposed, Tensor? bias = null, bool accumulate = false)
    {
        var (rows, columns) = (c.Size(0), c.Size(1));
        var inner = aTransposed ? a.Size(0) : a.Size(1);
        var type = a.DType;
        if (Widens(a))
        {
            Widened(c, a, aTransposed, b, bTransposed, bias, accumulate);
            return;
        }
        if (rows > 0 && inner > 0 && columns > 0 && OneDnn.IsAvailable)
        {
            var problem = OneDnn.Problem.Plain(rows, inner, columns, aTransposed, bTransposed, type, c.DType) with { Accumulate = accumulate, Bias = bias?.DType };
            if (OneDnn.TryRun(problem, a.Pointer<byte>(), b.Pointer<byte>(), c.Pointer<byte>(), bias is null ? null : bias.Pointer<byte>())) return;
        }
        using var scope = Tensor.Scope();
        var product = s_mm.Call(aTransposed ? a.T() : a, bTransposed ? b.T() : b);
        if (bias is not null) product = product.To(c.DType) + bias;
        if (accumulate) c.AddInPlace(product);
        else c.CopyFrom(product);
    }

    /// <summary>
    /// True for bfloat16 on a processor without AVX-512, where libtorch and oneDNN have nothing but reference loops (2 against 84 GFLOP/s
    /// on an AMD Zen 3): float32 products of the same numbers, rounded once, are faster and no less exact.
    /// </summary>
    public static bool Widens(Tensor x) => !Avx512BW.IsSupported && x.DType == DType.BFloat16 && x.Device.IsCpu;

    private static void Widened(Tensor c, Tensor a, bool aTransposed, Tensor b, bool bTransposed, Tensor? bias, bool accumulate)
    {
        using var scope = Tensor.Scope();
        var (wideA, wideB) = (Cast(a, DType.Float32), Cast(b, DType.Float32));
        if (c.DType == DType.Float32)
        {
            Run(c, wideA, aTransposed, wideB, bTransposed, bias, accumulate);
            return;
        }
        var product = Tensor.Empty(DType.Float32, c.Device, c.Shape);
        Run(product, wideA, aTransposed, wideB, bTransposed, bias);
        if (accumulate) c.AddInPlace(product);
        else c.CopyFrom(product);
    }

    /// <summary>The tensor itself when it is contiguous and of that type, or a converted copy.</summary>
    public static Tensor Cast(Tensor x, DType type)
    {
        x = x.Contiguous();
        var from = x.DType;
        if (from == type) return x;
        if ((from, type) is not ((DType.Float32, DType.BFloat16) or (DType.BFloat16, DType.Float32))) return x.To(type);
        var y = Tensor.Empty(type, x.Device, x.Shape);
        var (source, target) = ((nint)x.Pointer<byte>(), (nint)y.Pointer<byte>());
        Threads.For(x.Elements, F.Grain, (begin, end) =>
        {
            if (type == DType.BFloat16) Bf16.Convert<AsFloat32, AsBf16>((byte*)source + 4 * begin, (byte*)target + 2 * begin, end - begin);
            else Bf16.Convert<AsBf16, AsFloat32>((byte*)source + 2 * begin, (byte*)target + 4 * begin, end - begin);
        });
        return y;
    }

    /// <summary>Sum over the rows of a float32 or bfloat16 matrix, in float32 and in the order of the rows whatever the number of threads.</summary>
    public static Tensor ColumnSums(Tensor x, long columns)
    {
        var sums = Tensor.Empty(DType.Float32, x.Device, columns);
        var rows = x.Elements / columns;
        var (source, target, isHalf) = ((nint)x.Pointer<byte>(), (nint)sums.Pointer<float>(), x.DType == DType.BFloat16);
        Threads.For((columns + 63) / 64, 2, (begin, end) =>
        {
            var (from, to) = (begin * 64, Math.Min(end * 64, columns));
            if (isHalf) Reductions.ColumnSums<AsBf16>((byte*)source, (float*)target, rows, columns, from, to);
            else Reductions.ColumnSums<AsFloat32>((byte*)source, (float*)target, rows, columns, from, to);
        });
        return sums;
    }

    /// <summary>
    /// The gradient of a weight: aᵀ b in float32, where a and b are the rows before and after it. A leaf's is put (or added) where it gathers, and null returned: accumulation
    /// costs no extra pass, and the two uses of a tied weight no second buffer.
    /// </summary>
    public static Tensor? WeightGradient(Tensor weight, Tensor a, Tensor b)
    {
        if (GatheredGradient(weight) is { } gathered)
        {
            Run(gathered, a, true, b, false, accumulate: true);
            F.Written(gathered);
            return null;
        }
        var gradient = Tensor.Empty(DType.Float32, weight.Device, weight.Shape);
        Run(gradient, a, true, b, false);
        return Deposit(weight, gradient);
    }

    /// <summary>Adds a gradient to a leaf's and returns null; for any other tensor returns it, to travel on through the graph.</summary>
    public static Tensor? Deposit(Tensor weight, Tensor gradient)
    {
        if (!weight.IsLeaf || !weight.RequiresGrad) return gradient;
        if (weight.Gradient is { } gathered) gathered.AddInPlace(gradient);
        else weight.Gradient = gradient;
        return null;
    }

    /// <summary>The gradient a leaf has gathered so far, if kernels may add to it in place.</summary>
    public static Tensor? GatheredGradient(Tensor weight) =>
        weight.IsLeaf && weight.HasGradient && weight.Gradient is { } gradient && gradient.DType == DType.Float32 && gradient.IsContiguous ? gradient : null;
}

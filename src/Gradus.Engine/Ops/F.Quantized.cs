using Gradus.Engine.Tensors;
using Gradus.Foundation.Kernels;

namespace Gradus.Engine.Ops;

public static partial class F
{
    /// <summary>
    /// x Wᵀ + b (or x W + b when <paramref name="transposed"/>) for a frozen weight that exists only packed: <paramref name="dense"/> makes it
    /// whenever a product needs it, forward and again backward, and it is freed right after. No gradient reaches the weight.
    /// </summary>
    /// <param name="x">[.., in].</param>
    /// <param name="dense">The weight in the given type, [out, in] or, transposed, [in, out]; contiguous.</param>
    /// <param name="outSize">Columns of the result.</param>
    /// <param name="bias">[out], or null.</param>
    /// <param name="type">Type of the product.</param>
    /// <param name="transposed">The weight is stored [in, out].</param>
    public static Tensor LinearUnpacked(Tensor x, Func<DType, Tensor> dense, long outSize, Tensor? bias, DType type, bool transposed)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(dense);
        var inSize = x.Size(-1);
        long[] shape = [.. x.Shape.AsSpan()[..^1], outSize];
        var fast = IsFast(x) && type is DType.Float32 or DType.BFloat16 && (bias is null || (IsFast(bias, DType.Float32) && bias.IsContiguous));
        var context = new FunctionContext();
        var y = Grad.Off(() =>
        {
            if (!fast) return Tensor.Scoped(() => Plain.Linear(x.Detach().To(type), transposed ? dense(type).T() : dense(type), bias?.Detach().To(type)));
            var y = Tensor.Empty(type, x.Device, shape);
            using var scope = Tensor.Scope();
            Gemm.Run(y.View(-1, outSize), Gemm.Cast(x.Detach(), type).View(-1, inSize), false, dense(type), !transposed, bias?.Detach());
            return y;
        });
        var (own, inputShape, b) = (x.DType, x.Shape, bias is null ? null : context.Save(bias));
        Grad.Attach(bias is null ? [x] : [x, bias], [y], context, (c, grads) =>
        {
            if (grads[0] is not { } incoming) return [null, null];
            Tensor? dx = null, db = null;
            if (!fast)
            {
                var dy = incoming.To(type).Reshape(-1, outSize);
                if (c.Needs(0)) dx = dy.MatMul(transposed ? dense(type).T() : dense(type)).To(own).Reshape(inputShape);
                if (b is not null && c.Needs(1)) db = dy.Sum([0]).To(b.DType);
                return [dx, db];
            }
            var rows = Gemm.Cast(incoming, type).View(-1, outSize);
            if (c.Needs(0))
            {
                dx = Tensor.Empty(own, rows.Device, inputShape);
                using var scope = Tensor.Scope();
                Gemm.Run(dx.View(-1, inSize), rows, false, dense(type), transposed);
            }
            if (b is not null && c.Needs(1)) db = Gemm.Deposit(b, Gemm.ColumnSums(rows, outSize));
            return [dx, db];
        });
        return y;
    }

    /// <summary>The largest magnitude of each block of 64 elements of a float32 tensor on the CPU: the scales of NF4.</summary>
    public static unsafe Tensor Nf4Scales(Tensor weight)
    {
        ArgumentNullException.ThrowIfNull(weight);
        var count = weight.Elements;
        var scales = Tensor.Empty(DType.Float32, Device.Cpu, (count + Nf4Kernel.Block - 1) / Nf4Kernel.Block);
        var (from, to) = ((nint)weight.Pointer<float>(), (nint)scales.Pointer<float>());
        Threads.For(scales.Elements, 256, (first, end) => Nf4Kernel.Scales((float*)from, count, (float*)to, first, end));
        return scales;
    }

    /// <summary>A float32 tensor as NF4 codes (Dettmers et al., 2023), 4 bits an element: the nearest level under the scale of its block.</summary>
    public static unsafe Tensor PackNf4(Tensor weight, Tensor scales)
    {
        ArgumentNullException.ThrowIfNull(weight);
        ArgumentNullException.ThrowIfNull(scales);
        var codes = Tensor.Empty(DType.UInt8, Device.Cpu, scales.Elements * (Nf4Kernel.Block / 2));
        var (from, s, to, count) = ((nint)weight.Pointer<float>(), (nint)scales.Pointer<float>(), (nint)codes.Pointer<byte>(), weight.Elements);
        Threads.For(scales.Elements, 256, (first, end) => Nf4Kernel.Encode((float*)from, count, (float*)s, (byte*)to, first, end));
        return codes;
    }

    /// <summary>NF4 codes back to a dense tensor of that shape, in float32 or bfloat16 (other types through float32).</summary>
    public static unsafe Tensor UnpackNf4(Tensor codes, Tensor scales, DType type, params long[] shape)
    {
        ArgumentNullException.ThrowIfNull(codes);
        ArgumentNullException.ThrowIfNull(scales);
        if (type is not (DType.Float32 or DType.BFloat16)) return UnpackNf4(codes, scales, DType.Float32, shape).To(type);
        var y = Tensor.Empty(type, Device.Cpu, shape);
        var (count, c, s, to) = (y.Elements, (nint)codes.Pointer<byte>(), (nint)scales.Pointer<float>(), (nint)y.Pointer<byte>());
        Threads.For(scales.Elements, 64, (first, end) =>
        {
            if (type == DType.BFloat16) Nf4Kernel.Decode<AsBf16>((byte*)c, (float*)s, (byte*)to, count, first, end);
            else Nf4Kernel.Decode<AsFloat32>((byte*)c, (float*)s, (byte*)to, count, first, end);
        });
        return y;
    }

    /// <summary>Rounds a float32 matrix to int8 by a scale a channel: largest magnitude / 127 of each row, or of each column.</summary>
    public static unsafe (Tensor Codes, Tensor Scales) PackInt8(Tensor weight, bool byColumn)
    {
        ArgumentNullException.ThrowIfNull(weight);
        var (rows, columns) = (weight.Size(0), weight.Size(1));
        var (codes, scales) = (Tensor.Empty(DType.Int8, Device.Cpu, rows, columns), Tensor.Zeros(DType.Float32, Device.Cpu, byColumn ? columns : rows));
        var (from, s, to) = ((nint)weight.Pointer<float>(), (nint)scales.Pointer<float>(), (nint)codes.Pointer<sbyte>());
        Int8Kernel.Scales((float*)from, (float*)s, rows, columns, byColumn);
        Threads.For(rows, Math.Max(1, Grain / columns), (first, end) => Int8Kernel.Encode((float*)from, (float*)s, (sbyte*)to, columns, byColumn, first, end));
        return (codes, scales);
    }

    /// <summary>What <see cref="PackInt8"/> made, back to a dense matrix.</summary>
    public static unsafe Tensor UnpackInt8(Tensor codes, Tensor scales, bool byColumn, DType type)
    {
        ArgumentNullException.ThrowIfNull(codes);
        ArgumentNullException.ThrowIfNull(scales);
        if (type is not (DType.Float32 or DType.BFloat16)) return UnpackInt8(codes, scales, byColumn, DType.Float32).To(type);
        var (rows, columns) = (codes.Size(0), codes.Size(1));
        var y = Tensor.Empty(type, Device.Cpu, rows, columns);
        var (c, s, to) = ((nint)codes.Pointer<sbyte>(), (nint)scales.Pointer<float>(), (nint)y.Pointer<byte>());
        Threads.For(rows, Math.Max(1, Grain / columns), (first, end) =>
        {
            if (type == DType.BFloat16) Int8Kernel.Decode<AsBf16>((sbyte*)c, (float*)s, (byte*)to, columns, byColumn, first, end);
            else Int8Kernel.Decode<AsFloat32>((sbyte*)c, (float*)s, (byte*)to, columns, byColumn, first, end);
        });
        return y;
    }
}

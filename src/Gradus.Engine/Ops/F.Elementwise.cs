using Gradus.Engine.Tensors;
using Gradus.Foundation.Kernels;

namespace Gradus.Engine.Ops;

public static partial class F
{
    /// <summary>Gaussian error linear unit (Hendrycks and Gimpel, 2016), exact or by the tanh formula.</summary>
    public static Tensor Gelu(Tensor x, bool tanh = false)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (!tanh || !IsFast(x)) return Plain.Gelu(x, tanh);
        var context = new FunctionContext();
        Tensor input = null!;
        var y = Grad.Off(() =>
        {
            using var scope = Tensor.Scope();
            input = context.Save(x.Detach().Contiguous());
            return scope.Return(GeluPass(input, null));
        });
        Grad.Attach([x], [y], context, (_, grads) => [grads[0] is { } dy ? GeluPass(input, Gemm.Cast(dy, input.DType)) : null]);
        return y;
    }

    private static unsafe Tensor GeluPass(Tensor x, Tensor? dy)
    {
        var y = Tensor.Empty(x.DType, x.Device, x.Shape);
        var (source, upstream, target, isHalf) = ((nint)x.Pointer<byte>(), dy is null ? 0 : (nint)dy.Pointer<byte>(), (nint)y.Pointer<byte>(), x.DType == DType.BFloat16);
        Threads.For(x.Elements, Grain, (from, to) =>
        {
            if (isHalf) ActivationKernel.Gelu<AsBf16>((byte*)source, (byte*)upstream, (byte*)target, from, to);
            else ActivationKernel.Gelu<AsFloat32>((byte*)source, (byte*)upstream, (byte*)target, from, to);
        });
        return y;
    }

    /// <summary>silu(gate) · up (Shazeer, 2020), elementwise.</summary>
    public static unsafe Tensor SwiGlu(Tensor gate, Tensor up)
    {
        ArgumentNullException.ThrowIfNull(gate);
        ArgumentNullException.ThrowIfNull(up);
        if (!IsFast(gate) || !IsFast(up, gate.DType) || !gate.Shape.AsSpan().SequenceEqual(up.Shape)) return Plain.SwiGlu(gate, up);
        var context = new FunctionContext();
        var isHalf = gate.DType == DType.BFloat16;
        Tensor g = null!, u = null!;
        var y = Grad.Off(() =>
        {
            using var scope = Tensor.Scope();
            (g, u) = (context.Save(gate.Detach().Contiguous()), context.Save(up.Detach().Contiguous()));
            var y = Tensor.Empty(g.DType, g.Device, g.Shape);
            var (gp, upp, yp) = ((nint)g.Pointer<byte>(), (nint)u.Pointer<byte>(), (nint)y.Pointer<byte>());
            Threads.For(g.Elements, Grain, (from, to) =>
            {
                if (isHalf) ActivationKernel.SwiGlu<AsBf16>((byte*)gp, (byte*)upp, (byte*)yp, from, to);
                else ActivationKernel.SwiGlu<AsFloat32>((byte*)gp, (byte*)upp, (byte*)yp, from, to);
            });
            return scope.Return(y);
        });
        Grad.Attach([gate, up], [y], context, (_, grads) =>
        {
            if (grads[0] is not { } incoming) return [null, null];
            var dy = Gemm.Cast(incoming, g.DType);
            var (dg, du) = (Tensor.Empty(g.DType, g.Device, g.Shape), Tensor.Empty(g.DType, g.Device, g.Shape));
            var (gp, upp, dp, dgp, dup) = ((nint)g.Pointer<byte>(), (nint)u.Pointer<byte>(), (nint)dy.Pointer<byte>(), (nint)dg.Pointer<byte>(), (nint)du.Pointer<byte>());
            Threads.For(g.Elements, Grain, (from, to) =>
            {
                if (isHalf) ActivationKernel.SwiGluBackward<AsBf16>((byte*)gp, (byte*)upp, (byte*)dp, (byte*)dgp, (byte*)dup, from, to);
                else ActivationKernel.SwiGluBackward<AsFloat32>((byte*)gp, (byte*)upp, (byte*)dp, (byte*)dgp, (byte*)dup, from, to);
            });
            return [dg, du];
        });
        return y;
    }

    /// <summary>
    /// Rotary position embedding (Su et al., 2021) in the half-split layout of Hugging Face's Llama: x [B, T, H, W], cos and sin
    /// [T, W] or [B, T, W] → x · cos + rotate(x) · sin, where rotate maps (a, b) halves to (-b, a).
    /// </summary>
    public static Tensor Rope(Tensor x, Tensor cos, Tensor sin)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(cos);
        ArgumentNullException.ThrowIfNull(sin);
        if (!IsFast(x) || x.Dims != 4 || x.Size(3) % 2 != 0 || !IsTable(x, cos) || !IsTable(x, sin) || cos.Dims != sin.Dims) return Plain.Rope(x, cos, sin);
        var context = new FunctionContext();
        var (c, s) = (context.Save(cos), context.Save(sin));
        var y = Grad.Off(() =>
        {
            using var scope = Tensor.Scope();
            return scope.Return(RopePass(x.Detach().Contiguous(), c, s, back: false));
        });
        var type = x.DType;
        Grad.Attach([x], [y], context, (_, grads) => [grads[0] is { } dy ? RopePass(Gemm.Cast(dy, type), c, s, back: true) : null]);
        return y;
    }

    private static bool IsTable(Tensor x, Tensor table) =>
        IsFast(table, DType.Float32) && table.IsContiguous && !table.RequiresGrad && table.Size(-1) == x.Size(3) && table.Dims is 2 or 3
        && table.Size(-2) == x.Size(1) && (table.Dims == 2 || table.Size(0) == x.Size(0));

    private static unsafe Tensor RopePass(Tensor x, Tensor cos, Tensor sin, bool back)
    {
        var y = Tensor.Empty(x.DType, x.Device, x.Shape);
        var (time, heads, width, ownTable, isHalf) = (x.Size(1), x.Size(2), x.Size(3), cos.Dims == 3, x.DType == DType.BFloat16);
        var (source, target, c, s) = ((nint)x.Pointer<byte>(), (nint)y.Pointer<byte>(), (nint)cos.Pointer<float>(), (nint)sin.Pointer<float>());
        Threads.For(x.Size(0) * time, Math.Max(1, Grain / (heads * width)), (from, to) =>
        {
            for (var token = from; token < to; token++)
            {
                var at = (ownTable ? token : token % time) * width;
                for (long head = 0; head < heads; head++)
                {
                    var row = (token * heads + head) * width;
                    if (isHalf) RopeKernel.Row<AsBf16>((byte*)source + 2 * row, (float*)c + at, (float*)s + at, (byte*)target + 2 * row, width / 2, back);
                    else RopeKernel.Row<AsFloat32>((byte*)source + 4 * row, (float*)c + at, (float*)s + at, (byte*)target + 4 * row, width / 2, back);
                }
            }
        });
        return y;
    }
}

using Gradus.Engine.Tensors;

namespace Gradus.Engine.Ops;

public static partial class F
{
    /// <summary>
    /// x Wᵀ + b: [.., in] × [out, in] → [.., out]. In reduced precision <paramref name="computed"/> is a copy of
    /// <paramref name="weight"/> in the type of the product; gradients still reach the float32 <paramref name="weight"/>, as float32 products
    /// (no rounding on the way), and are added in place to those it has gathered before.
    /// </summary>
    public static Tensor Linear(Tensor x, Tensor weight, Tensor? bias = null, Tensor? computed = null)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(weight);
        computed ??= weight;
        if (!IsFast(x) || !IsFast(weight, DType.Float32) || !IsFast(computed) || (bias is not null && !IsFast(bias, DType.Float32))
            || x.Dims == 0 || weight.Dims != 2 || x.Size(-1) != weight.Size(1) || (bias is not null && (bias.Dims != 1 || bias.Size(0) != weight.Size(0))))
            return Plain.Linear(x, weight, bias, computed);
        var type = computed.DType;
        var (inSize, outSize) = (weight.Size(1), weight.Size(0));
        long[] shape = [.. x.Shape.AsSpan()[..^1], outSize];
        var context = new FunctionContext();
        Tensor rows = null!;
        var y = Grad.Off(() =>
        {
            var y = Tensor.Empty(type, x.Device, shape);
            using var scope = Tensor.Scope();
            var cast = Gemm.Cast(x.Detach(), type).View(-1, inSize);
            Gemm.Run(y.View(-1, outSize), cast, false, computed, true, bias);
            rows = context.Save(cast);
            return y;
        });
        var (w, leaf, own) = (context.Save(computed), context.Save(weight), x.DType);
        var inputShape = x.Shape;
        var b = bias is null ? null : context.Save(bias);
        Grad.Attach(bias is null ? [x, weight] : [x, weight, bias], [y], context, (c, grads) =>
        {
            if (grads[0] is not { } incoming) return [null, null, null];
            var dy = Gemm.Cast(incoming, type).View(-1, outSize);
            Tensor? dx = null;
            if (c.Needs(0))
            {
                dx = Tensor.Empty(own, dy.Device, inputShape);
                Gemm.Run(dx.View(-1, inSize), dy, false, w, false);
            }
            var dw = c.Needs(1) ? Gemm.WeightGradient(leaf, dy, rows) : null;
            return [dx, dw, bias is not null && c.Needs(2) ? Gemm.Deposit(b!, Gemm.ColumnSums(dy, outSize)) : null];
        });
        return y;
    }

    /// <summary>Whether the C# kernels take this tensor: on the CPU, float32 or bfloat16 (or only <paramref name="type"/>).</summary>
    private static bool IsFast(Tensor tensor, DType? type = null) =>
        tensor.Device.IsCpu && (type is { } one ? tensor.DType == one : tensor.DType is DType.Float32 or DType.BFloat16);
}

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
        if (!IsProduct(x, weight, bias, computed, inDim: 1)) return Plain.Linear(x, weight, bias, computed);
        if (weight.IsContiguous && computed.IsContiguous) return Product(x, weight, bias, computed, transposed: false);
        // A transposed view of a matrix stored the other way round needs no copy.
        var (stored, storedComputed) = (weight.T(), computed.T());
        return stored.IsContiguous && storedComputed.IsContiguous ? Product(x, stored, bias, storedComputed, transposed: true) : Plain.Linear(x, weight, bias, computed);
    }

    /// <summary>As <see cref="Linear"/> with the weight stored [in, out], as the Conv1D of GPT-2's files is: x W + b.</summary>
    public static Tensor LinearTransposed(Tensor x, Tensor weight, Tensor? bias = null, Tensor? computed = null)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(weight);
        computed ??= weight;
        return IsProduct(x, weight, bias, computed, inDim: 0) && weight.IsContiguous && computed.IsContiguous
            ? Product(x, weight, bias, computed, transposed: true)
            : Plain.Linear(x, weight.T(), bias, computed.T());
    }

    private static bool IsProduct(Tensor x, Tensor weight, Tensor? bias, Tensor computed, int inDim) =>
        IsFast(x) && IsFast(weight, DType.Float32) && IsFast(computed) && x.Dims > 0 && weight.Dims == 2 && x.Size(-1) == weight.Size(inDim)
        && (bias is null || (IsFast(bias, DType.Float32) && bias.IsContiguous && bias.Dims == 1 && bias.Size(0) == weight.Size(1 - inDim)));

    private static Tensor Product(Tensor x, Tensor weight, Tensor? bias, Tensor computed, bool transposed)
    {
        var type = computed.DType;
        var (inSize, outSize) = (x.Size(-1), weight.Size(transposed ? 1 : 0));
        long[] shape = [.. x.Shape.AsSpan()[..^1], outSize];
        var context = new FunctionContext();
        Tensor? rows = null;
        var y = Grad.Off(() =>
        {
            var y = Tensor.Empty(type, x.Device, shape);
            using var scope = Tensor.Scope();
            var input = Gemm.Cast(x.Detach(), type).View(-1, inSize);
            // Only the weight's gradient reads the rows again: a frozen one keeps no activation.
            if (weight.RequiresGrad) rows = context.Save(input);
            Gemm.Run(y.View(-1, outSize), input, false, computed, !transposed, bias);
            return y;
        });
        var (w, leaf, own) = (context.Save(computed), context.Save(weight), x.DType);
        var (inputShape, b) = (x.Shape, bias is null ? null : context.Save(bias));
        Grad.Attach(bias is null ? [x, weight] : [x, weight, bias], [y], context, (c, grads) =>
        {
            if (grads[0] is not { } incoming) return [null, null, null];
            var dy = Gemm.Cast(incoming, type).View(-1, outSize);
            Tensor? dx = null, dw = null;
            if (c.Needs(0))
            {
                dx = Tensor.Empty(own, dy.Device, inputShape);
                Gemm.Run(dx.View(-1, inSize), dy, false, w, transposed);
            }
            if (c.Needs(1) && rows is not null) dw = transposed ? Gemm.WeightGradient(leaf, rows, dy) : Gemm.WeightGradient(leaf, dy, rows);
            return [dx, dw, b is not null && c.Needs(2) ? Gemm.Deposit(b, Gemm.ColumnSums(dy, outSize)) : null];
        });
        return y;
    }

    /// <summary>Whether the C# kernels take this tensor: on the CPU, float32 or bfloat16 (or only <paramref name="type"/>).</summary>
    private static bool IsFast(Tensor tensor, DType? type = null) =>
        tensor.Device.IsCpu && (type is { } one ? tensor.DType == one : tensor.DType is DType.Float32 or DType.BFloat16);
}

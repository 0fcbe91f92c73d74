using Gradus.Engine.Tensors;
using Gradus.Foundation.Kernels;

namespace Gradus.Engine.Ops;

public static partial class F
{
    /// <summary>Rows of <paramref name="weight"/> [V, D] picked by <paramref name="ids"/> (int64, any shape) → [.., D].</summary>
    /// <remarks>The gradient is added row by row to what the weight has gathered: rows that no id names are not touched.</remarks>
    public static Tensor Embedding(Tensor weight, Tensor ids)
    {
        ArgumentNullException.ThrowIfNull(weight);
        ArgumentNullException.ThrowIfNull(ids);
        if (!IsFast(weight, DType.Float32) || !weight.IsContiguous || ids.DType != DType.Int64 || !weight.RequiresGrad || !Grad.IsOn) return Plain.Embedding(weight, ids);
        var context = new FunctionContext();
        var y = Grad.Off(() => Plain.Embedding(weight, ids));
        var (leaf, rows) = (context.Save(weight), context.Save(ids));
        Grad.Attach([weight], [y], context, (_, grads) =>
        {
            if (grads[0] is not { } incoming) return [null];
            var dy = Gemm.Cast(incoming, DType.Float32);
            if (Gemm.GatheredGradient(leaf) is { } gathered)
            {
                AddRows(gathered, dy, rows.Contiguous());
                Written(gathered);
                return [null];
            }
            var gradient = leaf.Detach().ZerosLike();
            AddRows(gradient, dy, rows.Contiguous());
            return [Gemm.Deposit(leaf, gradient)];
        });
        return y;
    }

    private static unsafe void AddRows(Tensor sum, Tensor dy, Tensor ids)
    {
        var (width, count) = (sum.Size(1), ids.Elements);
        var (target, source, row) = ((nint)sum.Pointer<float>(), (nint)dy.Pointer<float>(), (nint)ids.Pointer<long>());
        // Threads share out the columns, so that ids that occur twice add up in their own order.
        Threads.For((width + 63) / 64, 1, (begin, end) =>
        {
            var (from, length) = (begin * 64, Math.Min(end * 64, width) - begin * 64);
            for (long i = 0; i < count; i++)
            {
                Reductions.Add((float*)source + i * width + from, (float*)target + ((long*)row)[i] * width + from, length);
            }
        });
    }
}

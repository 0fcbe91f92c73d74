using Gradus.Engine.Tensors;

namespace Gradus.Engine.Ops;

public static partial class F
{
    /// <summary>
    /// y + scale · (x Aᵀ) Bᵀ: x [.., in], y [.., out], A [rank, in], B [out, rank] (Hu et al., 2021). Written into the buffer of
    /// <paramref name="y"/>, which must be a fresh result that nothing else reads: what a product gives. Products run in the type of
    /// <paramref name="aComputed"/>; gradients of A and B are float32.
    /// </summary>
    public static Tensor AddLowRank(Tensor x, Tensor y, Tensor a, Tensor b, double scale, Tensor? aComputed = null, Tensor? bComputed = null)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(y);
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        (aComputed, bComputed) = (aComputed ?? a, bComputed ?? b);
        var type = aComputed.DType;
        if (!IsFast(x) || !IsFast(y, type) || !IsFast(a, DType.Float32) || !IsFast(b, DType.Float32) || !IsFast(aComputed) || !IsFast(bComputed, type)
            || !a.IsContiguous || !b.IsContiguous || !aComputed.IsContiguous || !bComputed.IsContiguous || !y.IsContiguous || x.Dims == 0 || x.Elements == 0)
            return Plain.AddLowRank(x, y, a, b, scale, aComputed, bComputed);
        var (inSize, outSize, rank) = (a.Size(1), b.Size(0), a.Size(0));
        var context = new FunctionContext();
        Tensor rows = null!, low = null!;
        var z = Grad.Off(() =>
        {
            using var scope = Tensor.Scope();
            rows = context.Save(Gemm.Cast(x.Detach(), type).View(-1, inSize));
            low = context.Save(Tensor.Empty(type, x.Device, rows.Size(0), rank));
            Gemm.Run(low, rows, false, aComputed, true);
            if (scale != 1) low.MulInPlace(scale);
            var into = y.Detach();
            Gemm.Run(into.View(-1, outSize), low, false, bComputed, true, accumulate: true);
            return scope.Return(into);
        });
        var (leafA, leafB, wa, wb) = (context.Save(a), context.Save(b), context.Save(aComputed), context.Save(bComputed));
        var (own, inputShape) = (x.DType, x.Shape);
        Grad.Attach([x, y, a, b], [z], context, (c, grads) =>
        {
            if (grads[0] is not { } incoming) return [null, null, null, null];
            var dy = Gemm.Cast(incoming, type).View(-1, outSize);
            Tensor? dx = null, da = null, db = null;
            if (c.Needs(3)) db = Gemm.WeightGradient(leafB, dy, low);
            if (c.Needs(0) || c.Needs(2))
            {
                var dLow = Tensor.Empty(type, dy.Device, low.Shape);
                Gemm.Run(dLow, dy, false, wb, false);
                if (scale != 1) dLow.MulInPlace(scale);
                if (c.Needs(2)) da = Gemm.WeightGradient(leafA, dLow, rows);
                if (c.Needs(0))
                {
                    dx = Tensor.Empty(own, dy.Device, inputShape);
                    Gemm.Run(dx.View(-1, inSize), dLow, false, wa, false);
                }
            }
            return [dx, c.Needs(1) ? incoming : null, da, db];
        });
        return z;
    }

    public static partial class Plain
    {
        /// <inheritdoc cref="F.AddLowRank"/>
        public static Tensor AddLowRank(Tensor x, Tensor y, Tensor a, Tensor b, double scale, Tensor? aComputed = null, Tensor? bComputed = null)
        {
            ArgumentNullException.ThrowIfNull(y);
            return y + Linear(Linear(x, a, null, aComputed), b, null, bComputed).To(y.DType) * scale;
        }
    }
}

using Gradus.Engine.Tensors;
using Gradus.Foundation.Kernels;

namespace Gradus.Engine.Ops;

public static partial class F
{
    // Float32 logits held at a time. Large enough that the products run at full speed, small beside the parameters.
    internal static long LogitBytes { get; set; } = 48 << 20;

    /// <summary>
    /// Sum over the targets of -log softmax(x Wᵀ)[target] without ever holding all logits in float32: the head and its loss in one.
    /// x [N, D], weight [V, D], targets [N] (int64, <see cref="Ignore"/> counts nothing) → scalar float32.
    /// </summary>
    /// <remarks>
    /// Rows are taken in chunks: float32 logits, then loss and softmax - onehot in the same pass. In bfloat16 that derivative is kept, rounded, for two
    /// large products when the gradient arrives. In float32 the gradients of x and W are formed at once (as in Liger, Hsu et al., 2024)
    /// and only scaled later.
    /// </remarks>
    public static Tensor LinearCrossEntropySum(Tensor x, Tensor weight, Tensor targets, Tensor? computed = null)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(weight);
        ArgumentNullException.ThrowIfNull(targets);
        computed ??= weight;
        if (!IsFast(x) || !IsFast(weight, DType.Float32) || !IsFast(computed) || x.Dims != 2 || weight.Dims != 2 || x.Size(1) != weight.Size(1)
            || !weight.IsContiguous || !computed.IsContiguous || targets.Dims != 1 || targets.Size(0) != x.Size(0) || targets.DType != DType.Int64 || !targets.Device.IsCpu)
            return Plain.LinearCrossEntropySum(x, weight, targets, computed);
        var head = new HeadLoss(x, weight, targets, computed);
        var loss = Grad.Off(head.Forward);
        head.Attach(loss);
        return loss;
    }

    private sealed class HeadLoss(Tensor x, Tensor weight, Tensor targets, Tensor computed)
    {
        private readonly FunctionContext _context = new();
        private readonly DType _type = computed.DType, _own = x.DType;
        private readonly bool _differentiate = Grad.IsOn && (x.RequiresGrad || weight.RequiresGrad);
        private readonly bool _weightNeeded = weight.RequiresGrad;

        // Held in _context between forward and backward.
        private Tensor _rows = null!;
        private Tensor? _derivative, _dx, _dw;

        public unsafe Tensor Forward()
        {
            using var scope = Tensor.Scope();
            var (count, width, vocabulary) = (x.Size(0), x.Size(1), weight.Size(0));
            var ids = targets.Contiguous();
            Check(ids.Span<long>(), vocabulary);
            _rows = _context.Save(Gemm.Cast(x.Detach(), _type));
            var keep = _differentiate && _type == DType.BFloat16;
            if (keep) _derivative = _context.Save(Tensor.Empty(_type, Device.Cpu, count, vocabulary));
            var atOnce = _differentiate && !keep;
            if (atOnce) _dx = _context.Save(Tensor.Empty(_own, Device.Cpu, count, width));
            if (atOnce && _weightNeeded) _dw = _context.Save(Tensor.Empty(DType.Float32, Device.Cpu, vocabulary, width));

            var chunk = Math.Clamp(LogitBytes / (4 * vocabulary), Math.Min(count, 64), count);
            if (count > 0) chunk = (count + (count + chunk - 1) / chunk - 1) / ((count + chunk - 1) / chunk); // equal chunks
            var logits = Tensor.Empty(DType.Float32, Device.Cpu, chunk, vocabulary);
            var losses = new double[count];
            for (long from = 0; from < count; from += chunk)
            {
                using var inner = Tensor.Scope();
                var n = Math.Min(chunk, count - from);
                var part = logits.Narrow(0, 0, n);
                var rows = _rows.Narrow(0, from, n);
                Gemm.Run(part, rows, false, computed, true);
                Rows(part, ids.Pointer<long>() + from, losses.AsMemory((int)from, (int)n), keep ? _derivative!.Pointer<byte>() + from * vocabulary * 2 : null, vocabulary);
                if (!atOnce) continue;
                Gemm.Run(_dx!.Narrow(0, from, n), part, false, computed, false);
                if (_weightNeeded) Gemm.Run(_dw!, part, true, rows, false, accumulate: from > 0);
            }
            if (atOnce && count == 0) _dw?.Zero();
            double total = 0;
            foreach (var loss in losses) total += loss;
            return scope.Return(Tensor.Scalar(total));
        }

        private unsafe void Rows(Tensor logits, long* ids, Memory<double> losses, byte* derivative, long vocabulary)
        {
            var (pointer, target, to) = ((nint)logits.Pointer<float>(), (nint)ids, (nint)derivative);
            var inPlace = _differentiate && derivative == null;
            Threads.For(losses.Length, 1, (begin, end) =>
            {
                for (var i = begin; i < end; i++)
                {
                    var row = (float*)pointer + i * vocabulary;
                    var half = to == 0 ? null : (byte*)to + i * vocabulary * 2;
                    var id = ((long*)target)[i];
                    if (id == Ignore)
                    {
                        if (half != null) new Span<ushort>(half, (int)vocabulary).Clear();
                        else if (inPlace) new Span<float>(row, (int)vocabulary).Clear();
                    }
                    else losses.Span[(int)i] = half != null ? CrossEntropyKernel.Row<AsBf16>(row, vocabulary, id, half) : CrossEntropyKernel.Row<AsFloat32>(row, vocabulary, id, inPlace ? (byte*)row : null);
                }
            });
        }

        public void Attach(Tensor loss)
        {
            var (leaf, w) = (_context.Save(weight), _context.Save(computed));
            Grad.Attach([x, weight], [loss], _context, (c, grads) =>
            {
                if (grads[0] is not { } upstream) return [null, null];
                var factor = upstream.Item();
                Tensor? dx = null, dw = null;
                if (_derivative is { } derivative)
                {
                    if (c.Needs(0))
                    {
                        dx = Tensor.Empty(_own, Device.Cpu, _rows.Shape);
                        Gemm.Run(dx, derivative, false, w, false);
                        if (factor != 1) dx.MulInPlace(factor);
                    }
                    // Scaling the rows instead of the product saves a pass over a gradient as large as the head. They are scaled in
                    // float32 and rounded once more; a factor that is a power of two is exact.
                    if (c.Needs(1)) dw = Gemm.WeightGradient(leaf, derivative, factor == 1 ? _rows : Gemm.Cast(Gemm.Cast(_rows, DType.Float32) * factor, _type));
                }
                else
                {
                    if (c.Needs(0)) dx = _dx! * factor;
                    if (c.Needs(1)) dw = Gemm.Deposit(leaf, _dw! * factor);
                }
                return [dx, dw];
            });
        }

        private static void Check(ReadOnlySpan<long> ids, long vocabulary)
        {
            for (var i = 0; i < ids.Length; i++)
                if (ids[i] != Ignore && (ids[i] < 0 || ids[i] >= vocabulary))
                    throw new ArgumentException($"target {ids[i]} at {i} is outside the vocabulary of {vocabulary} (and is not {Ignore})");
        }
    }
}

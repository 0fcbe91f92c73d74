using Gradus.Engine.Tensors;
using Gradus.Foundation.Kernels;

namespace Gradus.Engine.Ops;

/// <summary>For each row of the batch and each query: the keys it may see, [from, end).</summary>
internal sealed class SeenKeys(int[] from, int[] end)
{
    public int[] From { get; } = from;
    public int[] End { get; } = end;

    /// <summary>Null when the documents are not in runs, which only the plain formula can mask.</summary>
    public static SeenKeys? Of(long rows, long time, bool causal, Tensor? documents)
    {
        var (from, end) = (new int[rows * time], new int[rows * time]);
        long[]? ids = null;
        if (documents is not null)
        {
            if (documents.Dims != 2 || documents.Size(0) != rows || documents.Size(1) != time) return null;
            ids = documents.ToArray<long>();
            if (ids.Contains(F.Everyone)) return null; // what a query sees is then not in one piece
        }
        for (long row = 0; row < rows; row++)
        {
            var first = row * time;
            for (var t = 0; t < time; t++)
            {
                if (ids is not null && t > 0 && ids[first + t] < ids[first + t - 1]) return null;
                from[first + t] = ids is not null && t > 0 ? ids[first + t] == ids[first + t - 1] ? from[first + t - 1] : t : 0;
            }
            for (var t = (int)time - 1; t >= 0; t--)
                end[first + t] = causal ? t + 1 : ids is not null && t + 1 < time ? ids[first + t] == ids[first + t + 1] ? end[first + t + 1] : t + 1 : (int)time;
        }
        return new SeenKeys(from, end);
    }
}

/// <summary>
/// Attention as an autograd function: products by oneDNN on strided views, soft-max and its derivative in C#. Shape letters: B batch, T time,
/// H query heads, K key/value heads, W head width; G = H / K queries' heads share a key/value head.
/// </summary>
internal sealed unsafe class AttentionPass(Tensor q, Tensor k, Tensor v, bool causal, SeenKeys seen)
{
    private readonly FunctionContext _context = new();
    private readonly DType _type = q.DType;
    private readonly long _rows = q.Size(0), _time = q.Size(1), _heads = q.Size(2), _shared = k.Size(2), _width = q.Size(3);
    private readonly float _scale = (float)(1 / Math.Sqrt(q.Size(3)));
    private readonly bool _differentiate = Grad.IsOn && (q.RequiresGrad || k.RequiresGrad || v.RequiresGrad);
    private readonly List<Tensor> _probabilities = [];

    // What the products read: the inputs, or contiguous copies where a head's row is not in one piece.
    private Tensor _q = null!, _k = null!, _v = null!;

    private long Group => _heads / _shared;

    // At most four blocks: each adds a rounding to the gradients of k and v, and small products run slower.
    private long Block => causal ? Math.Max(128, (_time + 3) / 4) : _time;

    // Where a [B, T, H, W] tensor lies, or [B, H, T, keys] with the middle dimensions named the same; strides in elements of Bytes bytes.
    private readonly record struct View(nint Data, int Bytes, long B, long T, long H);

    private static View Of(Tensor x)
    {
        var (info, strides) = (x.Info(), x.Strides);
        return new View(info.Data, x.DType.ByteSize, strides[0], strides[1], strides[2]);
    }

    private Tensor Readable(Tensor x)
    {
        var plain = x.Detach();
        return _context.Save(plain.Strides[3] == 1 ? plain : plain.Contiguous());
    }

    public Tensor Forward()
    {
        using var scope = Tensor.Scope();
        (_q, _k, _v) = (Readable(q), Readable(k), Readable(v));
        var y = Tensor.Empty(_type, Device.Cpu, _rows, _time, _heads, _width);
        var (qv, kv, vv, yv) = (Of(_q), Of(_k), Of(_v), Of(y));
        for (long first = 0; first < _time; first += Block)
        {
            using var inner = Tensor.Scope();
            var n = Math.Min(Block, _time - first);
            var keys = causal ? first + n : _time;
            var scores = Tensor.Empty(DType.Float32, Device.Cpu, _rows, _heads, n, keys);
            var sv = Scores(scores);
            for (long g = 0; g < Group; g++) Product(Rows(qv, first, g), kv, Head(sv, g), n, _width, keys, bTransposed: true, output: DType.Float32);
            var probabilities = _type == DType.Float32 ? scores : Tensor.Empty(_type, Device.Cpu, _rows, _heads, n, keys);
            Softmax(scores, probabilities, first, n, keys);
            if (_differentiate) _probabilities.Add(_context.Save(probabilities));
            var pv = Scores(probabilities);
            for (long g = 0; g < Group; g++) Product(Head(pv, g), vv, Rows(yv, first, g), n, keys, _width);
        }
        return scope.Return(y);
    }

    public void Attach(Tensor y) => Grad.Attach([q, k, v], [y], _context, (c, grads) =>
    {
        if (grads[0] is not { } incoming) return [null, null, null];
        var dy = Gemm.Cast(incoming, _type);
        var (dq, dk, dv) = (Like(_heads), Like(_shared), Like(_shared));
        var (qv, kv, vv, gv) = (Of(_q), Of(_k), Of(_v), Of(dy));
        var (dqv, dkv, dvv) = (Of(dq), Of(dk), Of(dv));
        // From the last block, which writes every key's gradient, to the first; the others add to it.
        for (var block = _probabilities.Count - 1; block >= 0; block--)
        {
            using var inner = Tensor.Scope();
            var first = block * Block;
            var probabilities = _probabilities[block];
            var (n, keys, pv) = (probabilities.Size(2), probabilities.Size(3), Scores(probabilities));
            var derivative = Tensor.Empty(DType.Float32, Device.Cpu, _rows, _heads, n, keys);
            var sv = Scores(derivative);
            for (long g = 0; g < Group; g++)
            {
                var adds = g > 0 || block < _probabilities.Count - 1;
                Product(Head(pv, g), Rows(gv, first, g), dvv, keys, n, _width, aTransposed: true, accumulate: adds);
                Product(Rows(gv, first, g), vv, Head(sv, g), n, _width, keys, bTransposed: true, output: DType.Float32);
            }
            var scores = _type == DType.Float32 ? derivative : Tensor.Empty(_type, Device.Cpu, _rows, _heads, n, keys);
            SoftmaxBackward(probabilities, derivative, scores);
            var dsv = Scores(scores);
            for (long g = 0; g < Group; g++)
            {
                var adds = g > 0 || block < _probabilities.Count - 1;
                Product(Head(dsv, g), kv, Rows(dqv, first, g), n, keys, _width);
                Product(Head(dsv, g), Rows(qv, first, g), dkv, keys, n, _width, aTransposed: true, accumulate: adds);
            }
        }
        return [dq, dk, dv];
    });

    private Tensor Like(long heads) => Tensor.Empty(_type, Device.Cpu, _rows, _time, heads, _width);

    private static View Scores(Tensor x)
    {
        var (info, strides) = (x.Info(), x.Strides);
        return new View(info.Data, x.DType.ByteSize, strides[0], strides[2], strides[1]);
    }

    // The g-th query head of each group, from query `first` on: heads are then as far apart as the key/value heads they share.
    private View Rows(View x, long first, long g) => x with { Data = x.Data + (nint)((first * x.T + g * x.H) * x.Bytes), H = x.H * Group };

    private View Head(View x, long g) => x with { Data = x.Data + (nint)(g * x.H * x.Bytes), H = x.H * Group };

    private void Product(View a, View b, View c, long rows, long inner, long columns, bool aTransposed = false, bool bTransposed = false, DType? output = null, bool accumulate = false)
    {
        var problem = new OneDnn.Problem(_rows, _shared, rows, inner, columns)
        {
            In = _type, Out = output ?? _type, Accumulate = accumulate,
            A = aTransposed ? (a.B, a.H, 1, a.T) : (a.B, a.H, a.T, 1),
            B = bTransposed ? (b.B, b.H, 1, b.T) : (b.B, b.H, b.T, 1),
            C = (c.B, c.H, c.T),
        };
        if (!OneDnn.TryRun(problem, (void*)a.Data, (void*)b.Data, (void*)c.Data)) throw new EngineException("attention", $"oneDNN has no product for {problem}");
    }

    private void Softmax(Tensor scores, Tensor probabilities, long first, long n, long keys)
    {
        var (from, to) = ((nint)scores.Pointer<float>(), (nint)probabilities.Pointer<byte>());
        Threads.For(_rows * _heads * n, 16, (begin, end) =>
        {
            for (var i = begin; i < end; i++)
            {
                var at = i / (_heads * n) * _time + first + i % n;
                var line = (float*)from + i * keys;
                if (_type == DType.BFloat16) SoftmaxKernel.Row<AsBf16>(line, keys, seen.From[at], seen.End[at], _scale, (byte*)to + 2 * i * keys);
                else SoftmaxKernel.Row<AsFloat32>(line, keys, seen.From[at], seen.End[at], _scale, (byte*)to + 4 * i * keys);
            }
        });
    }

    private void SoftmaxBackward(Tensor probabilities, Tensor derivative, Tensor scores)
    {
        var (p, d, s, keys) = ((nint)probabilities.Pointer<byte>(), (nint)derivative.Pointer<float>(), (nint)scores.Pointer<byte>(), probabilities.Size(3));
        Threads.For(probabilities.Elements / keys, 16, (begin, end) =>
        {
            for (var i = begin; i < end; i++)
            {
                if (_type == DType.BFloat16) SoftmaxKernel.Backward<AsBf16>((byte*)p + 2 * i * keys, (float*)d + i * keys, keys, _scale, (byte*)s + 2 * i * keys);
                else SoftmaxKernel.Backward<AsFloat32>((byte*)p + 4 * i * keys, (float*)d + i * keys, keys, _scale, (byte*)s + 4 * i * keys);
            }
        });
    }
}

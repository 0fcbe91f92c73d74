using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Gradus.Foundation.Kernels;

/// <summary>Sums whose order is that of the rows.</summary>
internal static unsafe class Reductions
{
    private const int Block = 512;

    /// <summary>sums[j] = Σ over rows of x[row, j] for j in [from, to), each added in the order of the rows: the same bits at every width.</summary>
    public static void ColumnSums<TElement>(byte* x, float* sums, long rows, long columns, long from, long to) where TElement : struct, IElement
    {
        if (Vector512.IsHardwareAccelerated) Run<Lanes16, TElement>(x, sums, rows, columns, from, to);
        else if (Vector256.IsHardwareAccelerated) Run<Lanes8, TElement>(x, sums, rows, columns, from, to);
        else if (Vector128.IsHardwareAccelerated) Run<Lanes4, TElement>(x, sums, rows, columns, from, to);
        else Run<Lane, TElement>(x, sums, rows, columns, from, to);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Run<T, TElement>(byte* x, float* sums, long rows, long columns, long from, long to)
        where T : unmanaged, ILanes<T> where TElement : struct, IElement
    {
        for (var block = from; block < to; block += Block)
        {
            var end = Math.Min(block + Block, to);
            new Span<float>(sums + block, (int)(end - block)).Clear();
            for (long row = 0; row < rows; row++)
            {
                var line = x + row * columns * TElement.Bytes;
                var j = block;
                for (; j <= end - T.Count; j += T.Count) T.Store(sums + j, T.Load(sums + j) + TElement.Load<T>(line + j * TElement.Bytes));
                for (; j < end; j++) sums[j] += Lane.Sum(TElement.Load<Lane>(line + j * TElement.Bytes));
            }
        }
    }

    /// <summary>sum[i] += x[i].</summary>
    public static void Add(float* x, float* sum, long count)
    {
        var done = Vector512.IsHardwareAccelerated ? Add<Lanes16>(x, sum, 0, count)
            : Vector256.IsHardwareAccelerated ? Add<Lanes8>(x, sum, 0, count)
            : Vector128.IsHardwareAccelerated ? Add<Lanes4>(x, sum, 0, count) : 0;
        Add<Lane>(x, sum, done, count);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static long Add<T>(float* x, float* sum, long i, long count) where T : unmanaged, ILanes<T>
    {
        for (; i <= count - T.Count; i += T.Count) T.Store(sum + i, T.Load(sum + i) + T.Load(x + i));
        return i;
    }
}

using System.Runtime.InteropServices;
using Gradus.Engine.Native;

namespace Gradus.Engine.Ops;

/// <summary>Runs C# kernels on libtorch's own threads, so that the two never fight for a core.</summary>
public static unsafe class Threads
{
    private sealed class Work(Action<long, long> body)
    {
        public readonly Action<long, long> Body = body;
        public Exception? Failure;
    }

    /// <summary>
    /// Splits 0 … <paramref name="items"/> - 1 into one range a thread (none shorter than <paramref name="grain"/>) and runs
    /// <paramref name="body"/>(from, to) on each. How it splits depends on the number of threads: a body whose result must not
    /// writes each item independently.
    /// </summary>
    public static void For(long items, long grain, Action<long, long> body)
    {
        ArgumentNullException.ThrowIfNull(body);
        if (items <= 0) return;
        var work = new Work(body);
        var handle = GCHandle.Alloc(work);
        try { Abi.Check(Abi.Parallel(items, grain, &Run, GCHandle.ToIntPtr(handle)), "parallel loop"); }
        finally { handle.Free(); }
        if (work.Failure is { } failure) System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
    }

    [UnmanagedCallersOnly]
    private static void Run(nint state, long from, long to)
    {
        var work = (Work)GCHandle.FromIntPtr(state).Target!;
        try { work.Body(from, to); }
        catch (Exception e) { Interlocked.CompareExchange(ref work.Failure, e, null); } // carried to the caller by For
    }
}

using Gradus.Engine.Native;
using Gradus.Engine.Tensors;

namespace Gradus.Engine.Groups;

/// <summary>
/// Processes that compute together, over c10d. Rank 0 serves the rendezvous store at <c>host:port</c>; only trusted networks.
/// Calls block until done, and fail after the time-out when a peer is gone.
/// </summary>
public sealed class ProcessGroup : IDisposable
{
    private nint _handle;

    /// <param name="backend"><c>gloo</c> (CPU), <c>nccl</c> or <c>mpi</c> where libtorch has them.</param>
    /// <exception cref="EngineException">The peers did not meet in time, or the backend is not there.</exception>
    public ProcessGroup(string backend, string host, int port, int rank, int size, TimeSpan timeout)
    {
        if (size < 1) throw new ArgumentOutOfRangeException(nameof(size), size, "at least one process");
        if (rank < 0 || rank >= size) throw new ArgumentOutOfRangeException(nameof(rank), rank, $"a rank is 0 to {size - 1}");
        Abi.Check(Abi.GroupNew(backend, host, port, rank, size, (long)timeout.TotalMilliseconds, out _handle), $"process group {backend} at {host}:{port}, rank {rank} of {size}");
        Rank = rank;
        Size = size;
    }

    ~ProcessGroup() => Release();

    public int Rank { get; }
    public int Size { get; }

    private nint Handle
    {
        get
        {
            ObjectDisposedException.ThrowIf(_handle == 0, this);
            return _handle;
        }
    }

    /// <summary>Replaces <paramref name="tensor"/> by the reduction (<c>sum</c>, <c>min</c>, <c>max</c>, <c>product</c>) over all ranks.</summary>
    public void AllReduce(Tensor tensor, string reduction = "sum")
    {
        ArgumentNullException.ThrowIfNull(tensor);
        Abi.Check(Abi.GroupAllReduce(Handle, tensor.Handle, reduction), $"all-reduce of {tensor.Describe()}");
    }

    /// <summary>Replaces <paramref name="tensor"/> by the root's.</summary>
    public void Broadcast(Tensor tensor, int root)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        Abi.Check(Abi.GroupBroadcast(Handle, tensor.Handle, root), $"broadcast of {tensor.Describe()}");
    }

    /// <summary>Every rank's tensor, in order of rank.</summary>
    public unsafe Tensor[] AllGather(Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        var all = new Tensor[Size];
        var handles = stackalloc nint[Size];
        for (var i = 0; i < Size; i++)
        {
            all[i] = tensor.EmptyLike();
            handles[i] = all[i].Handle;
        }
        Abi.Check(Abi.GroupAllGather(Handle, tensor.Handle, handles), $"all-gather of {tensor.Describe()}");
        return all;
    }

    public void Barrier() => Abi.Check(Abi.GroupBarrier(Handle), "barrier");

    public void Dispose()
    {
        Release();
        GC.SuppressFinalize(this);
    }

    private void Release()
    {
        if (_handle != 0) Abi.GroupRelease(_handle);
        _handle = 0;
    }
}

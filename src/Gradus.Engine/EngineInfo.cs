using Gradus.Engine.Native;

namespace Gradus.Engine;

/// <summary>The engine as a whole: version, threads, capabilities.</summary>
public static class EngineInfo
{
    /// <summary>libtorch's version, for example <c>1.13.1</c>.</summary>
    public static unsafe string LibtorchVersion => Abi.Text(Abi.Version());

    /// <summary>Threads that libtorch's kernels and ours share (one OpenMP pool).</summary>
    public static int Threads
    {
        get => Abi.Threads(0);
        set => _ = Abi.Threads(value > 0 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "at least one thread"));
    }

    public static bool HasProcessGroups => (Abi.Features() & 1) != 0;
    public static bool HasNccl => (Abi.Features() & 4) != 0;
    public static bool HasMpi => (Abi.Features() & 8) != 0;

    /// <summary>CUDA devices that this libtorch can use.</summary>
    public static int CudaDevices => Abi.DeviceCount(1);
}

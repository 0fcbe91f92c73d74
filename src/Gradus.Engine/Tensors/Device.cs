using Gradus.Engine.Native;

namespace Gradus.Engine.Tensors;

/// <summary>Where a tensor lives: <c>cpu</c> or <c>cuda:0</c>.</summary>
public readonly record struct Device
{
    private readonly int _packed;

    private Device(int packed) => _packed = packed;

    public static Device Cpu { get; } = new(0);
    public static Device Cuda(int index = 0) => new((1 << 16) | index);

    public bool IsCpu => _packed == 0;
    public bool IsCuda => _packed >> 16 == 1;
    public int Index => _packed & 0xffff;

    internal int Packed => _packed;
    internal static Device FromPacked(int packed) => packed >> 16 == 0 ? Cpu : new Device(packed);

    /// <summary>Reads <c>cpu</c>, <c>cuda</c> or <c>cuda:N</c>.</summary>
    /// <exception cref="FormatException">Not a device, or libtorch here does not have it; the message says which there are.</exception>
    public static Device Parse(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (name == "cpu") return Cpu;
        var index = 0;
        if (name != "cuda" && !(name.StartsWith("cuda:", StringComparison.Ordinal) && int.TryParse(name[5..], System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out index)))
            throw new FormatException($"'{name}' is not a device; write cpu, cuda or cuda:N");
        var count = EngineInfo.CudaDevices;
        if (index >= count) throw new FormatException($"device '{name}' is not there: this libtorch sees {count} CUDA device{(count == 1 ? "" : "s")}; write cpu{(count > 0 ? $" or cuda:0 to cuda:{count - 1}" : "")}");
        return Cuda(index);
    }

    /// <summary>Waits until all work queued on this device is done. Nothing to do on the CPU.</summary>
    public void Synchronize()
    {
        if (!IsCpu) Abi.Check(Abi.DeviceSynchronize(_packed), "synchronize");
    }

    /// <summary>Bytes in use, at the highest, and reserved by the caching allocator; zeros where nobody counts. On the CPU these are the tensors alone, not the program around them.</summary>
    public (long Allocated, long Peak, long Reserved) Memory()
    {
        Abi.Check(Abi.DeviceMemory(_packed, out var allocated, out var peak, out var reserved), "memory statistics");
        return (allocated, peak, reserved);
    }

    public override string ToString() => IsCpu ? "cpu" : $"cuda:{Index}";
}

using Gradus.Engine.Native;

namespace Gradus.Engine.Tensors;

/// <summary>A random stream of libtorch: dropout and initialisation. Data order and sampling use our own counter-based streams.</summary>
public sealed class Generator : IDisposable
{
    private nint _handle;

    public Generator(long seed, Device device = default)
    {
        Abi.Check(Abi.GeneratorNew(seed, device.Packed, out _handle), "generator");
    }

    ~Generator() => Release();

    internal nint Handle
    {
        get
        {
            ObjectDisposedException.ThrowIf(_handle == 0, this);
            return _handle;
        }
    }

    /// <summary>Re-seeds libtorch's default generators, on every device. The trainer does this each step from (seed, step), so resume has nothing to restore.</summary>
    public static void SeedDefault(long seed) => Abi.Check(Abi.Seed(seed), "seed");

    /// <summary>The default CPU generator's state, as bytes.</summary>
    public static Tensor DefaultState()
    {
        Abi.Check(Abi.GeneratorState(0, out var state), "generator state");
        return new Tensor(state);
    }

    /// <summary>Puts the default CPU generator back into a state read before.</summary>
    public static void RestoreDefault(Tensor state)
    {
        ArgumentNullException.ThrowIfNull(state);
        Abi.Check(Abi.GeneratorRestore(0, state.Handle), "generator state");
    }

    public void Dispose()
    {
        Release();
        GC.SuppressFinalize(this);
    }

    private void Release()
    {
        if (_handle != 0) Abi.GeneratorRelease(_handle);
        _handle = 0;
    }
}

using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Gradus.Engine.Native;

namespace Gradus.Engine.Tensors;

/// <summary>
/// A handle on a libtorch tensor. It owns one reference and gives it back when disposed; inside a <see cref="Scope"/> that
/// happens by itself. Two handles may look at one buffer. Not thread-safe for writing, as in libtorch.
/// </summary>
public sealed partial class Tensor : IDisposable
{
    private static long s_leaked;
    private nint _handle;
    private long[]? _shape;

    internal Tensor(nint handle, bool scoped = true)
    {
        _handle = handle;
        if (scoped && TensorScope.Current is { } scope)
        {
            Owner = scope;
            scope.Add(this);
        }
    }

    // A safety net that counts: code that reaches it forgot a scope.
    ~Tensor()
    {
        if (_handle == 0) return;
        Interlocked.Increment(ref s_leaked);
        Abi.TensorRelease(_handle);
    }

    /// <summary>Handles given out by the engine and not yet released. A test compares it before and after.</summary>
    public static long Live => Abi.TensorLive();

    /// <summary>Handles that only the garbage collector released.</summary>
    public static long Leaked => Interlocked.Read(ref s_leaked);

    internal TensorScope? Owner { get; set; }

    internal nint Handle
    {
        get
        {
            ObjectDisposedException.ThrowIf(_handle == 0, this);
            return _handle;
        }
    }

    public bool IsDisposed => _handle == 0;

    /// <summary>Opens a scope: <c>using var step = Tensor.Scope();</c></summary>
    public static TensorScope Scope() => new();

    /// <summary>Runs <paramref name="body"/> in a scope of its own and returns only its result, so that intermediates die early.</summary>
    public static Tensor Scoped(Func<Tensor> body)
    {
        ArgumentNullException.ThrowIfNull(body);
        using var scope = Scope();
        return scope.Return(body());
    }

    /// <summary>Takes this handle out of its scope: it lives until disposed. Parameters, optimiser state and caches are kept.</summary>
    public Tensor Keep()
    {
        Owner = null;
        return this;
    }

    /// <summary>A second, unscoped handle on the same tensor.</summary>
    internal Tensor Retain()
    {
        Abi.Check(Abi.TensorRetain(Handle, out var copy), "retain");
        return new Tensor(copy, scoped: false);
    }

    public void Dispose()
    {
        if (_handle == 0) return;
        Abi.TensorRelease(_handle);
        _handle = 0;
        Owner = null;
        GC.SuppressFinalize(this);
    }

    internal unsafe NativeInfo Info()
    {
        NativeInfo info;
        Abi.Check(Abi.TensorInfo(Handle, &info), "info");
        return info;
    }

    /// <summary>Length of each dimension.</summary>
    [SuppressMessage("Performance", "CA1819", Justification = "shapes are passed straight back to operators; callers do not write to them")]
    public unsafe long[] Shape
    {
        get
        {
            if (_shape is { } known) return known;
            var shape = new long[Info().Dims];
            fixed (long* p = shape) Abi.Check(Abi.TensorShape(Handle, p, null), "shape");
            return _shape = shape;
        }
    }

    public unsafe long[] Strides
    {
        get
        {
            var dims = Info().Dims;
            var (shape, strides) = (new long[dims], new long[dims]);
            fixed (long* p = shape, q = strides) Abi.Check(Abi.TensorShape(Handle, p, q), "strides");
            return strides;
        }
    }

    public int Dims => Shape.Length;

    /// <summary>Length of dimension <paramref name="dim"/>; negative counts from the end.</summary>
    public long Size(int dim) => Shape[dim < 0 ? Shape.Length + dim : dim];

    public long Elements => Info().Elements;
    public DType DType => ScalarTypes.From(Info().DType);
    public Device Device => Device.FromPacked(Info().Device);
    public bool IsContiguous => Info().IsContiguous != 0;
    public bool IsLeaf => Info().IsLeaf != 0;

    /// <summary>Counts in-place writes; equal versions of one tensor hold equal values.</summary>
    public long Version => Info().Version;

    /// <summary>True when both handles look into one buffer.</summary>
    public bool SharesStorage(Tensor other) => Info().Node == (other ?? throw new ArgumentNullException(nameof(other))).Info().Node;

    /// <summary>The elements in place. Only for contiguous tensors on the CPU; valid while the tensor lives.</summary>
    public unsafe Span<T> Span<T>() where T : unmanaged
    {
        var info = Info();
        if (info.Device != 0 || info.IsContiguous == 0) throw new InvalidOperationException($"only a contiguous CPU tensor can be looked into: this one is {Describe()}");
        var bytes = checked(info.Elements * ScalarTypes.From(info.DType).ByteSize);
        return new Span<T>((void*)info.Data, checked((int)(bytes / sizeof(T))));
    }

    /// <summary>Address of the first element; for kernels over buffers longer than a span can be.</summary>
    internal unsafe T* Pointer<T>() where T : unmanaged
    {
        var info = Info();
        if (info.Device != 0 || info.IsContiguous == 0) throw new InvalidOperationException($"only a contiguous CPU tensor can be looked into: this one is {Describe()}");
        return (T*)info.Data;
    }

    /// <summary>The elements copied out, row-major, converted to <typeparamref name="T"/>'s element type.</summary>
    public T[] ToArray<T>() where T : unmanaged
    {
        using var scope = Scope();
        var plain = Detach().To(Device.Cpu).To(TypeOf<T>()).Contiguous();
        return plain.Span<T>().ToArray();
    }

    /// <summary>The one element, as a double. Waits for the device.</summary>
    public double Item() => DType is DType.Float64 or DType.Float32 or DType.Float16 or DType.BFloat16
        ? ToArray<double>().Single() : ToArray<long>().Single();

    /// <summary>For messages: <c>float32 4x16x32</c>.</summary>
    public string Describe() => $"{DType.Name} {ShapeText()}{(Device.IsCpu ? "" : $" on {Device}")}";

    internal string ShapeText() => Shape.Length == 0 ? "scalar" : string.Join("x", Shape);

    public override string ToString() => IsDisposed ? "disposed tensor" : Describe();

    internal static DType TypeOf<T>() where T : unmanaged => default(T) switch
    {
        bool => DType.Bool,
        byte => DType.UInt8,
        sbyte => DType.Int8,
        short => DType.Int16,
        int => DType.Int32,
        long => DType.Int64,
        float => DType.Float32,
        double => DType.Float64,
        Half => DType.Float16,
        _ => throw new NotSupportedException($"no element type for {typeof(T).Name}"),
    };

    /// <summary>A tensor holding a copy of <paramref name="values"/>, row-major.</summary>
    public static unsafe Tensor From<T>(ReadOnlySpan<T> values, params ReadOnlySpan<long> shape) where T : unmanaged =>
        FromBytes(MemoryMarshal.AsBytes(values), TypeOf<T>(), shape);

    /// <inheritdoc cref="From{T}(ReadOnlySpan{T}, ReadOnlySpan{long})"/>
    public static Tensor From<T>(T[] values, params ReadOnlySpan<long> shape) where T : unmanaged => From((ReadOnlySpan<T>)values, shape);

    /// <summary>A tensor holding a copy of raw little-endian bytes of the given element type.</summary>
    public static unsafe Tensor FromBytes(ReadOnlySpan<byte> bytes, DType type, params ReadOnlySpan<long> shape)
    {
        long elements = 1;
        foreach (var size in shape) elements = checked(elements * size);
        if (checked(elements * type.ByteSize) != bytes.Length)
            throw new ArgumentException($"shape {string.Join("x", shape.ToArray())} wants {elements} elements of {type.Name}, got {bytes.Length} bytes", nameof(bytes));
        fixed (byte* data = bytes)
        fixed (long* sizes = shape)
        {
            Abi.Check(Abi.TensorNew(data, sizes, shape.Length, ScalarTypes.Of(type), out var handle), "tensor from memory");
            return new Tensor(handle);
        }
    }

    public static Tensor Scalar(double value, DType type = DType.Float32) => Full([], value, type);
}

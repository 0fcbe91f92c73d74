using System.Runtime.InteropServices;

namespace Gradus.Engine.Native;

internal enum Tag
{
    None, Tensor, Int, Double, Bool, String, Device, Generator, Tensors, Ints, Doubles, Bools,
}

/// <summary>One argument or result of an operator call; layout of <c>gradus_arg</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct NativeArg
{
    public Tag Tag;
    public int Count;
    public long Bits;
}

[StructLayout(LayoutKind.Sequential)]
internal struct NativeInfo
{
    public long Elements, Version;
    public nint Data, Node;
    public int Dims, DType, Device;
    public byte RequiresGrad, IsLeaf, IsContiguous, HasGrad;
}

/// <summary>The functions of <c>native/gradus.h</c>, one line each.</summary>
internal static unsafe partial class Abi
{
    public const string Library = "gradus";

    // A static constructor runs before the first call: the resolver is in place whoever calls first.
    static Abi() => NativeLibrary.Initialise();

    [LibraryImport(Library, EntryPoint = "gradus_error")] public static partial byte* Error();
    [LibraryImport(Library, EntryPoint = "gradus_version")] public static partial byte* Version();
    [LibraryImport(Library, EntryPoint = "gradus_abi")] public static partial int AbiNumber();
    [LibraryImport(Library, EntryPoint = "gradus_features")] public static partial int Features();

    [LibraryImport(Library, EntryPoint = "gradus_op_find", StringMarshalling = StringMarshalling.Utf8)] public static partial int OpFind(string name, string overload, out nint op);
    [LibraryImport(Library, EntryPoint = "gradus_op_schema")] public static partial byte* OpSchema(nint op);
    [LibraryImport(Library, EntryPoint = "gradus_op_list")] public static partial int OpList(delegate* unmanaged<nint, byte*, byte*, void> visit, nint state);
    [LibraryImport(Library, EntryPoint = "gradus_op_call")] public static partial int OpCall(nint op, NativeArg* args, int count, NativeArg* results, int capacity, int* produced);

    [LibraryImport(Library, EntryPoint = "gradus_tensor_new")] public static partial int TensorNew(void* data, long* shape, int dims, int dtype, out nint tensor);
    [LibraryImport(Library, EntryPoint = "gradus_tensor_borrow")] public static partial int TensorBorrow(void* data, long* shape, int dims, int dtype, delegate* unmanaged<nint, void> release, nint state, out nint tensor);
    [LibraryImport(Library, EntryPoint = "gradus_tensor_retain")] public static partial int TensorRetain(nint tensor, out nint copy);
    [LibraryImport(Library, EntryPoint = "gradus_tensor_release")] public static partial void TensorRelease(nint tensor);
    [LibraryImport(Library, EntryPoint = "gradus_tensor_info"), SuppressGCTransition] public static partial int TensorInfo(nint tensor, NativeInfo* info);
    [LibraryImport(Library, EntryPoint = "gradus_tensor_shape"), SuppressGCTransition] public static partial int TensorShape(nint tensor, long* sizes, long* strides);
    [LibraryImport(Library, EntryPoint = "gradus_tensor_live"), SuppressGCTransition] public static partial long TensorLive();

    [LibraryImport(Library, EntryPoint = "gradus_requires_grad")] public static partial int RequiresGrad(nint tensor, int on);
    [LibraryImport(Library, EntryPoint = "gradus_grad_get")] public static partial int GradGet(nint tensor, out nint grad);
    [LibraryImport(Library, EntryPoint = "gradus_grad_set")] public static partial int GradSet(nint tensor, nint grad);
    [LibraryImport(Library, EntryPoint = "gradus_backward")] public static partial int Backward(nint* roots, nint* grads, int count, int retainGraph);
    [LibraryImport(Library, EntryPoint = "gradus_grad_mode"), SuppressGCTransition] public static partial int GradMode(int on);
    [LibraryImport(Library, EntryPoint = "gradus_function")]
    public static partial int Function(nint* inputs, int countIn, nint* outputs, int countOut,
        delegate* unmanaged<nint, nint*, int, byte*, nint*, int, int> backward, delegate* unmanaged<nint, void> release, nint state);

    [LibraryImport(Library, EntryPoint = "gradus_seed")] public static partial int Seed(long seed);
    [LibraryImport(Library, EntryPoint = "gradus_generator_new")] public static partial int GeneratorNew(long seed, int device, out nint generator);
    [LibraryImport(Library, EntryPoint = "gradus_generator_state")] public static partial int GeneratorState(nint generator, out nint state);
    [LibraryImport(Library, EntryPoint = "gradus_generator_restore")] public static partial int GeneratorRestore(nint generator, nint state);
    [LibraryImport(Library, EntryPoint = "gradus_generator_release")] public static partial void GeneratorRelease(nint generator);

    [LibraryImport(Library, EntryPoint = "gradus_threads")] public static partial int Threads(int count);
    [LibraryImport(Library, EntryPoint = "gradus_parallel")] public static partial int Parallel(long items, long grain, delegate* unmanaged<nint, long, long, void> body, nint state);

    [LibraryImport(Library, EntryPoint = "gradus_device_count")] public static partial int DeviceCount(int type);
    [LibraryImport(Library, EntryPoint = "gradus_device_synchronize")] public static partial int DeviceSynchronize(int device);
    [LibraryImport(Library, EntryPoint = "gradus_device_memory")] public static partial int DeviceMemory(int device, out long allocated, out long peak, out long reserved);

    [LibraryImport(Library, EntryPoint = "gradus_group_new", StringMarshalling = StringMarshalling.Utf8)] public static partial int GroupNew(string backend, string host, int port, int rank, int size, long timeoutMs, out nint group);
    [LibraryImport(Library, EntryPoint = "gradus_group_all_reduce", StringMarshalling = StringMarshalling.Utf8)] public static partial int GroupAllReduce(nint group, nint tensor, string reduction);
    [LibraryImport(Library, EntryPoint = "gradus_group_broadcast")] public static partial int GroupBroadcast(nint group, nint tensor, int root);
    [LibraryImport(Library, EntryPoint = "gradus_group_all_gather")] public static partial int GroupAllGather(nint group, nint tensor, nint* outputs);
    [LibraryImport(Library, EntryPoint = "gradus_group_barrier")] public static partial int GroupBarrier(nint group);
    [LibraryImport(Library, EntryPoint = "gradus_group_release")] public static partial void GroupRelease(nint group);

    public static string Text(byte* utf8) => Marshal.PtrToStringUTF8((nint)utf8) ?? "";

    public static void Check(int failed, string what)
    {
        if (failed != 0) throw new EngineException(what, Text(Error()));
    }
}

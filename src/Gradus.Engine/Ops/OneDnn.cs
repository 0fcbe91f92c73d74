using System.Runtime.InteropServices;
using Gradus.Engine.Native;
using Gradus.Engine.Tensors;

namespace Gradus.Engine.Ops;

/// <summary>
/// Matrix products straight from oneDNN, the library libtorch's own bfloat16 products come from: one primitive a shape, made once, with
/// any strides (no transposed copies), float32 results of bfloat16 factors, and accumulation into the result. Uses the copy of oneDNN
/// that libtorch has loaded, or none: two copies would bring two thread pools. Speaks the C interface of 2.x and of 3.x.
/// </summary>
internal static unsafe class OneDnn
{
    private const int Cpu = 1, InOrder = 1, Bf16 = 2, F32 = 3;
    private const int ArgSource = 1, ArgWeights = 33, ArgBias = 41, ArgDestination = 17;
    // Larger than dnnl_memory_desc_t and dnnl_matmul_desc_t of any 2.x; only oneDNN looks inside.
    private const int DescriptorBytes = 1024, OperationBytes = 8192;

    // Each holds machine code. Rows of ever new lengths ask for ever new products: when there are so many, those longest unused go.
    private const int MostProducts = 1024;

    private static readonly Lock s_lock = new();
    private static readonly Dictionary<Problem, Product?> s_products = [];
    private static long s_uses;
    private static readonly bool s_loaded = Load();

    private static bool s_three;
    private static nint s_engine, s_stream;
    private static delegate* unmanaged<void*, int, long*, int, long*, int> s_describe;
    private static delegate* unmanaged<void**, int, long*, int, long*, int> s_describe3;
    private static delegate* unmanaged<void*, void*, void*, void*, void*, int> s_matmul;
    private static delegate* unmanaged<nint*, nint, void*, void*, void*, void*, nint, int> s_matmul3;
    private static delegate* unmanaged<nint*, void*, nint, nint, nint, int> s_describePrimitive;
    private static delegate* unmanaged<nint*, nint, int> s_createPrimitive;
    private static delegate* unmanaged<nint*, void*, nint, nint, int> s_createMemory;
    private static delegate* unmanaged<nint, void*, int> s_setHandle;
    private static delegate* unmanaged<nint, nint, int, Argument*, int> s_execute;
    private static delegate* unmanaged<nint*, int> s_createAttributes, s_createPostOps;
    private static delegate* unmanaged<nint, float, int> s_appendSum;
    private static delegate* unmanaged<nint, float, int, int, int> s_appendSum3;
    private static delegate* unmanaged<nint, nint, int> s_setPostOps;
    private static delegate* unmanaged<nint, int> s_destroyPrimitive, s_destroyMemory, s_destroyDescription, s_destroyAttributes, s_destroyPostOps;
    private static delegate* unmanaged<void*, int> s_destroyDescriptor3;

    [StructLayout(LayoutKind.Sequential)]
    private struct Argument
    {
        public int Index;
        public nint Memory;
    }

    /// <summary>
    /// C [rows, columns] (+)= A [rows, inner] · B [inner, columns] (+ bias [columns]), for each of two leading batch dimensions
    /// (1 where there are none). Strides are in elements; the last of C is 1.
    /// </summary>
    internal readonly record struct Problem(long Outer, long Batch, long Rows, long Inner, long Columns)
    {
        public DType In { get; init; }
        public DType Out { get; init; }
        public (long Outer, long Batch, long Row, long Column) A { get; init; }
        public (long Outer, long Batch, long Row, long Column) B { get; init; }
        public (long Outer, long Batch, long Row) C { get; init; }
        public DType? Bias { get; init; }
        public bool Accumulate { get; init; }

        /// <summary>Filled in by <see cref="TryRun"/>: a primitive is made for one number of threads.</summary>
        public int Threads { get; init; }

        /// <summary>One product of plain matrices; <c>transposed</c> means stored the other way round, without gaps.</summary>
        public static Problem Plain(long rows, long inner, long columns, bool aTransposed, bool bTransposed, DType input, DType output) => new(1, 1, rows, inner, columns)
        {
            In = input,
            Out = output,
            A = (rows * inner, rows * inner, aTransposed ? 1 : inner, aTransposed ? rows : 1),
            B = (inner * columns, inner * columns, bTransposed ? 1 : columns, bTransposed ? inner : 1),
            C = (rows * columns, rows * columns, columns),
        };
    }

    private sealed class Product(nint primitive, nint a, nint b, nint c, nint bias)
    {
        public readonly nint Primitive = primitive, A = a, B = b, C = c, Bias = bias;

        /// <summary>When it was last asked for, counted in calls.</summary>
        public long Used;

        public void Destroy()
        {
            _ = s_destroyPrimitive(Primitive);
            foreach (var memory in (ReadOnlySpan<nint>)[A, B, C, Bias])
                if (memory != 0) _ = s_destroyMemory(memory);
        }
    }

    /// <summary>True when libtorch's process has oneDNN and the environment does not forbid it (GRADUS_ONEDNN=0).</summary>
    public static bool IsAvailable => s_loaded;

    /// <summary>Computes; false when oneDNN is absent or cannot do this problem, and nothing has been written then.</summary>
    public static bool TryRun(Problem problem, void* a, void* b, void* c, void* bias = null)
    {
        if (!s_loaded) return false;
        problem = problem with { Threads = Abi.Threads(0) };
        lock (s_lock)
        {
            if (!s_products.TryGetValue(problem, out var product))
            {
                if (s_products.Count >= MostProducts) Forget();
                s_products[problem] = product = Make(problem);
            }
            if (product is null) return false;
            product.Used = ++s_uses;
            s_setHandle(product.A, a);
            s_setHandle(product.B, b);
            s_setHandle(product.C, c);
            var arguments = stackalloc Argument[4]
            {
                new() { Index = ArgSource, Memory = product.A },
                new() { Index = ArgWeights, Memory = product.B },
                new() { Index = ArgDestination, Memory = product.C },
                new() { Index = ArgBias, Memory = product.Bias },
            };
            if (product.Bias != 0) s_setHandle(product.Bias, bias);
            var status = s_execute(product.Primitive, s_stream, product.Bias != 0 ? 4 : 3, arguments);
            return status == 0 ? true : throw new EngineException("oneDNN matmul", $"status {status} for {problem}");
        }
    }

    /// <summary>The half that was not used for longest goes. Nothing is running: products run under the lock.</summary>
    private static void Forget()
    {
        foreach (var (problem, product) in s_products.OrderBy(entry => entry.Value?.Used ?? 0).Take(MostProducts / 2).ToList())
        {
            product?.Destroy();
            s_products.Remove(problem);
        }
    }

    private static Product? Make(in Problem p)
    {
        // One batch dimension, or none, where that says the same: oneDNN has its best kernels there.
        var skip = p.Outer == 1 && p.Batch == 1 ? 2 : p.Outer == 1 ? 1 : 0;
        var type = Type(p.In);
        void* a = Describe([p.Outer, p.Batch, p.Rows, p.Inner], [p.A.Outer, p.A.Batch, p.A.Row, p.A.Column], skip, type);
        void* b = Describe([p.Outer, p.Batch, p.Inner, p.Columns], [p.B.Outer, p.B.Batch, p.B.Row, p.B.Column], skip, type);
        void* c = Describe([p.Outer, p.Batch, p.Rows, p.Columns], [p.C.Outer, p.C.Batch, p.C.Row, 1], skip, Type(p.Out));
        void* bias = p.Bias is { } biasType ? Describe([1, 1, 1, p.Columns], [p.Columns, p.Columns, p.Columns, 1], skip, Type(biasType)) : null;
        var made = a == null || b == null || c == null || (p.Bias is not null && bias == null) ? null : Make(p.Accumulate, a, b, c, bias);
        Free(a);
        Free(b);
        Free(c);
        Free(bias);
        return made;
    }

    /// <summary>From descriptors, which oneDNN copies.</summary>
    private static Product? Make(bool accumulate, void* a, void* b, void* c, void* bias)
    {
        nint attributes = 0, postOps = 0, description = 0, primitive = 0, memoryA = 0, memoryB = 0, memoryC = 0, memoryBias = 0;
        var ok = true;
        if (accumulate)
        {
            ok = s_createAttributes(&attributes) == 0 && s_createPostOps(&postOps) == 0
                && (s_three ? s_appendSum3(postOps, 1, 0, 0) : s_appendSum(postOps, 1)) == 0 && s_setPostOps(attributes, postOps) == 0;
        }
        if (ok && s_three)
        {
            ok = s_matmul3(&description, s_engine, a, b, bias, c, attributes) == 0;
        }
        else if (ok)
        {
            var operation = stackalloc byte[OperationBytes];
            ok = s_matmul(operation, a, b, bias, c) == 0 && s_describePrimitive(&description, operation, attributes, s_engine, 0) == 0;
        }
        ok = ok && s_createPrimitive(&primitive, description) == 0
            && s_createMemory(&memoryA, a, s_engine, 0) == 0 && s_createMemory(&memoryB, b, s_engine, 0) == 0 && s_createMemory(&memoryC, c, s_engine, 0) == 0
            && (bias == null || s_createMemory(&memoryBias, bias, s_engine, 0) == 0);
        if (description != 0) _ = s_destroyDescription(description);
        if (postOps != 0) _ = s_destroyPostOps(postOps);
        if (attributes != 0) _ = s_destroyAttributes(attributes);
        return ok ? new Product(primitive, memoryA, memoryB, memoryC, memoryBias) : null;
    }

    private static void Free(void* descriptor)
    {
        if (descriptor == null) return;
        if (s_three) _ = s_destroyDescriptor3(descriptor);
        else NativeMemory.Free(descriptor);
    }

    private static int Type(DType type) => type switch
    {
        DType.BFloat16 => Bf16,
        DType.Float32 => F32,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "oneDNN products are float32 or bfloat16"),
    };

    private static void* Describe(ReadOnlySpan<long> sizes, ReadOnlySpan<long> strides, int skip, int type)
    {
        fixed (long* n = sizes[skip..], s = strides[skip..])
        {
            if (s_three)
            {
                void* made;
                return s_describe3(&made, 4 - skip, n, type, s) == 0 ? made : null;
            }
            var memory = NativeMemory.AllocZeroed(DescriptorBytes);
            if (s_describe(memory, 4 - skip, n, type, s) == 0) return memory;
            NativeMemory.Free(memory);
            return null;
        }
    }

    private static bool Load()
    {
        if (Environment.GetEnvironmentVariable("GRADUS_ONEDNN") == "0" || !OperatingSystem.IsLinux()) return false;
        _ = Abi.AbiNumber(); // libtorch first: its oneDNN is the one to use
        var path = File.ReadLines("/proc/self/maps").Where(line => line.Contains("/libdnnl.so", StringComparison.Ordinal)).Select(line => line[line.IndexOf('/', StringComparison.Ordinal)..]).FirstOrDefault();
        if (path is null || !System.Runtime.InteropServices.NativeLibrary.TryLoad(path, out var library)) return false;
        var missing = false;
        nint Find(string name)
        {
            if (!System.Runtime.InteropServices.NativeLibrary.TryGetExport(library, "dnnl_" + name, out var address)) missing = true;
            return address;
        }
        s_three = System.Runtime.InteropServices.NativeLibrary.TryGetExport(library, "dnnl_matmul_primitive_desc_create", out _);
        if (s_three)
        {
            s_describe3 = (delegate* unmanaged<void**, int, long*, int, long*, int>)Find("memory_desc_create_with_strides");
            s_matmul3 = (delegate* unmanaged<nint*, nint, void*, void*, void*, void*, nint, int>)Find("matmul_primitive_desc_create");
            s_appendSum3 = (delegate* unmanaged<nint, float, int, int, int>)Find("post_ops_append_sum");
        }
        else
        {
            s_describe = (delegate* unmanaged<void*, int, long*, int, long*, int>)Find("memory_desc_init_by_strides");
            s_matmul = (delegate* unmanaged<void*, void*, void*, void*, void*, int>)Find("matmul_desc_init");
            s_describePrimitive = (delegate* unmanaged<nint*, void*, nint, nint, nint, int>)Find("primitive_desc_create");
            s_appendSum = (delegate* unmanaged<nint, float, int>)Find("post_ops_append_sum");
        }
        s_createPrimitive = (delegate* unmanaged<nint*, nint, int>)Find("primitive_create");
        s_createMemory = (delegate* unmanaged<nint*, void*, nint, nint, int>)Find("memory_create");
        s_setHandle = (delegate* unmanaged<nint, void*, int>)Find("memory_set_data_handle");
        s_execute = (delegate* unmanaged<nint, nint, int, Argument*, int>)Find("primitive_execute");
        s_createAttributes = (delegate* unmanaged<nint*, int>)Find("primitive_attr_create");
        s_createPostOps = (delegate* unmanaged<nint*, int>)Find("post_ops_create");
        s_setPostOps = (delegate* unmanaged<nint, nint, int>)Find("primitive_attr_set_post_ops");
        s_destroyPrimitive = (delegate* unmanaged<nint, int>)Find("primitive_destroy");
        s_destroyMemory = (delegate* unmanaged<nint, int>)Find("memory_destroy");
        s_destroyDescription = (delegate* unmanaged<nint, int>)Find("primitive_desc_destroy");
        s_destroyAttributes = (delegate* unmanaged<nint, int>)Find("primitive_attr_destroy");
        s_destroyPostOps = (delegate* unmanaged<nint, int>)Find("post_ops_destroy");
        if (s_three) s_destroyDescriptor3 = (delegate* unmanaged<void*, int>)Find("memory_desc_destroy");
        var createEngine = (delegate* unmanaged<nint*, int, nint, int>)Find("engine_create");
        var createStream = (delegate* unmanaged<nint*, nint, uint, int>)Find("stream_create");
        if (missing) return false;
        nint engine, stream;
        if (createEngine(&engine, Cpu, 0) != 0 || createStream(&stream, engine, InOrder) != 0) return false;
        (s_engine, s_stream) = (engine, stream);
        return true;
    }
}

using System.Buffers;
using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Gradus.Engine.Native;
using Gradus.Engine.Tensors;

namespace Gradus.Engine.Ops;

/// <summary>
/// An operator of libtorch, found once by name and called through the dispatcher: <c>Op.Find("aten::add.Tensor", "self, other")</c>.
/// The argument names are what our wrapper passes, in order; a test holds them against the dispatcher's own schema.
/// </summary>
public sealed unsafe class Op
{
    private const int MostResults = 512;
    private static readonly ConcurrentDictionary<string, Op> s_declared = new(StringComparer.Ordinal);
    private readonly nint _handle;

    private Op(string name, string arguments, nint handle)
    {
        Name = name;
        Arguments = arguments;
        _handle = handle;
    }

    /// <summary>For example <c>aten::add.Tensor</c>.</summary>
    public string Name { get; }

    /// <summary>Names of the arguments that our wrapper passes, comma-separated.</summary>
    public string Arguments { get; }

    /// <summary>The dispatcher's schema.</summary>
    public string Schema => Abi.Text(Abi.OpSchema(_handle));

    /// <summary>Every operator found so far.</summary>
    public static IReadOnlyCollection<Op> Declared => [.. s_declared.Values.OrderBy(op => op.Name, StringComparer.Ordinal)];

    /// <exception cref="EngineException">This libtorch has no such operator.</exception>
    public static Op Find(string name, string arguments)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (!TryFind(name, arguments, out var op)) throw new EngineException(name, Abi.Text(Abi.Error()));
        return op;
    }

    /// <summary>Whether this libtorch has the operator; operators differ between versions.</summary>
    public static bool Exists(string name) => TryFind(name, "", out _);

    private static bool TryFind(string name, string arguments, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out Op? op)
    {
        var dot = name.IndexOf('.', StringComparison.Ordinal);
        op = null;
        if (Abi.OpFind(dot < 0 ? name : name[..dot], dot < 0 ? "" : name[(dot + 1)..], out var handle) != 0) return false;
        op = new Op(name, arguments, handle);
        if (arguments.Length > 0) s_declared[name] = op;
        return true;
    }

    /// <summary>Names of all operators registered in this libtorch, <c>namespace::name.overload</c>, sorted.</summary>
    public static IReadOnlyList<string> All()
    {
        var names = new List<string>();
        var pin = GCHandle.Alloc(names);
        try { Abi.Check(Abi.OpList(&Visit, GCHandle.ToIntPtr(pin)), "list of operators"); }
        finally { pin.Free(); }
        names.Sort(StringComparer.Ordinal);
        return names;
    }

    [UnmanagedCallersOnly]
    private static void Visit(nint state, byte* name, byte* overload)
    {
        var suffix = Abi.Text(overload);
        ((List<string>)GCHandle.FromIntPtr(state).Target!).Add(suffix.Length == 0 ? Abi.Text(name) : $"{Abi.Text(name)}.{suffix}");
    }

    /// <summary>Calls an operator that returns one tensor.</summary>
    public Tensor Call(params ReadOnlySpan<Arg> args)
    {
        NativeArg result;
        var produced = Invoke(args, &result, 1);
        return produced == 1 && result.Tag == Tag.Tensor ? new Tensor((nint)result.Bits) : throw new EngineException(Name, "the result is not one tensor");
    }

    /// <summary>Calls an operator for its effect; results, if any, are released.</summary>
    public void Run(params ReadOnlySpan<Arg> args)
    {
        var results = stackalloc NativeArg[8];
        var produced = Invoke(args, results, 8);
        for (var i = 0; i < produced; i++)
            if (results[i].Tag == Tag.Tensor)
                Abi.TensorRelease((nint)results[i].Bits);
    }

    /// <summary>Calls an operator that returns several tensors, or a list of them.</summary>
    public Tensor[] CallMany(params ReadOnlySpan<Arg> args)
    {
        var results = stackalloc NativeArg[MostResults];
        var produced = Invoke(args, results, MostResults);
        var tensors = new Tensor[produced];
        for (var i = 0; i < produced; i++) tensors[i] = results[i].Bits == 0 ? null! : new Tensor((nint)results[i].Bits);
        return tensors;
    }

    /// <summary>Calls an operator that returns one number.</summary>
    public double CallNumber(params ReadOnlySpan<Arg> args)
    {
        NativeArg result;
        Invoke(args, &result, 1);
        return result.Tag == Tag.Double ? BitConverter.Int64BitsToDouble(result.Bits) : result.Bits;
    }

    [SkipLocalsInit]
    private int Invoke(ReadOnlySpan<Arg> args, NativeArg* results, int capacity)
    {
        // Lists and strings are laid out in scratch: the stack for all but very long ones.
        var need = 0;
        foreach (ref readonly var arg in args) need += ScratchFor(arg);
        byte[]? rented = null;
        var scratch = need <= 2048 ? stackalloc byte[2048] : (rented = ArrayPool<byte>.Shared.Rent(need));
        try
        {
            fixed (byte* memory = scratch)
            {
                var native = stackalloc NativeArg[args.Length];
                var free = memory;
                for (var i = 0; i < args.Length; i++) native[i] = Lay(args[i], ref free);
                int produced;
                if (Abi.OpCall(_handle, native, args.Length, results, capacity, &produced) != 0) throw Failure(args);
                return produced;
            }
        }
        finally
        {
            // The arguments must outlive the call even when the caller holds them no longer.
            foreach (ref readonly var arg in args) GC.KeepAlive(arg.Object);
            if (rented is not null) ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private static int ScratchFor(in Arg arg) => arg.Tag switch
    {
        Tag.Ints or Tag.Doubles or Tag.Tensors => 8 * ((Array)arg.Object!).Length + 8,
        Tag.Bools => ((bool[])arg.Object!).Length + 8,
        Tag.String => Encoding.UTF8.GetMaxByteCount(((string)arg.Object!).Length) + 8,
        _ => 0,
    };

    private static NativeArg Lay(in Arg arg, ref byte* free)
    {
        switch (arg.Tag)
        {
            case Tag.Tensor:
                return new() { Tag = Tag.Tensor, Bits = ((Tensor)arg.Object!).Handle };
            case Tag.Generator:
                return new() { Tag = Tag.Generator, Bits = ((Generator)arg.Object!).Handle };
            case Tag.Ints:
            {
                var values = (long[])arg.Object!;
                var at = Aligned(ref free, 8 * values.Length);
                values.CopyTo(new Span<long>(at, values.Length));
                return new() { Tag = Tag.Ints, Count = values.Length, Bits = (long)at };
            }
            case Tag.Doubles:
            {
                var values = (double[])arg.Object!;
                var at = Aligned(ref free, 8 * values.Length);
                values.CopyTo(new Span<double>(at, values.Length));
                return new() { Tag = Tag.Doubles, Count = values.Length, Bits = (long)at };
            }
            case Tag.Bools:
            {
                var values = (bool[])arg.Object!;
                var at = Aligned(ref free, values.Length);
                values.CopyTo(new Span<bool>(at, values.Length));
                return new() { Tag = Tag.Bools, Count = values.Length, Bits = (long)at };
            }
            case Tag.Tensors:
            {
                var values = (Tensor?[])arg.Object!;
                var at = (nint*)Aligned(ref free, 8 * values.Length);
                for (var i = 0; i < values.Length; i++) at[i] = values[i]?.Handle ?? 0;
                return new() { Tag = Tag.Tensors, Count = values.Length, Bits = (long)at };
            }
            case Tag.String:
            {
                var text = (string)arg.Object!;
                var at = Aligned(ref free, Encoding.UTF8.GetMaxByteCount(text.Length));
                var length = Encoding.UTF8.GetBytes(text, new Span<byte>(at, Encoding.UTF8.GetMaxByteCount(text.Length)));
                return new() { Tag = Tag.String, Count = length, Bits = (long)at };
            }
            default:
                return new() { Tag = arg.Tag, Bits = arg.Bits };
        }
    }

    private static byte* Aligned(ref byte* free, int bytes)
    {
        var at = (byte*)(((nint)free + 7) & ~7);
        free = at + bytes;
        return at;
    }

    private EngineException Failure(ReadOnlySpan<Arg> args)
    {
        var reason = Abi.Text(Abi.Error());
        var shapes = new List<string>();
        foreach (ref readonly var arg in args)
            if (arg.Describe() is { Length: > 0 } shape)
                shapes.Add(shape);
        return new EngineException($"{Name}: {string.Join(" and ", shapes)}", reason, Grad.TakeManagedFailure());
    }

    public override string ToString() => Name;
}

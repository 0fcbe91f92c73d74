using System.Runtime.InteropServices;
using Gradus.Engine.Native;

namespace Gradus.Engine.Tensors;

/// <summary>Gradient modes, autograd functions written in C#, and recomputation.</summary>
public static class Grad
{
    [ThreadStatic] private static Exception? t_failure;

    /// <summary>Whether operations on this thread are recorded.</summary>
    public static bool IsOn => Abi.GradMode(-1) != 0;

    /// <summary>Runs a part of a method without recording.</summary>
    public static T Off<T>(Func<T> body)
    {
        ArgumentNullException.ThrowIfNull(body);
        using var off = Off();
        return body();
    }

    /// <inheritdoc cref="Off{T}(Func{T})"/>
    public static void Off(Action body)
    {
        ArgumentNullException.ThrowIfNull(body);
        using var off = Off();
        body();
    }

    /// <summary>Turns recording off until disposed. Only as a method's first line: <c>using var _ = Grad.Off();</c> in mid-method reaches to its end.</summary>
    public static ModeScope Off() => new(false);

    /// <summary>Turns recording on until disposed.</summary>
    public static ModeScope On() => new(true);

    /// <summary>Adds the gradients of <paramref name="root"/> (a scalar unless <paramref name="gradient"/> is given) to the leaves it came from.</summary>
    public static void Backward(Tensor root, Tensor? gradient = null, bool retainGraph = false) => Backward([root], [gradient], retainGraph);

    /// <inheritdoc cref="Backward(Tensor, Tensor?, bool)"/>
    public static unsafe void Backward(ReadOnlySpan<Tensor> roots, ReadOnlySpan<Tensor?> gradients, bool retainGraph = false)
    {
        var r = stackalloc nint[roots.Length];
        var g = stackalloc nint[roots.Length];
        for (var i = 0; i < roots.Length; i++)
        {
            r[i] = roots[i].Handle;
            g[i] = gradients[i]?.Handle ?? 0;
        }
        if (Abi.Backward(r, g, roots.Length, retainGraph ? 1 : 0) != 0)
        {
            var reason = Abi.Text(Abi.Error());
            throw TakeManagedFailure() is { } inner ? new EngineException("backward", inner.Message, inner) : new EngineException("backward", reason);
        }
    }

    /// <summary>
    /// Enters <paramref name="outputs"/>, computed without recording, into the graph as a function of <paramref name="inputs"/>.
    /// <paramref name="backward"/> gets the gradients of the outputs (null where none arrived) and returns those of the inputs
    /// (null where not needed). Tensors it needs are held through <see cref="FunctionContext.Save"/>; an output must be saved detached,
    /// or it and its history would keep each other alive.
    /// </summary>
    public static unsafe void Attach(ReadOnlySpan<Tensor> inputs, ReadOnlySpan<Tensor> outputs, FunctionContext context, Func<FunctionContext, Tensor?[], Tensor?[]> backward)
    {
        ArgumentNullException.ThrowIfNull(context);
        context.Backward = backward;
        var needed = false;
        foreach (var input in inputs) needed |= input.RequiresGrad;
        if (!IsOn || !needed)
        {
            context.Dispose();
            return;
        }
        var i = stackalloc nint[inputs.Length];
        var o = stackalloc nint[outputs.Length];
        for (var k = 0; k < inputs.Length; k++) i[k] = inputs[k].Handle;
        for (var k = 0; k < outputs.Length; k++) o[k] = outputs[k].Handle;
        var state = GCHandle.Alloc(context);
        if (Abi.Function(i, inputs.Length, o, outputs.Length, &RunBackward, &Release, GCHandle.ToIntPtr(state)) == 0) return;
        state.Free();
        context.Dispose();
        throw new EngineException("autograd function", Abi.Text(Abi.Error()));
    }

    /// <summary>
    /// Activation checkpointing (Chen et al., 2016): computes <paramref name="body"/> without keeping its activations and computes
    /// it again, with the same random numbers, when the gradient arrives.
    /// </summary>
    public static Tensor Checkpoint(Tensor input, Func<Tensor, Tensor> body)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(body);
        if (!IsOn) return body(input);
        // Behind frozen layers the input has no history, and what the body itself trains would get no gradient: the graph must lead into it.
        if (!input.RequiresGrad)
        {
            input = input.Detach();
            input.RequiresGrad = true;
        }
        var context = new FunctionContext();
        var random = context.Save(Generator.DefaultState());
        var saved = context.Save(input);
        var output = Off(() => Tensor.Scoped(() => body(input)));
        if (output.SharesStorage(input)) output = Off(output.Clone);
        Attach([input], [output], context, (_, grads) =>
        {
            using var scope = Tensor.Scope();
            var after = Generator.DefaultState();
            Generator.RestoreDefault(random);
            var leaf = saved.Detach();
            leaf.RequiresGrad = true;
            using (On()) Backward(body(leaf), grads[0]);
            Generator.RestoreDefault(after);
            return [leaf.Gradient?.Keep()];
        });
        return output;
    }

    internal static Exception? TakeManagedFailure()
    {
        var failure = t_failure;
        t_failure = null;
        return failure;
    }

    [UnmanagedCallersOnly]
    private static unsafe int RunBackward(nint state, nint* grads, int countIn, byte* needed, nint* results, int countOut)
    {
        try
        {
            var context = (FunctionContext)GCHandle.FromIntPtr(state).Target!;
            using var scope = Tensor.Scope();
            using var off = Off();
            var incoming = new Tensor?[countIn];
            for (var i = 0; i < countIn; i++) incoming[i] = grads[i] == 0 ? null : new Tensor(grads[i]);
            context.Needed = new ReadOnlySpan<byte>(needed, countOut).ToArray();
            var outgoing = context.Backward!(context, incoming);
            for (var i = 0; i < countOut && i < outgoing.Length; i++)
                if (outgoing[i] is { } gradient && needed[i] != 0)
                    Abi.Check(Abi.TensorRetain(gradient.Handle, out results[i]), "gradient");
            // A kept result would outlive its purpose: libtorch holds its own reference now.
            foreach (var gradient in outgoing)
                if (gradient is { Owner: null } && !context.Holds(gradient))
                    gradient.Dispose();
            return 0;
        }
        catch (Exception e) // nothing may cross into native code; Backward rethrows it
        {
            t_failure = e;
            return 1;
        }
    }

    [UnmanagedCallersOnly]
    private static void Release(nint state)
    {
        var handle = GCHandle.FromIntPtr(state);
        ((FunctionContext)handle.Target!).Dispose();
        handle.Free();
    }

    /// <summary>Restores the former gradient mode when disposed.</summary>
    public readonly struct ModeScope : IDisposable
    {
        private readonly int _former;

        internal ModeScope(bool on) => _former = Abi.GradMode(on ? 1 : 0);

        public void Dispose() => _ = Abi.GradMode(_former);
    }
}

/// <summary>What an autograd function keeps between forward and backward.</summary>
public sealed class FunctionContext : IDisposable
{
    private readonly List<Tensor> _saved = [];

    internal Func<FunctionContext, Tensor?[], Tensor?[]>? Backward { get; set; }
    internal byte[] Needed { get; set; } = [];

    /// <summary>During backward: whether the gradient of input <paramref name="index"/> is wanted.</summary>
    public bool Needs(int index) => Needed[index] != 0;

    /// <summary>A handle on <paramref name="tensor"/> that lives until the graph is freed.</summary>
    public Tensor Save(Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        var held = tensor.Retain();
        _saved.Add(held);
        return held;
    }

    internal bool Holds(Tensor tensor) => _saved.Contains(tensor);

    public void Dispose()
    {
        foreach (var tensor in _saved) tensor.Dispose();
        _saved.Clear();
        Backward = null;
    }
}

using Gradus.Engine.Tensors;
using Gradus.Foundation.Kernels;

namespace Gradus.Engine.Ops;

public static partial class F
{
    // Ranges of the parallel loops: small enough to balance, large enough to pay for the call.
    internal const long Grain = 1 << 14;

    /// <summary>
    /// One AdamW update of <paramref name="parameter"/> in place, on all threads, in one pass with <see cref="AdamWKernel"/>.
    /// All float32, contiguous, on the CPU; <paramref name="copy"/> (bfloat16) receives the new value. Elementwise, so the same bits for
    /// any number of threads. The parameter's version moves on, as with any in-place write.
    /// </summary>
    public static unsafe void AdamWStep(Tensor parameter, Tensor gradient, Tensor mean, Tensor square, Tensor? copy, AdamWStep step)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        ArgumentNullException.ThrowIfNull(gradient);
        ArgumentNullException.ThrowIfNull(mean);
        ArgumentNullException.ThrowIfNull(square);
        foreach (var tensor in new[] { parameter, gradient, mean, square })
            if (tensor.DType != DType.Float32 || tensor.Elements != parameter.Elements)
                throw new ArgumentException($"parameter, gradient and moments must be float32 of one size: {tensor.Describe()} beside {parameter.Describe()}");
        if (copy is not null && (copy.DType != DType.BFloat16 || copy.Elements != parameter.Elements))
            throw new ArgumentException($"the copy of {parameter.Describe()} must be bfloat16 of the same size: {copy.Describe()}", nameof(copy));
        var (p, g, m, v) = ((nint)parameter.Pointer<float>(), (nint)gradient.Pointer<float>(), (nint)mean.Pointer<float>(), (nint)square.Pointer<float>());
        var c = copy is null ? 0 : (nint)copy.Pointer<ushort>();
        Threads.For(parameter.Elements, Grain, (from, to) =>
        {
            // A span holds at most 2^31 elements.
            for (var at = from; at < to; at += 1 << 30)
            {
                var n = (int)Math.Min(to - at, 1 << 30);
                AdamWKernel.Step(new((float*)p + at, n), new((float*)g + at, n), new((float*)m + at, n), new((float*)v + at, n),
                    c == 0 ? [] : new Span<ushort>((ushort*)c + at, n), step);
            }
        });
        foreach (var tensor in copy is null ? [parameter, mean, square] : new[] { parameter, mean, square, copy }) Written(tensor);
    }

    /// <summary>Moves the version on after a write through a pointer, so that autograd and copies notice.</summary>
    internal static void Written(Tensor tensor)
    {
        using var off = Grad.Off();
        using var scope = Tensor.Scope();
        tensor.Detach().View(-1).Narrow(0, 0, 0).Zero();
    }
}

using Gradus.Engine.Tensors;

namespace Gradus.Tests.Engine.Ops;

/// <summary>Runs an operation forward and backward and compares with its plain formula in float64.</summary>
internal static class FastPath
{
    public static Tensor Normal(long seed, params long[] shape)
    {
        using var generator = new Generator(seed);
        return Tensor.Normal(generator, 0, 1, shape);
    }

    /// <summary>The output and the gradient of every leaf, for the loss Σ output · (fixed normal draws).</summary>
    public static (double[] Output, double[][] Gradients) Run(Func<Tensor[], Tensor> body, Tensor[] inputs, DType[] types, double upstream = 1)
    {
        using var scope = Tensor.Scope();
        var leaves = inputs.Select((input, i) =>
        {
            var leaf = input.To(types[i]).Clone();
            if (types[i].IsFloating) leaf.RequiresGrad = true;
            return leaf;
        }).ToArray();
        var output = body(leaves);
        var weights = Normal(99, output.Shape).To(output.DType) * upstream;
        (output * weights).Sum().Backward();
        return (output.ToArray<double>(), [.. leaves.Where(leaf => leaf.RequiresGrad).Select(leaf => leaf.Gradient!.ToArray<double>())]);
    }

    /// <summary>Largest difference relative to the largest magnitude: the error of sums, which small entries share with large ones.</summary>
    public static double Error(double[] actual, double[] expected)
    {
        Assert.Equal(expected.Length, actual.Length);
        var scale = expected.Max(Math.Abs);
        return actual.Zip(expected, (a, e) => Math.Abs(a - e)).Max() / (scale == 0 ? 1 : scale);
    }

    public static void Agree(Func<Tensor[], Tensor> fast, Func<Tensor[], Tensor> plain, Tensor[] inputs, DType[] types, double tolerance)
    {
        var actual = Run(fast, inputs, types);
        // The inputs as the fast path saw them, then everything in float64.
        var rounded = inputs.Select((input, i) => types[i].IsFloating ? input.To(types[i]).To(DType.Float64) : input).ToArray();
        var expected = Run(plain, rounded, [.. types.Select(type => type.IsFloating ? DType.Float64 : type)]);
        Assert.True(Error(actual.Output, expected.Output) <= tolerance, $"output differs by {Error(actual.Output, expected.Output):g3}");
        Assert.Equal(expected.Gradients.Length, actual.Gradients.Length);
        for (var i = 0; i < expected.Gradients.Length; i++)
            Assert.True(Error(actual.Gradients[i], expected.Gradients[i]) <= tolerance, $"gradient {i} differs by {Error(actual.Gradients[i], expected.Gradients[i]):g3}");
    }
}

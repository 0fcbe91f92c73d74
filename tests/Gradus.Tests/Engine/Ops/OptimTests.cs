using Gradus.Engine.Ops;
using Gradus.Engine.Tensors;
using Gradus.Foundation.Kernels;

namespace Gradus.Tests.Engine.Ops;

[Row("G1")]
public class OptimTests
{
    [Fact]
    public void The_update_on_all_threads_equals_the_kernel_and_moves_the_version()
    {
        using var scope = Tensor.Scope();
        var step = new AdamWStep { LearningRate = 1e-3, Beta1 = 0.9, Beta2 = 0.99, Epsilon = 1e-8, WeightDecay = 0.01, Step = 1 };
        var g = new Generator(1);
        using var _ = g;
        const int count = 100_003;
        var (p, d, m, v) = (Tensor.Normal(g, 0, 1, count), Tensor.Normal(g, 0, 1, count), Tensor.Zeros(DType.Float32, Device.Cpu, count), Tensor.Zeros(DType.Float32, Device.Cpu, count));
        var copy = Tensor.Zeros(DType.BFloat16, Device.Cpu, count);
        float[] expected = p.ToArray<float>(), mean = m.ToArray<float>(), square = v.ToArray<float>();
        AdamWKernel.Step(expected, d.ToArray<float>(), mean, square, [], step);
        p.RequiresGrad = true;
        var version = p.Version;
        F.AdamWStep(p, d, m, v, copy, step);
        Assert.Equal(expected, p.ToArray<float>());
        Assert.Equal(mean, m.ToArray<float>());
        Assert.Equal(square, v.ToArray<float>());
        Assert.Equal(p.To(DType.BFloat16).ToArray<float>(), copy.ToArray<float>());
        Assert.True(p.Version > version);
    }
}

using BenchmarkDotNet.Attributes;
using Gradus.Engine.Tensors;

namespace Gradus.Bench;

/// <summary>What a call through the dispatcher costs: an addition of one number, without a graph, with one, and with its backward pass.</summary>
public class EngineCalls
{
    private Tensor _plain = null!, _leaf = null!;

    [GlobalSetup]
    public void Prepare()
    {
        (_plain, _leaf) = (Tensor.Ones(DType.Float32, Device.Cpu, 1).Keep(), Tensor.Ones(DType.Float32, Device.Cpu, 1).Keep());
        _leaf.RequiresGrad = true;
    }

    [GlobalCleanup]
    public void Free()
    {
        _plain.Dispose();
        _leaf.Dispose();
    }

    [Benchmark(Baseline = true)]
    public void Add()
    {
        using var sum = _plain + _plain;
    }

    [Benchmark]
    public void AddRecorded()
    {
        using var sum = _leaf + _plain;
    }

    [Benchmark]
    public void AddAndBackward()
    {
        using var sum = _leaf + _plain;
        sum.Backward();
        _leaf.Gradient = null;
    }
}

using Gradus.Engine;
using Gradus.Engine.Ops;
using Gradus.Engine.Tensors;

namespace Gradus.Tests.Engine.Tensors;

public class TensorTests
{
    [Fact]
    public void A_scope_releases_what_was_born_inside_except_what_was_kept_or_returned()
    {
        var before = Tensor.Live;
        Tensor kept, returned;
        using (var outer = Tensor.Scope())
        {
            using (var inner = Tensor.Scope())
            {
                kept = Tensor.From([1f, 2f], 2).Keep();
                returned = inner.Return(kept + 1);
                _ = kept * 3;
            }
            Assert.Equal(before + 2, Tensor.Live);
            Assert.Equal([2f, 3f], returned.ToArray<float>());
        }
        Assert.True(returned.IsDisposed);
        Assert.Equal(before + 1, Tensor.Live);
        kept.Dispose();
        Assert.Equal(before, Tensor.Live);
    }

    [Fact]
    public void The_memory_of_tensors_is_counted_at_its_peak_too()
    {
        const long Block = 256L << 20; // more than any other test holds at once
        var before = Device.Cpu.Memory();
        using (Tensor.Scope())
        {
            var big = Tensor.Zeros(DType.Float32, Device.Cpu, Block / 4);
            _ = big.Narrow(0, 0, 8); // a view takes nothing
            Assert.InRange(Device.Cpu.Memory().Allocated - before.Allocated, Block, Block + (1 << 20));
        }
        var after = Device.Cpu.Memory();
        Assert.InRange(after.Allocated, 0, before.Allocated + (1 << 16)); // garbage of other tests may go meanwhile
        Assert.InRange(after.Peak, before.Allocated + Block, long.MaxValue);
    }

    [Fact]
    public void A_mismatch_names_the_operator_and_both_shapes_and_later_the_module()
    {
        using var scope = Tensor.Scope();
        var (a, b) = (Tensor.Zeros(DType.Float32, Device.Cpu, 3, 4), Tensor.Zeros(DType.Float32, Device.Cpu, 5, 6));
        var e = Assert.Throws<EngineException>(() => a.MatMul(b));
        Assert.StartsWith("aten::matmul: 3x4 and 5x6", e.Message, StringComparison.Ordinal);
        e.At("layers.3.self_attn.q_proj");
        Assert.EndsWith("(in layers.3.self_attn.q_proj)", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Gradients_of_a_product_are_the_other_factor()
    {
        using var scope = Tensor.Scope();
        var (a, b) = (Tensor.From([1f, 2f, 3f], 3), Tensor.From([4f, 5f, 6f], 3));
        a.RequiresGrad = b.RequiresGrad = true;
        (a * b).Sum().Backward();
        Assert.Equal([4f, 5f, 6f], a.Gradient!.ToArray<float>());
        Assert.Equal([1f, 2f, 3f], b.Gradient!.ToArray<float>());
    }

    [Fact]
    public void Off_stops_recording_only_inside()
    {
        using var scope = Tensor.Scope();
        var a = Tensor.From([1f], 1);
        a.RequiresGrad = true;
        Assert.False(Grad.Off(() => a * 2).RequiresGrad);
        Assert.True((a * 2).RequiresGrad);
    }

    [Fact]
    public void A_managed_autograd_function_gives_the_gradient_it_computes_and_frees_what_it_saved()
    {
        var before = Tensor.Live;
        using (Tensor.Scope())
        {
            var x = Tensor.From([1.0, 2.0, 3.0], 3);
            x.RequiresGrad = true;
            var y = Cube(x);
            (y * Tensor.From([1.0, 10.0, 100.0], 3)).Sum().Backward();
            Assert.Equal([3.0, 120.0, 2700.0], x.Gradient!.ToArray<double>());
        }
        Assert.Equal(before, Tensor.Live);
    }

    [Fact]
    public void A_failure_inside_a_managed_backward_reaches_the_caller_with_its_own_message()
    {
        using var scope = Tensor.Scope();
        var x = Tensor.From([1.0], 1);
        x.RequiresGrad = true;
        var y = Grad.Off(() => x * 2);
        Grad.Attach([x], [y], new FunctionContext(), (_, _) => throw new InvalidOperationException("on purpose"));
        var e = Assert.Throws<EngineException>(() => y.Backward(Tensor.Ones(DType.Float64, Device.Cpu, 1)));
        Assert.Equal("on purpose", e.InnerException!.Message);
    }

    [Row("G12")]
    [Fact]
    public void Checkpointed_gradients_are_bit_equal_and_draw_the_same_dropout()
    {
        using var scope = Tensor.Scope();
        var weight = Tensor.From(Enumerable.Range(0, 64).Select(i => MathF.Sin(i)).ToArray(), 8, 8);
        var results = new List<(float[], float[])>();
        foreach (var checkpoint in new[] { false, true })
        {
            Generator.SeedDefault(7);
            var w = weight.Clone();
            w.RequiresGrad = true;
            var x = Tensor.From(Enumerable.Range(0, 16).Select(i => MathF.Cos(i)).ToArray(), 2, 8);
            x.RequiresGrad = true;
            Tensor Body(Tensor t) => F.Dropout(F.Linear(t, w).Gelu(), 0.5);
            var y = checkpoint ? Grad.Checkpoint(x, Body) : Body(x);
            F.Dropout(y, 0.25).Pow(2).Sum().Backward();
            results.Add((w.Gradient!.ToArray<float>(), x.Gradient!.ToArray<float>()));
        }
        Assert.Equal(results[0].Item1, results[1].Item1);
        Assert.Equal(results[0].Item2, results[1].Item2);
        Assert.Contains(results[0].Item1, g => g != 0);
    }

    [Fact]
    public void A_generator_with_one_seed_gives_one_stream()
    {
        using var scope = Tensor.Scope();
        using Generator a = new(42), b = new(42), c = new(43);
        var first = Tensor.Normal(a, 0, 1, 100).ToArray<float>();
        Assert.Equal(first, Tensor.Normal(b, 0, 1, 100).ToArray<float>());
        Assert.NotEqual(first, Tensor.Normal(c, 0, 1, 100).ToArray<float>());
    }

    [Fact]
    public void Using_a_disposed_tensor_is_a_managed_exception()
    {
        var t = Tensor.From([1f], 1);
        t.Dispose();
        t.Dispose();
        Assert.Throws<ObjectDisposedException>(() => t.Add(1));
    }

    [Fact]
    public void Shape_and_bytes_must_agree() =>
        Assert.Throws<ArgumentException>(() => Tensor.From([1f, 2f, 3f], 2, 2));

    private static Tensor Cube(Tensor x)
    {
        var y = Grad.Off(() => x.Pow(3));
        var context = new FunctionContext();
        var saved = context.Save(x);
        Grad.Attach([x], [y], context, (_, grads) => [grads[0]! * saved.Pow(2) * 3]);
        return y;
    }
}

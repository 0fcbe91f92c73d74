using Gradus.Engine.Tensors;
using Gradus.Foundation.Recipes;
using Gradus.Models.Nn;
using Gradus.Training.Optim;

namespace Gradus.Tests.Contracts;

/// <summary>What every registered optimiser must do, the next one included.</summary>
[Row("G1")]
public sealed class OptimizerContractTests
{
    public static TheoryData<string> Kinds() => [.. Components.Of(typeof(OptimizerOptions)).Select(c => c.Kind)];

    [Theory, MemberData(nameof(Kinds))]
    public void It_minimises_a_bowl(string kind)
    {
        using var scope = Tensor.Scope();
        using var p = new Parameter("p", Tensor.From([3f, -2, 1, 4], 2, 2));
        using var optimizer = Options(kind).Build([p]);
        var before = Loss(p);
        for (var i = 0; i < 400; i++) Step(p, optimizer);
        Assert.True(Loss(p) < before / 1000, $"{before} → {Loss(p)}");
    }

    [Theory, MemberData(nameof(Kinds))]
    public void A_restored_state_goes_on_bit_for_bit(string kind)
    {
        using var scope = Tensor.Scope();
        using var whole = new Parameter("p", Tensor.From([3f, -2, 1, 4], 2, 2));
        using var first = Options(kind).Build([whole]);
        for (var i = 0; i < 7; i++) Step(whole, first);

        using var resumed = new Parameter("p", whole.Value.Detach().Clone());
        using var second = Options(kind).Build([resumed]);
        var saved = first.State.ToDictionary(s => s.Name, s => s.Value.Clone());
        second.Restore(first.Steps, (name, into) => into.CopyFrom(saved[name]));
        using var forgetful = new Parameter("p", whole.Value.Detach().Clone());
        using var third = Options(kind).Build([forgetful]);
        for (var i = 0; i < 5; i++)
        {
            Step(whole, first);
            Step(resumed, second);
            Step(forgetful, third);
        }

        Assert.Equal(whole.Value.ToArray<float>(), resumed.Value.ToArray<float>());
        if (saved.Count > 0) Assert.NotEqual(whole.Value.ToArray<float>(), forgetful.Value.ToArray<float>()); // the state matters
    }

    [Theory, MemberData(nameof(Kinds))]
    public void A_parameter_without_gradient_or_not_trainable_is_left_alone(string kind)
    {
        using var scope = Tensor.Scope();
        using var p = new Parameter("p", Tensor.From([3f, -2], 2, 1));
        using var silent = new Parameter("silent", Tensor.From([1f, 2], 2, 1));
        using var frozen = new Parameter("frozen", Tensor.From([5f, 6], 2, 1)) { Trainable = false };
        using var optimizer = (Options(kind) with { WeightDecay = 0.1 }).Build([p, silent, frozen]);
        Step(p, optimizer);
        Assert.Equal([1f, 2], silent.Value.ToArray<float>());
        Assert.Equal([5f, 6], frozen.Value.ToArray<float>());
        Assert.NotEqual([3f, -2], p.Value.ToArray<float>());
        Assert.DoesNotContain(optimizer.State, s => s.Name.StartsWith("frozen", StringComparison.Ordinal));
    }

    [Theory, MemberData(nameof(Kinds))]
    public void The_copy_in_smaller_precision_follows_the_master(string kind)
    {
        using var scope = Tensor.Scope();
        using var p = new Parameter("p", Tensor.From([3f, -2], 2, 1)) { ComputeType = DType.BFloat16 };
        using var optimizer = Options(kind).Build([p]);
        _ = p.Computed;
        Step(p, optimizer);
        Assert.Equal(p.Value.Detach().To(DType.BFloat16).ToArray<float>(), p.Computed.ToArray<float>());
    }

    private static OptimizerOptions Options(string kind)
    {
        var type = Components.Of(typeof(OptimizerOptions)).Single(c => c.Kind == kind).Type;
        return (OptimizerOptions)Activator.CreateInstance(type)! with { WeightDecay = 0 };
    }

    private static void Step(Parameter p, Optimizer optimizer)
    {
        using var scope = Tensor.Scope();
        p.Value.Gradient = null;
        p.Value.Mul(p.Value).Sum().Backward();
        optimizer.Apply(0.05);
    }

    private static double Loss(Parameter p) => p.Value.ToArray<float>().Sum(x => x * x);
}

using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Gradus.Engine;
using Gradus.Engine.Ops;
using Gradus.Engine.Tensors;

namespace Gradus.Tests.Engine.Ops;

public class OpTests
{
    [Fact]
    public void Every_wrapper_agrees_with_the_dispatchers_own_schema()
    {
        RuntimeHelpers.RunClassConstructor(typeof(Tensor).TypeHandle);
        RuntimeHelpers.RunClassConstructor(typeof(F).TypeHandle);
        Assert.True(Op.Declared.Count > 90);
        foreach (var op in Op.Declared)
        {
            var inside = Regex.Match(op.Schema, @"\((.*)\) ->").Groups[1].Value.Replace("*, ", "", StringComparison.Ordinal);
            var names = Regex.Matches(inside, @"\s([A-Za-z_0-9]+)(?:=[^,\]]*(?:\[[^\]]*\])?)?(?:,|$)").Select(m => m.Groups[1].Value).ToArray();
            var ours = op.Arguments.Split(", ");
            Assert.True(names.Take(ours.Length).SequenceEqual(ours), $"{op.Name} is wrapped as ({op.Arguments}) but is {op.Schema}");
        }
    }

    [Fact]
    public void An_operator_that_is_not_there_is_named()
    {
        Assert.False(Op.Exists("aten::no_such_thing"));
        Assert.Contains("aten::no_such_thing", Assert.Throws<EngineException>(() => Op.Find("aten::no_such_thing", "self")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Any_of_the_thousands_of_operators_can_be_called_by_name()
    {
        using var scope = Tensor.Scope();
        Assert.True(Op.All().Count > 1500);
        var outer = Op.Find("aten::outer", "self, vec2").Call(Tensor.From([1f, 2f], 2), Tensor.From([3f, 4f], 2));
        Assert.Equal([3f, 4f, 6f, 8f], outer.ToArray<float>());
        Assert.Throws<EngineException>(() => Op.Find("aten::outer", "self, vec2").Call(1, 2));
    }

    [Fact]
    public void A_parallel_loop_visits_each_item_once_and_carries_exceptions_home()
    {
        var visits = new int[1000];
        Threads.For(visits.Length, 10, (from, to) => { for (var i = from; i < to; i++) visits[i]++; });
        Assert.All(visits, v => Assert.Equal(1, v));
        Assert.Throws<InvalidOperationException>(() => Threads.For(100, 1, (_, _) => throw new InvalidOperationException("x")));
    }
}

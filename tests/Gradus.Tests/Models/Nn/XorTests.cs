using Gradus.Engine.Ops;
using Gradus.Engine.Tensors;
using Gradus.Models.Nn;

namespace Gradus.Tests.Models.Nn;

public class XorTests
{
    [Row("E1"), Theory]
    [InlineData("tanh", true, 1), InlineData("tanh", true, 2), InlineData("tanh", true, 3)]
    [InlineData("gelu", true, 1), InlineData("silu", true, 1), InlineData("relu", true, 4)]
    [InlineData("tanh", false, 1), InlineData("tanh", false, 2)]
    public void A_hidden_layer_learns_exclusive_or_and_a_single_layer_cannot(string activation, bool hidden, ulong seed)
    {
        using var scope = Tensor.Scope();
        var w = Weights.Fresh(seed);
        var first = Linear.Dense(w / "up", 2, hidden ? 16 : 2, Init.Uniform(1), bias: true);
        var last = Linear.Dense(w / "down", hidden ? 16 : 2, 2, Init.Uniform(0.5), bias: true);
        var net = new FeedForward(first, last, Activation.Of(activation));
        var (x, y) = (Tensor.From([0f, 0, 0, 1, 1, 0, 1, 1], 4, 2), Tensor.From([0L, 1, 1, 0], 4));
        Tensor Scores() => hidden ? net.Forward(x) : last.Forward(x);
        var loss = 0.0;
        for (var step = 0; step < 400; step++)
        {
            using var pass = Tensor.Scope();
            var sum = F.CrossEntropySum(Scores(), y);
            loss = sum.Item() / 4;
            sum.Backward();
            Grad.Off(() =>
            {
                foreach (var p in w.Complete().Where(p => p.Value.HasGradient))
                {
                    p.Value.AddInPlace(p.Value.Gradient!, -0.1);
                    p.Value.Gradient = null;
                }
            });
        }
        var right = Scores().ArgMax(1).ToArray<long>().Zip(y.ToArray<long>(), (a, b) => a == b).Count(same => same);
        foreach (var p in w.Complete()) p.Dispose();
        if (hidden) Assert.True(right == 4 && loss < 0.1, $"{right} of 4 right, loss {loss}");
        // No straight line parts the four points: the best is ln 2, no knowledge at all.
        else Assert.True(right < 4 && loss > 0.69, $"{right} of 4 right, loss {loss}");
    }
}

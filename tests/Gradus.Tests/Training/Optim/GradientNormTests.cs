using System.Text.Json;
using Gradus.Engine.Tensors;
using Gradus.Models.Nn;
using Gradus.Training.Optim;

namespace Gradus.Tests.Training.Optim;

public sealed class GradientNormTests
{
    [Theory, InlineData(0), InlineData(1), InlineData(2), InlineData(3), InlineData(4)]
    [Row("G10")]
    public void Clipping_is_that_of_torch(int number)
    {
        using var scope = Tensor.Scope();
        using var file = JsonDocument.Parse(File.ReadAllText(Repo.Fixture("optim/clip.json")));
        var c = file.RootElement.GetProperty("cases")[number];
        var tensors = FixtureTensors.Read("optim/clip.safetensors");
        var order = c.GetProperty("norm_type").ValueKind == JsonValueKind.String ? double.PositiveInfinity : c.GetProperty("norm_type").GetDouble();
        var names = tensors.Keys.Where(k => k.StartsWith($"{number}.", StringComparison.Ordinal) && k.EndsWith(".before", StringComparison.Ordinal)).Select(k => k[..^7]).ToList();
        var parameters = names.Select(n => new Parameter(n, tensors[$"{n}.before"].ZerosLike())).ToList();
        foreach (var p in parameters) p.Value.Gradient = tensors[$"{p.Name}.before"].Clone();

        var norm = GradientNorm.Total(parameters, order);
        var factor = GradientNorm.ClipFactor(norm, c.GetProperty("max_norm").GetDouble());

        Assert.NotEmpty(parameters);
        Assert.Equal(c.GetProperty("total_norm").GetDouble(), norm, c.GetProperty("total_norm").GetDouble() * 1e-6); // one float32 rounding of the norm
        foreach (var p in parameters)
            Assert.InRange(FixtureTensors.Distance(p.Value.Gradient! * factor, tensors[$"{p.Name}.after"]), 0, 1e-6);
        foreach (var p in parameters) p.Dispose();
    }

    [Fact]
    [Row("G17")]
    public void The_first_bad_tensor_is_named_weights_before_gradients()
    {
        using var scope = Tensor.Scope();
        using var a = new Parameter("a", Tensor.From([1f, 2], 2));
        using var b = new Parameter("b", Tensor.From([1f, 2], 2));
        Assert.Null(GradientNorm.FirstNonFinite([a, b]));
        a.Value.Gradient = Tensor.From([1f, float.PositiveInfinity], 2);
        Assert.Equal(("a", "gradient"), GradientNorm.FirstNonFinite([a, b]));
        Grad.Off(() => b.Value.CopyFrom(Tensor.From([float.NaN, 1], 2)));
        Assert.Equal(("b", "weight"), GradientNorm.FirstNonFinite([a, b]));
    }
}

using Gradus.Engine.Ops;
using Gradus.Engine.Tensors;
using Gradus.Models.Nn;
using Gradus.Tests.Models.Families;

namespace Gradus.Tests.Models.Nn;

/// <summary>Single layers against PyTorch's double precision, rounded once (tests/fixtures/layers). Values within 1e-5 of the largest, gradients within 1e-4, as the mission says; a few float32 roundings are 1e-6.</summary>
public class LayerFixtureTests
{
    private const double Value = 1e-5, Slope = 1e-4;

    [Row("D1"), Fact]
    public void Embedding_adds_the_gradients_of_repeated_ids()
    {
        using var scope = Tensor.Scope();
        using var f = new Fixture("layers/embedding.safetensors");
        using var p = new Parameter("weight", f["weight"]);
        var layer = new Embedding(Source(p), 10, 6, Init.Zeros);
        Check(f, layer.Forward(f["ids"]), (p.Value, "dweight"));
        Assert.All(p.Value.Gradient!.Select(0, 2).ToArray<float>(), g => Assert.Equal(0, g));
    }

    [Row("E1"), Fact]
    public void Linear()
    {
        using var scope = Tensor.Scope();
        using var f = new Fixture("layers/linear.safetensors");
        using Parameter weight = new("weight", f["weight"]), bias = new("bias", f["bias"]);
        var x = Leaf(f["x"]);
        Check(f, Gradus.Models.Nn.Linear.Dense(Source(weight, bias), 6, 7, Init.Zeros, bias: true).Forward(x), (x, "dx"), (weight.Value, "dweight"), (bias.Value, "dbias"));
    }

    [Row("E1", "E9"), Fact]
    public void A_transposed_weight_is_the_same_layer_stored_the_other_way()
    {
        using var scope = Tensor.Scope();
        using var f = new Fixture("layers/linear.safetensors");
        using Parameter weight = new("weight", f["weight"].T().Contiguous()), bias = new("bias", f["bias"]);
        var layer = Gradus.Models.Nn.Linear.Conv1D(Source(weight, bias), 6, 7, Init.Zeros);
        Assert.Equal((6, 7), (layer.Weight.In, layer.Weight.Out));
        var x = Leaf(f["x"]);
        Check(f, layer.Forward(x), (x, "dx"), (bias.Value, "dbias"));
        ModelContractTests.AssertNear(f["dweight"], weight.Value.Gradient!.T(), Slope);
    }

    [Row("E6"), Fact]
    public void LayerNorm()
    {
        using var scope = Tensor.Scope();
        using var f = new Fixture("layers/layer_norm.safetensors");
        using Parameter weight = new("weight", f["weight"]), bias = new("bias", f["bias"]);
        var x = Leaf(f["x"]);
        Check(f, new LayerNorm(Source(weight, bias), 16, 1e-5).Forward(x), (x, "dx"), (weight.Value, "dweight"), (bias.Value, "dbias"));
    }

    [Row("E6"), Fact]
    public void RmsNorm()
    {
        using var scope = Tensor.Scope();
        using var f = new Fixture("layers/rms_norm.safetensors");
        using var weight = new Parameter("weight", f["weight"]);
        var x = Leaf(f["x"]);
        Check(f, new RmsNorm(Source(weight), 16, 1e-5).Forward(x), (x, "dx"), (weight.Value, "dweight"));
    }

    [Row("E1"), Fact]
    public void SwiGlu()
    {
        using var scope = Tensor.Scope();
        using var f = new Fixture("layers/swiglu.safetensors");
        using Parameter gate = new("gate_proj.weight", f["gate"]), up = new("up_proj.weight", f["up"]), down = new("down_proj.weight", f["down"]);
        var x = Leaf(f["x"]);
        Check(f, new SwiGlu(Source(gate, up, down), 6, 10, Init.Zeros).Forward(x), (x, "dx"), (gate.Value, "dgate"), (up.Value, "dup"), (down.Value, "ddown"));
    }

    [Row("E1", "E6"), Theory]
    [InlineData("gelu", "gelu"), InlineData("gelu_new", "gelu_tanh"), InlineData("gelu_pytorch_tanh", "gelu_tanh"), InlineData("gelu_fast", "gelu_tanh")]
    [InlineData("relu", "relu"), InlineData("silu", "silu"), InlineData("swish", "silu"), InlineData("tanh", "tanh"), InlineData("sigmoid", "sigmoid")]
    public void Activations(string name, string fixture)
    {
        using var scope = Tensor.Scope();
        using var f = new Fixture("layers/activations.safetensors");
        var x = Leaf(f["x"]);
        var y = Activation.Of(name)(x);
        y.Backward(f["dy"]);
        ModelContractTests.AssertNear(f[$"{fixture}.y"], y, Value);
        ModelContractTests.AssertNear(f[$"{fixture}.dx"], x.Gradient!, Slope);
    }

    [Row("E2", "E4"), Theory]
    [InlineData("attention", false), InlineData("attention_causal", true), InlineData("attention_grouped", true), InlineData("attention_documents", true)]
    public void Attention(string name, bool causal)
    {
        using var scope = Tensor.Scope();
        using var f = new Fixture($"layers/{name}.safetensors");
        var (q, k, v) = (Leaf(f["q"]), Leaf(f["k"]), Leaf(f["v"]));
        var documents = f.Names.Contains("documents") ? f["documents"].To(DType.Int64) : null;
        var y = F.Attention(q.Transpose(1, 2), k.Transpose(1, 2), v.Transpose(1, 2), causal, documents).Transpose(1, 2);
        Check(f, y, (q, "dq"), (k, "dk"), (v, "dv"));
    }

    [Row("E3"), Fact]
    public void Multi_head_attention_is_that_of_PyTorch()
    {
        using var scope = Tensor.Scope();
        using var f = new Fixture("layers/multi_head_attention.safetensors");
        using Parameter inWeight = new("in.weight", f["in_proj_weight"]), inBias = new("in.bias", f["in_proj_bias"]);
        using Parameter outWeight = new("out.weight", f["out_proj_weight"]), outBias = new("out.bias", f["out_proj_bias"]);
        var w = Source(inWeight, inBias, outWeight, outBias);
        var (project, merge) = (Gradus.Models.Nn.Linear.Dense(w / "in", 12, 36, Init.Zeros, bias: true), Gradus.Models.Nn.Linear.Dense(w / "out", 12, 12, Init.Zeros, bias: true));
        var x = Leaf(f["x"]);
        var parts = project.Forward(x).View(2, 6, 3, 3, 4).Unbind(2);
        var y = merge.Forward(Gradus.Models.Nn.Attention.Causal(parts[0], parts[1], parts[2], 0, 0, new Step()));
        Check(f, y, (x, "dx"), (inWeight.Value, "din_proj_weight"), (outWeight.Value, "dout_proj_weight"), (outBias.Value, "dout_proj_bias"));
    }

    [Row("E5", "E20"), Fact]
    public void Rope()
    {
        using var scope = Tensor.Scope();
        using var f = new Fixture("layers/rope.safetensors");
        using var rope = new Rope(Gradus.Models.Nn.Rope.Frequencies(8, 10000));
        var (cos, sin) = rope.At(f["positions"], 0, 6, DType.Float32, Device.Cpu);
        ModelContractTests.AssertNear(f["cos"], cos, Value);
        ModelContractTests.AssertNear(f["sin"], sin, Value);
        foreach (var name in new[] { "q", "k" })
        {
            var x = Leaf(f[name]);
            var y = F.Rope(x.Transpose(1, 2), cos, sin).Transpose(1, 2);
            y.Backward(f[$"d{name}_rotated"]);
            ModelContractTests.AssertNear(f[$"{name}_rotated"], y, Value);
            ModelContractTests.AssertNear(f[$"d{name}"], x.Gradient!, Slope);
        }
    }

    [Row("E20"), Theory]
    [InlineData("default", 8, 10000, 0), InlineData("llama3", 128, 500000, 0), InlineData("llama31", 128, 500000, 8), InlineData("llama32", 64, 500000, 32)]
    public void Rotary_frequencies(string name, int width, double theta, double factor)
    {
        using var scope = Tensor.Scope();
        using var f = new Fixture("layers/rope.safetensors");
        var ours = Gradus.Models.Nn.Rope.Frequencies(width, theta);
        if (factor > 0) ours = Gradus.Models.Nn.Rope.Llama3(ours, factor, 1, 4, 8192);
        // Every one of them, relative to itself: the smallest matter most at long distance. Theirs are float32 throughout.
        foreach (var (expected, actual) in f[$"{name}.inv_freq"].ToArray<double>().Zip(ours)) Assert.InRange(actual / expected, 1 - 1e-6, 1 + 1e-6);
    }

    private static void Check(Fixture f, Tensor y, params (Tensor Leaf, string Name)[] gradients)
    {
        ModelContractTests.AssertNear(f["y"], y, Value);
        y.Backward(f["dy"]);
        foreach (var (leaf, name) in gradients)
        {
            Assert.Equal(f[name].Shape, leaf.Shape);
            ModelContractTests.AssertNear(f[name], leaf.Gradient!, Slope);
        }
    }

    private static Tensor Leaf(Tensor x)
    {
        x.RequiresGrad = true;
        return x;
    }

    private static Weights Source(params Parameter[] parameters) => new(new Given(parameters));

    // Hands out the very tensors of the given parameters, so that gradients arrive where the test looks.
    private sealed class Given(Parameter[] parameters) : WeightSource
    {
        protected internal override Tensor Make(string name, long[] shape, Init init)
        {
            var value = parameters.Single(p => p.Name == name).Value;
            Assert.Equal(shape, value.Shape);
            return value;
        }
    }
}

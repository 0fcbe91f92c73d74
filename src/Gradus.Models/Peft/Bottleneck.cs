using System.Text.Json.Nodes;
using Gradus.Engine.Ops;
using Gradus.Engine.Tensors;
using Gradus.Foundation.Recipes;
using Gradus.Models.Nn;

namespace Gradus.Models.Peft;

/// <summary>
/// Adapters (Houlsby et al., 2019): y + up(activation(down(y))) behind each half of a block. The way up starts at zero. PEFT has no files
/// for it: these keep its layout under a <c>peft_type</c> of their own.
/// </summary>
[Component("bottleneck")]
public sealed record BottleneckOptions : LinearAdapterOptions
{
    // What writes onto the residual stream.
    private static readonly string[] s_usual = ["o_proj", "down_proj", "attn.c_proj", "mlp.c_proj", "attention.output.dense", "output.dense", "out_lin", "ffn.lin2"];

    /// <summary>Inner width.</summary>
    [AtLeast(1), AtMost(1 << 20)]
    public int Size { get; init; } = 64;

    /// <summary>Non-linearity between the way down and the way up.</summary>
    public string Activation { get; init; } = "relu";

    public override string PeftType => "BOTTLENECK";

    public override bool CanMerge => false;

    internal override IReadOnlyList<string> UsualTargets => s_usual;

    public override LinearAdapter Attach(Weights w, Linear linear)
    {
        ArgumentNullException.ThrowIfNull(linear);
        return new Bottleneck(w, linear.Weight.Out, Size, Nn.Activation.Of(Activation));
    }

    public override IEnumerable<(string Key, string Message)> Problems()
    {
        if (Nn.Activation.Problem(Activation) is { } problem) yield return ("activation", problem);
    }

    internal override string? ModuleOf(string tensor) => Between(tensor, ".adapter_down.weight", ".adapter_down.bias", ".adapter_up.weight", ".adapter_up.bias");

    internal override void WriteConfig(JsonObject config, Adapter adapter)
    {
        base.WriteConfig(config, adapter);
        (config["bottleneck_size"], config["non_linearity"]) = (Size, Activation);
    }

    internal override AdapterOptions ReadConfig(PeftConfig config, IReadOnlyDictionary<string, long[]> shapes) =>
        this with { Targets = TargetsIn(shapes.Keys), Size = config.Integer("bottleneck_size", 64, 1, 1 << 20), Activation = config.Text("non_linearity") ?? "relu" };
}

internal sealed class Bottleneck(Weights w, long width, int size, Func<Tensor, Tensor> activation) : LinearAdapter
{
    private readonly Parameter _down = (w / "adapter_down").Parameter("weight", Init.Uniform(1 / Math.Sqrt(width)), size, width);
    private readonly Parameter _downBias = (w / "adapter_down").Parameter("bias", Init.Zeros, size);
    private readonly Parameter _up = (w / "adapter_up").Parameter("weight", Init.Zeros, width, size);
    private readonly Parameter _upBias = (w / "adapter_up").Parameter("bias", Init.Zeros, width);

    public override Tensor Apply(Tensor x, Tensor y) =>
        y + F.Linear(activation(F.Linear(y, _down.Value, _downBias.Value, _down.Computed)), _up.Value, _upBias.Value, _up.Computed).To(y.DType);
}

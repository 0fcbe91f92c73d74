using System.Text.Json.Nodes;
using Gradus.Engine.Tensors;
using Gradus.Foundation.Recipes;
using Gradus.Models.Nn;

namespace Gradus.Models.Peft;

/// <summary>(IA)³ (Liu et al., 2022): one factor each for keys, values and the inner activations of the feed-forward network; all start at 1.</summary>
[Component("ia3")]
public sealed record Ia3Options : LinearAdapterOptions
{
    // Keys, values and what leads out of the feed-forward network; GPT-2 holds queries, keys and values in one linear.
    private static readonly string[] s_usual = ["k_proj", "v_proj", "down_proj", "c_attn", "mlp.c_proj", "attention.self.key", "attention.self.value", "attention.output.dense", "output.dense", "k_lin", "v_lin", "ffn.lin2"];
    private static readonly string[] s_usualInputs = ["down_proj", "mlp.c_proj", "output.dense", "ffn.lin2"];

    /// <summary>Which of the targets get their factor on the inputs instead of the outputs: those that lead out of the feed-forward network. Empty: the usual ones.</summary>
    public IReadOnlyList<string> Feedforward { get; init; } = [];

    public override string PeftType => "IA3";

    internal override IReadOnlyList<string> UsualTargets => s_usual;

    public override LinearAdapter Attach(Weights w, Linear linear)
    {
        ArgumentNullException.ThrowIfNull(linear);
        return new Ia3(w, linear, OnInputs(linear.Path));
    }

    internal override IEnumerable<(string Key, string Pattern)> Patterns => Feedforward is ["none"] ? [] : Feedforward.Select(p => ("feedforward", p));

    internal override string? ModuleOf(string tensor) => Between(tensor, ".ia3_l");

    internal override void WriteConfig(JsonObject config, Adapter adapter)
    {
        base.WriteConfig(config, adapter);
        var (targets, inputs) = (TargetModules.Shortest(adapter.Model, adapter.Linears.Keys), TargetModules.Shortest(adapter.Model, adapter.Linears.Keys.Where(OnInputs)));
        if (inputs.Except(targets, StringComparer.Ordinal).Any()) // PEFT wants the one among the other
            (targets, inputs) = ([.. adapter.Linears.Keys.Order(StringComparer.Ordinal)], [.. adapter.Linears.Keys.Where(OnInputs).Order(StringComparer.Ordinal)]);
        (config["target_modules"], config["feedforward_modules"]) = (PeftConfig.List(targets), PeftConfig.List(inputs));
        config["fan_in_fan_out"] = adapter.Model.Linears.Where(l => adapter.Linears.ContainsKey(l.Path)).All(l => l.Weight is TransposedWeight or PackedWeight { IsTransposed: true });
        config["init_ia3_weights"] = true;
    }

    // The shapes say which side each factor is on: [1, in] or [out, 1].
    internal override AdapterOptions ReadConfig(PeftConfig config, IReadOnlyDictionary<string, long[]> shapes)
    {
        var targets = TargetsIn(shapes.Keys);
        string[] inputs = [.. targets.Where(path => shapes.GetValueOrDefault($"{AdapterBuilder.Prefix}{path}.ia3_l") is [1, not 1])];
        return this with { Targets = targets, Feedforward = inputs.Length > 0 ? inputs : ["none"] };
    }

    private bool OnInputs(string path) => (Feedforward.Count > 0 ? Feedforward : s_usualInputs).Any(pattern => TargetModules.Matches(pattern, path));
}

internal sealed class Ia3 : LinearAdapter
{
    private readonly bool _onInputs;
    private readonly Parameter _factor;

    public Ia3(Weights w, Linear linear, bool onInputs)
    {
        _onInputs = onInputs;
        _factor = onInputs ? w.Parameter("ia3_l", Init.Ones, 1, linear.Weight.In) : w.Parameter("ia3_l", Init.Ones, linear.Weight.Out, 1);
        _factor.IsGain = true;
    }

    // A factor on the inputs acts on what other adapters of the linear read as well, and merging would not know.
    internal override bool Stacks => !_onInputs;

    public override Tensor Before(Tensor x) => _onInputs ? x * _factor.Value.View(-1).To(x.DType) : x;

    public override Tensor Apply(Tensor x, Tensor y) => _onInputs ? y : y * _factor.Value.View(-1).To(y.DType);

    internal override (Tensor Weight, Tensor? Bias)? Merge(Tensor weight, Tensor? bias) =>
        (weight * _factor.Value.To(weight.DType), _onInputs || bias is null ? bias : bias * _factor.Value.View(-1).To(bias.DType));
}

using System.Text.Json.Nodes;
using Gradus.Engine.Ops;
using Gradus.Engine.Tensors;
using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;
using Gradus.Models.Nn;

namespace Gradus.Models.Peft;

/// <summary>Low-rank update: y + (alpha / rank) · B A x (Hu et al., 2021). B starts at zero, so training starts at the base model.</summary>
[Component("lora")]
public sealed record LoraOptions : LinearAdapterOptions
{
    /// <summary>Rank of the update: rows of A, columns of B.</summary>
    [AtLeast(1), AtMost(1 << 16)]
    public int Rank { get; init; } = 8;

    /// <summary>Scale of the update is alpha / rank.</summary>
    [Above(0), AtMost(1e6)]
    public double Alpha { get; init; } = 16;

    /// <summary>Dropout of what A reads, in training.</summary>
    [AtLeast(0), Below(1)]
    public double Dropout { get; init; }

    /// <summary>Rank-stabilised (Kalajdzievski, 2023): the scale is alpha / √rank, so that high ranks learn as fast as low ones.</summary>
    public bool Rslora { get; init; }

    /// <summary>Weight-decomposed (Liu et al., 2024): the length of every output's row is trained apart from its direction.</summary>
    public bool Dora { get; init; }

    /// <summary>Other ranks for some linears: a target as in <c>targets</c>, then its rank. The first that matches counts.</summary>
    public IReadOnlyDictionary<string, int> RankPattern { get; init; } = new Dictionary<string, int>(StringComparer.Ordinal);

    /// <summary>Other alphas likewise.</summary>
    public IReadOnlyDictionary<string, double> AlphaPattern { get; init; } = new Dictionary<string, double>(StringComparer.Ordinal);

    public override string PeftType => "LORA";

    public override LinearAdapter Attach(Weights w, Linear linear)
    {
        ArgumentNullException.ThrowIfNull(linear);
        var (rank, alpha) = (Of(RankPattern, linear.Path, Rank), Of(AlphaPattern, linear.Path, Alpha));
        var room = Math.Min(linear.Weight.In, linear.Weight.Out);
        if (rank > room) throw new UserException($"adapter.rank: {rank} is more than {linear.Path} has room for; at most {room} (its {linear.Weight.In} inputs and {linear.Weight.Out} outputs)");
        return new Lora(w, linear, rank, alpha / (Rslora ? Math.Sqrt(rank) : rank), Dropout, Dora);
    }

    public override IEnumerable<(string Key, string Message)> Problems()
    {
        foreach (var (pattern, rank) in RankPattern)
            if (rank is < 1 or > 1 << 16) yield return ("rank_pattern", $"'{pattern}': {rank} is no rank; at least 1");
        foreach (var (pattern, alpha) in AlphaPattern)
            if (alpha is not (> 0 and <= 1e6)) yield return ("alpha_pattern", FormattableString.Invariant($"'{pattern}': {alpha} is no alpha; above 0"));
    }

    internal override IEnumerable<(string Key, string Pattern)> Patterns => RankPattern.Keys.Select(p => ("rank_pattern", p)).Concat(AlphaPattern.Keys.Select(p => ("alpha_pattern", p)));

    internal override string? ModuleOf(string tensor) => Between(tensor, ".lora_A.weight", ".lora_B.weight", ".lora_magnitude_vector");

    internal override void WriteConfig(JsonObject config, Adapter adapter)
    {
        base.WriteConfig(config, adapter);
        (config["r"], config["lora_alpha"], config["lora_dropout"]) = (Rank, Alpha, Dropout);
        (config["use_rslora"], config["use_dora"]) = (Rslora, Dora);
        // PEFT divides by √rank or by the rank, and calls it Conv1D where the weight is stored [in, out].
        config["fan_in_fan_out"] = adapter.Model.Linears.Where(l => adapter.Linears.ContainsKey(l.Path)).All(l => l.Weight is TransposedWeight or PackedWeight { IsTransposed: true });
        (config["bias"], config["init_lora_weights"]) = ("none", true);
        var (ranks, alphas) = (new JsonObject(), new JsonObject());
        foreach (var path in adapter.Linears.Keys)
        {
            if (Of(RankPattern, path, Rank) is var rank && rank != Rank) ranks[path] = rank;
            if (Of(AlphaPattern, path, Alpha) is var alpha && alpha != Alpha) alphas[path] = alpha;
        }
        (config["rank_pattern"], config["alpha_pattern"]) = (ranks, alphas);
        foreach (var unused in new[] { "layer_replication", "layers_pattern", "layers_to_transform", "megatron_config" }) config[unused] = null;
        (config["megatron_core"], config["loftq_config"]) = ("megatron.core", new JsonObject());
    }

    internal override AdapterOptions ReadConfig(PeftConfig config, IReadOnlyDictionary<string, long[]> shapes)
    {
        config.Only("bias", "none");
        config.Only("lora_bias", false);
        // Some initialisations take what the adapter starts with out of the base: over the plain base it would count twice.
        if (config.Word("init_lora_weights") is { } start && start is not ("gaussian" or "orthogonal" or "eva"))
            throw config.Problem($"init_lora_weights '{start}' changes the base weights, which are not in these files; save the adapter again as a plain LoRA (PEFT: path_initial_model_for_weight_conversion)");
        foreach (var key in new[] { "layer_replication", "megatron_config", "trainable_token_indices", "target_parameters", "alora_invocation_tokens", "arrow_config" }) config.Absent(key);
        if (shapes.Keys.FirstOrDefault(name => name.Contains("lora_embedding_", StringComparison.Ordinal)) is { } embedding)
            throw config.Problem($"{embedding}: LoRA on embeddings is not supported; on linears it is");
        var options = this with
        {
            Rank = config.Integer("r", 8, 1, 1 << 16), Alpha = config.Number("lora_alpha", 8, 0, 1e6), Dropout = config.Number("lora_dropout", 0, 0, 0.999),
            Rslora = config.Flag("use_rslora"), Dora = config.Flag("use_dora"), Targets = TargetsIn(shapes.Keys), AlphaPattern = config.Patterns("alpha_pattern"),
        };
        // The ranks are in the tensors: what patterns say, in whatever syntax, has gone into them.
        var ranks = options.Targets.Select(path => (path, Shape: shapes.GetValueOrDefault($"{AdapterBuilder.Prefix}{path}.lora_A.weight")))
            .Where(t => t.Shape is { Length: 2 } shape && shape[0] is >= 1 and <= 1 << 16 && shape[0] != options.Rank).ToDictionary(t => t.path, t => (int)t.Shape![0], StringComparer.Ordinal);
        if (ranks.Count > 0 && config.Has("r") && !config.Has("rank_pattern"))
            throw config.Problem($"r is {options.Rank}, but {AdapterFolder.WeightsName} has rank {ranks.First().Value} at {ranks.First().Key}, and there is no rank_pattern: the two files are not of one adapter");
        return options with { RankPattern = ranks };
    }

    private static T Of<T>(IReadOnlyDictionary<string, T> patterns, string path, T otherwise)
    {
        foreach (var (pattern, value) in patterns)
            if (TargetModules.Matches(pattern, path)) return value;
        return otherwise;
    }
}

internal sealed class Lora : LinearAdapter
{
    private readonly Linear _linear;
    private readonly Parameter _a, _b;
    private readonly Parameter? _magnitude;
    private readonly double _scale, _dropout;
    private Tensor? _squares;

    public Lora(Weights w, Linear linear, int rank, double scale, double dropout, bool dora)
    {
        (_linear, _scale, _dropout) = (linear, scale, dropout);
        // Kaiming with a = √5, as every linear of PyTorch starts: uniform in ± 1 / √in.
        _a = (w / "lora_A").Parameter("weight", Init.Uniform(1 / Math.Sqrt(linear.Weight.In)), rank, linear.Weight.In);
        _b = (w / "lora_B").Parameter("weight", Init.Zeros, linear.Weight.Out, rank);
        if (dora) _magnitude = w.Parameter("lora_magnitude_vector", Init.Ones, linear.Weight.Out);
    }

    internal override bool Stacks => _magnitude is null;

    internal override void Begin(Linear linear)
    {
        if (_magnitude is { } magnitude) Grad.Off(() => Tensor.Scoped(() => { magnitude.Value.CopyFrom(Squares().Sqrt()); return magnitude.Value; }));
    }

    public override Tensor Apply(Tensor x, Tensor y)
    {
        ArgumentNullException.ThrowIfNull(y);
        var input = Training ? F.Dropout(x, _dropout) : x;
        var scale = _scale * Strength;
        if (_magnitude is not { } magnitude) return F.AddLowRank(input, y, _a.Value, _b.Value, scale, _a.Computed, _b.Computed);
        // The length is a constant for the gradient (section 4.3), so its share is found without recording.
        var share = magnitude.Value / Grad.Off(() => Tensor.Scoped(() => Length(scale)));
        var bias = _linear.Bias?.Value.To(y.DType);
        var sum = F.AddLowRank(input, bias is null ? y : y - bias, _a.Value, _b.Value, scale, _a.Computed, _b.Computed);
        // Less 1 before rounding: near 1, bfloat16 steps by almost a hundredth.
        var scaled = sum + (share - 1).To(sum.DType) * sum;
        return bias is null ? scaled : scaled + bias;
    }

    internal override (Tensor Weight, Tensor? Bias)? Merge(Tensor weight, Tensor? bias)
    {
        var scale = _scale * Strength;
        // In float64: the sum is rounded once, to the type of the weight.
        var whole = weight.To(DType.Float64) + _b.Value.To(DType.Float64).MatMul(_a.Value.To(DType.Float64)) * scale;
        if (_magnitude is { } magnitude) whole = whole * (magnitude.Value / Length(scale)).To(DType.Float64).Unsqueeze(1);
        return (whole.To(weight.DType), bias);
    }

    public override void Dispose()
    {
        _squares?.Dispose();
        base.Dispose();
    }

    // Squared length of every output's row of the frozen weight.
    private Tensor Squares() => _squares ??= Tensor.Scoped(() => _linear.Weight.Dense(_a.Value.DType).Pow(2).Sum([1])).Keep();

    // |W + sBA| by rows without making the sum: |W|² + 2s (W Aᵀ)·B + s² B (A Aᵀ) Bᵀ.
    private Tensor Length(double scale)
    {
        var (a, b) = (_a.Value, _b.Value);
        var crossed = _linear.Weight.Apply(a, null).To(a.DType).T(); // [out, rank]
        var squared = Squares() + (crossed * b).Sum([1]) * (2 * scale) + (b.MatMul(a.MatMul(a.T())) * b).Sum([1]) * (scale * scale);
        return squared.Clamp(1e-30, 1e38).Sqrt();
    }
}

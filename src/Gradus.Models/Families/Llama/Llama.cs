using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Gradus.Engine.Ops;
using Gradus.Engine.Tensors;
using Gradus.Foundation.Recipes;
using Gradus.Models.Nn;

namespace Gradus.Models.Families.Llama;

// Shape letters: B batch, T time, D model width, N query heads, K key/value heads, H head width.

/// <summary>Llama 1, 2, 3, 3.1 and 3.2 (Touvron et al., 2023; Grattafiori et al., 2024): rotary positions, RMS norm, gated feed-forward network, grouped-query attention.</summary>
[Component("llama")]
public sealed partial record LlamaOptions : ModelOptions
{
    /// <summary>Model width.</summary>
    [AtLeast(1), AtMost(1 << 20)]
    public int HiddenSize { get; init; } = 4096;

    /// <summary>Inner width of the feed-forward network.</summary>
    [AtLeast(1), AtMost(1 << 22)]
    public int IntermediateSize { get; init; } = 11008;

    /// <summary>Blocks.</summary>
    [AtLeast(1), AtMost(4096)]
    public int NumHiddenLayers { get; init; } = 32;

    /// <summary>Query heads.</summary>
    [AtLeast(1), AtMost(1 << 16)]
    public int NumAttentionHeads { get; init; } = 32;

    /// <summary>Key and value heads; they divide the query heads, and are as many when left out.</summary>
    [AtLeast(1), AtMost(1 << 16)]
    public int? NumKeyValueHeads { get; init; }

    /// <summary>Width of a head; the model width over the query heads when left out.</summary>
    [AtLeast(2), AtMost(1 << 16)]
    public int? HeadDim { get; init; }

    /// <summary>Longest sequence.</summary>
    [AtLeast(1), AtMost(1 << 24)]
    public int MaxPositionEmbeddings { get; init; } = 2048;

    /// <summary>Added to the mean square in norms.</summary>
    [Above(0), AtMost(1)]
    public double RmsNormEps { get; init; } = 1e-6;

    /// <summary>Base of the rotary frequencies.</summary>
    [Above(1), AtMost(1e12)]
    public double RopeTheta { get; init; } = 10000;

    /// <summary>Stretching of the rotary frequencies; none when left out.</summary>
    public RopeScaling? RopeScaling { get; init; }

    /// <summary>The head reads the token embedding.</summary>
    public bool TieWordEmbeddings { get; init; }

    /// <summary>Biases of the attention's projections.</summary>
    public bool AttentionBias { get; init; }

    /// <summary>Biases of the feed-forward network.</summary>
    public bool MlpBias { get; init; }

    /// <summary>Dropout of attention weights.</summary>
    [AtLeast(0), Below(1), TrainingOnly]
    public double AttentionDropout { get; init; }

    /// <summary>Standard deviation of fresh weights.</summary>
    [AtLeast(0), AtMost(10), TrainingOnly]
    public double InitializerRange { get; init; } = 0.02;

    public override string Architecture => "LlamaForCausalLM";

    public override int ContextLength => MaxPositionEmbeddings;

    public override IReadOnlyList<ModelPreset> Presets => LlamaPresets.All;

    internal int KeyValueHeads => NumKeyValueHeads ?? NumAttentionHeads;

    internal int HeadWidth => HeadDim ?? HiddenSize / NumAttentionHeads;

    internal override (string Copy, string Original)? TiedCopy => TieWordEmbeddings ? ("lm_head.weight", "model.embed_tokens.weight") : null;

    // The rotary table, which early files store as a buffer of each layer.
    internal override Regex? IgnoredTensors => Buffers();

    internal double[] Frequencies()
    {
        var plain = Rope.Frequencies(HeadWidth, RopeTheta);
        return RopeScaling is { RopeType: "llama3" } s
            ? Rope.Llama3(plain, s.Factor, s.LowFreqFactor, s.HighFreqFactor, s.OriginalMaxPositionEmbeddings) : plain;
    }

    public override IEnumerable<(string Key, string Message)> Problems()
    {
        foreach (var problem in base.Problems()) yield return problem;
        if (HeadDim is null && HiddenSize % NumAttentionHeads != 0)
            yield return ("hidden_size", $"{HiddenSize} is not a multiple of num_attention_heads {NumAttentionHeads}; or set head_dim");
        else if (HeadWidth % 2 != 0)
            yield return (HeadDim is null ? "hidden_size" : "head_dim", $"a head of width {HeadWidth} cannot be halved for rotary positions");
        if (NumAttentionHeads % KeyValueHeads != 0)
            yield return ("num_key_value_heads", $"{KeyValueHeads} does not divide num_attention_heads {NumAttentionHeads}");
    }

    internal override Regex HeadTensors => Heads();

    protected override ILanguageModel Make(Weights w, TaskHead? head) => new LlamaModel(w, this, head);

    internal override void Adopt(JsonObject config)
    {
        ConfigFile.Only(config, "hidden_act", "silu", "swish");
        // Transformers 5 writes theta and scaling as one section.
        if (config["rope_parameters"] is JsonObject parameters)
        {
            if (parameters["rope_theta"] is { } theta) config["rope_theta"] = theta.DeepClone();
            parameters.Remove("rope_theta");
            config["rope_scaling"] = parameters.DeepClone();
        }
        if (config["rope_scaling"] is not JsonObject scaling) return;
        if (scaling["type"] is { } old) // before Transformers 4.43
        {
            scaling["rope_type"] ??= old.DeepClone();
            scaling.Remove("type");
        }
        if (scaling["rope_type"]?.ToString() == "default") config["rope_scaling"] = null;
    }

    [GeneratedRegex(@"\.rotary_emb\.inv_freq$", RegexOptions.CultureInvariant)]
    private static partial Regex Buffers();

    [GeneratedRegex(@"^(lm_head|score|qa_outputs)\.", RegexOptions.CultureInvariant)]
    private static partial Regex Heads();
}

/// <summary>How Llama 3.1 reaches past the context it was first trained on; see <see cref="Rope.Llama3"/>.</summary>
public sealed record RopeScaling : IValidated
{
    /// <summary>The rule: <c>llama3</c>.</summary>
    public string RopeType { get; init; } = "llama3";

    /// <summary>What long waves are stretched by.</summary>
    [AtLeast(1), AtMost(1e6)]
    public double Factor { get; init; } = 8;

    /// <summary>Waves that fit this often or less into the original context are stretched in full.</summary>
    [Above(0), AtMost(1e6)]
    public double LowFreqFactor { get; init; } = 1;

    /// <summary>Waves that fit this often or more are kept.</summary>
    [Above(0), AtMost(1e6)]
    public double HighFreqFactor { get; init; } = 4;

    /// <summary>The original context.</summary>
    [AtLeast(1), AtMost(1 << 24)]
    public int OriginalMaxPositionEmbeddings { get; init; } = 8192;

    /// <inheritdoc/>
    public IEnumerable<(string Key, string Message)> Problems()
    {
        if (RopeType != "llama3") yield return ("rope_type", $"'{RopeType}' is not supported; llama3 is, or leave rope_scaling out");
        if (HighFreqFactor <= LowFreqFactor) yield return ("high_freq_factor", $"{HighFreqFactor} must be above low_freq_factor {LowFreqFactor}");
    }
}

internal sealed class LlamaModel : ILanguageModel
{
    private readonly LlamaOptions _o;
    private readonly Embedding _tokens;
    private readonly LlamaBlock[] _blocks;
    private readonly RmsNorm _norm;
    private readonly Rope _rope;

    public LlamaModel(Weights w, LlamaOptions o, TaskHead? head)
    {
        _o = o;
        _rope = new Rope(o.Frequencies());
        VocabSize = o.VocabSize!.Value;
        var (body, init) = (w / "model", Init.Normal(o.InitializerRange));
        _tokens = new(body / "embed_tokens", VocabSize, o.HiddenSize, init);
        _blocks = [.. Enumerable.Range(0, o.NumHiddenLayers).Select(layer => new LlamaBlock(body / "layers" / layer, o, layer))];
        _norm = new(body / "norm", o.HiddenSize, o.RmsNormEps);
        Task = head;
        Head = head is not null ? DecoderHead.Make(w, head, o.HiddenSize, init, tokens: "score")
            : o.TieWordEmbeddings ? Linear.Tied("lm_head", _tokens) : Linear.Dense(w / "lm_head", o.HiddenSize, VocabSize, init);
        (Parameters, Linears) = (w.Complete(), w.Linears);
    }

    public IReadOnlyList<Parameter> Parameters { get; }
    public IReadOnlyList<Linear> Linears { get; }
    public int VocabSize { get; }
    public int MaxPositions => _o.MaxPositionEmbeddings;
    public Linear Head { get; }
    public TaskHead? Task { get; }

    public Tensor Hidden(Tensor ids, in Step step)
    {
        var from = step.Start(ids, MaxPositions);
        var xBTD = step.Prepend(_tokens.Forward(ids));
        var rope = _rope.At(step.Positions, from, xBTD.Size(1), xBTD.DType, ids.Device);
        var pass = step;
        foreach (var block in _blocks) xBTD = step.Run(xBTD, x => block.Forward(x, rope, pass));
        return _norm.Forward(step.WithoutPrompt(xBTD));
    }

    public KvCache NewCache(int batch, int capacity) =>
        new(_o.NumHiddenLayers, batch, capacity, _o.KeyValueHeads, _o.HeadWidth, _blocks[0].CacheType, _tokens.Weight.Value.Device);

    public void Dispose()
    {
        _rope.Dispose();
        foreach (var parameter in Parameters) parameter.Dispose();
        foreach (var linear in Linears) (linear.Weight as PackedWeight)?.Dispose();
    }
}

internal sealed class LlamaBlock(Weights w, LlamaOptions o, int layer)
{
    private readonly RmsNorm _attnNorm = new(w / "input_layernorm", o.HiddenSize, o.RmsNormEps);
    private readonly LlamaAttention _attn = new(w / "self_attn", o, layer);
    private readonly RmsNorm _mlpNorm = new(w / "post_attention_layernorm", o.HiddenSize, o.RmsNormEps);
    private readonly SwiGlu _mlp = new(w / "mlp", o.HiddenSize, o.IntermediateSize, Init.Normal(o.InitializerRange), o.MlpBias);

    public DType CacheType => _attn.CacheType;

    public Tensor Forward(Tensor xBTD, (Tensor Cos, Tensor Sin) rope, in Step step)
    {
        var hBTD = xBTD + _attn.Forward(_attnNorm.Forward(xBTD), rope, step);
        return hBTD + _mlp.Forward(_mlpNorm.Forward(hBTD));
    }
}

internal sealed class LlamaAttention(Weights w, LlamaOptions o, int layer)
{
    private readonly Linear _q = Linear.Dense(w / "q_proj", o.HiddenSize, o.NumAttentionHeads * o.HeadWidth, Init.Normal(o.InitializerRange), o.AttentionBias);
    private readonly Linear _k = Linear.Dense(w / "k_proj", o.HiddenSize, o.KeyValueHeads * o.HeadWidth, Init.Normal(o.InitializerRange), o.AttentionBias);
    private readonly Linear _v = Linear.Dense(w / "v_proj", o.HiddenSize, o.KeyValueHeads * o.HeadWidth, Init.Normal(o.InitializerRange), o.AttentionBias);
    private readonly Linear _out = Linear.Dense(w / "o_proj", o.NumAttentionHeads * o.HeadWidth, o.HiddenSize, Init.Normal(o.InitializerRange), o.AttentionBias);

    public DType CacheType => _k.Weight.ComputeType;

    public Tensor Forward(Tensor xBTD, (Tensor Cos, Tensor Sin) rope, in Step step)
    {
        var (rows, time) = (xBTD.Size(0), xBTD.Size(1));
        var qBTNH = F.Rope(_q.Forward(xBTD).View(rows, time, o.NumAttentionHeads, o.HeadWidth), rope.Cos, rope.Sin);
        var kBTKH = F.Rope(_k.Forward(xBTD).View(rows, time, o.KeyValueHeads, o.HeadWidth), rope.Cos, rope.Sin);
        var vBTKH = _v.Forward(xBTD).View(rows, time, o.KeyValueHeads, o.HeadWidth);
        return _out.Forward(Attention.Causal(qBTNH, kBTKH, vBTKH, layer, o.AttentionDropout, step));
    }
}

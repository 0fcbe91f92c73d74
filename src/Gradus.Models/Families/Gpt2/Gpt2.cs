using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Gradus.Engine.Ops;
using Gradus.Engine.Tensors;
using Gradus.Foundation.Recipes;
using Gradus.Models.Nn;

namespace Gradus.Models.Families.Gpt2;

// Shape letters: B batch, T time, D model width, H heads, W head width.

/// <summary>GPT-2 (Radford et al., 2019): learned positions, layer norm before each half-block, GELU, biases everywhere. GPT-1's and GPT-3's shapes differ by numbers.</summary>
[Component("gpt2")]
public sealed partial record Gpt2Options : ModelOptions
{
    /// <summary>Longest sequence.</summary>
    [AtLeast(1), AtMost(1 << 24)]
    public int NPositions { get; init; } = 1024;

    /// <summary>Model width.</summary>
    [AtLeast(1), AtMost(1 << 20)]
    public int NEmbd { get; init; } = 768;

    /// <summary>Blocks.</summary>
    [AtLeast(1), AtMost(4096)]
    public int NLayer { get; init; } = 12;

    /// <summary>Attention heads; they divide the width.</summary>
    [AtLeast(1), AtMost(1 << 16)]
    public int NHead { get; init; } = 12;

    /// <summary>Inner width of the feed-forward network; four times the model width when left out.</summary>
    [AtLeast(1), AtMost(1 << 22)]
    public int? NInner { get; init; }

    /// <summary>Non-linearity of the feed-forward network.</summary>
    public string ActivationFunction { get; init; } = "gelu_new";

    /// <summary>Dropout after the embeddings.</summary>
    [AtLeast(0), Below(1), TrainingOnly]
    public double EmbdPdrop { get; init; } = 0.1;

    /// <summary>Dropout of attention weights.</summary>
    [AtLeast(0), Below(1), TrainingOnly]
    public double AttnPdrop { get; init; } = 0.1;

    /// <summary>Dropout of each half-block's result.</summary>
    [AtLeast(0), Below(1), TrainingOnly]
    public double ResidPdrop { get; init; } = 0.1;

    /// <summary>Added to the variance in layer norms.</summary>
    [Above(0), AtMost(1)]
    public double LayerNormEpsilon { get; init; } = 1e-5;

    /// <summary>Standard deviation of fresh weights; positions start at half of it, projections onto the residual stream at 1 / sqrt(2 n_layer) of it.</summary>
    [AtLeast(0), AtMost(10), TrainingOnly]
    public double InitializerRange { get; init; } = 0.02;

    /// <summary>The head reads the token embedding.</summary>
    public bool TieWordEmbeddings { get; init; } = true;

    public override string Architecture => "GPT2LMHeadModel";

    public override int ContextLength => NPositions;

    public override IReadOnlyList<ModelPreset> Presets =>
    [
        new("gpt2", Published(768, 12, 12)),
        new("gpt2-medium", Published(1024, 24, 16)),
        new("gpt2-large", Published(1280, 36, 20)),
        new("gpt2-xl", Published(1600, 48, 25)),
        new("gpt2-tiny", new Gpt2Options { VocabSize = 61, NPositions = 24, NEmbd = 16, NLayer = 2, NHead = 2 }),
    ];

    internal override string WeightPrefix => "transformer.";

    internal override (string Copy, string Original)? TiedCopy => TieWordEmbeddings ? ("lm_head.weight", "transformer.wte.weight") : null;

    // The causal mask, which early files store as a buffer of each layer.
    internal override Regex? IgnoredTensors => Buffers();

    public override IEnumerable<(string Key, string Message)> Problems()
    {
        foreach (var problem in base.Problems()) yield return problem;
        if (NEmbd % NHead != 0) yield return ("n_embd", $"{NEmbd} is not a multiple of n_head {NHead}");
        if (Activation.Problem(ActivationFunction) is { } problem2) yield return ("activation_function", problem2);
    }

    internal override Regex HeadTensors => Heads();

    protected override ILanguageModel Make(Weights w, TaskHead? head) => new Gpt2Model(w, this, head);

    internal override void Adopt(JsonObject config)
    {
        ConfigFile.Only(config, "scale_attn_weights", true);
        ConfigFile.Only(config, "scale_attn_by_inverse_layer_idx", false);
        ConfigFile.Only(config, "add_cross_attention", false);
    }

    private static Gpt2Options Published(int width, int layers, int heads) =>
        new() { VocabSize = 50257, NEmbd = width, NLayer = layers, NHead = heads, BosTokenId = 50256, EosTokenId = [50256] };

    [GeneratedRegex(@"(^|\.)h\.\d+\.attn\.(bias|masked_bias)$", RegexOptions.CultureInvariant)]
    private static partial Regex Buffers();

    [GeneratedRegex(@"^(lm_head|score|classifier|qa_outputs)\.", RegexOptions.CultureInvariant)]
    private static partial Regex Heads();
}

internal sealed class Gpt2Model : ILanguageModel
{
    private readonly Gpt2Options _o;
    private readonly Embedding _tokens;
    private readonly Embedding _positions;
    private readonly Gpt2Block[] _blocks;
    private readonly LayerNorm _norm;

    public Gpt2Model(Weights w, Gpt2Options o, TaskHead? head)
    {
        _o = o;
        var (body, init) = (w / "transformer", Init.Normal(o.InitializerRange));
        VocabSize = o.VocabSize!.Value;
        _tokens = new(body / "wte", VocabSize, o.NEmbd, init);
        _positions = new(body / "wpe", o.NPositions, o.NEmbd, Init.Normal(o.InitializerRange / 2)); // 0.01, as in the published code
        _blocks = [.. Enumerable.Range(0, o.NLayer).Select(layer => new Gpt2Block(body / "h" / layer, o, layer))];
        _norm = new(body / "ln_f", o.NEmbd, o.LayerNormEpsilon);
        Task = head;
        Head = head is not null ? DecoderHead.Make(w, head, o.NEmbd, init, tokens: "classifier")
            : o.TieWordEmbeddings ? Linear.Tied("lm_head", _tokens) : Linear.Dense(w / "lm_head", o.NEmbd, VocabSize, init);
        (Parameters, Linears) = (w.Complete(), w.Linears);
    }

    public IReadOnlyList<Parameter> Parameters { get; }
    public IReadOnlyList<Linear> Linears { get; }
    public int VocabSize { get; }
    public int MaxPositions => _o.NPositions;
    public Linear Head { get; }
    public TaskHead? Task { get; }

    public Tensor Hidden(Tensor ids, in Step step)
    {
        var from = step.Start(ids, MaxPositions);
        var tokens = step.Prepend(_tokens.Forward(ids));
        var places = step.Positions is { } positions ? _positions.Forward(positions) : _positions.Rows(from, tokens.Size(1));
        var xBTD = F.Dropout(tokens + places, step.Training ? _o.EmbdPdrop : 0);
        var pass = step;
        foreach (var block in _blocks) xBTD = step.Run(xBTD, x => block.Forward(x, pass));
        return _norm.Forward(step.WithoutPrompt(xBTD));
    }

    public KvCache NewCache(int batch, int capacity) =>
        new(_o.NLayer, batch, capacity, _o.NHead, _o.NEmbd / _o.NHead, _blocks[0].CacheType, _tokens.Weight.Value.Device);

    public void Dispose()
    {
        foreach (var parameter in Parameters) parameter.Dispose();
        foreach (var linear in Linears) (linear.Weight as PackedWeight)?.Dispose();
    }
}

internal sealed class Gpt2Block(Weights w, Gpt2Options o, int layer)
{
    private readonly LayerNorm _attnNorm = new(w / "ln_1", o.NEmbd, o.LayerNormEpsilon);
    private readonly Gpt2Attention _attn = new(w / "attn", o.NEmbd, o.NHead, layer, o.AttnPdrop, Init.Normal(o.InitializerRange), Residual(o));
    private readonly LayerNorm _mlpNorm = new(w / "ln_2", o.NEmbd, o.LayerNormEpsilon);
    private readonly FeedForward _mlp = new(
        Linear.Conv1D(w / "mlp" / "c_fc", o.NEmbd, o.NInner ?? 4 * o.NEmbd, Init.Normal(o.InitializerRange)),
        Linear.Conv1D(w / "mlp" / "c_proj", o.NInner ?? 4 * o.NEmbd, o.NEmbd, Residual(o)),
        Activation.Of(o.ActivationFunction));

    public DType CacheType => _attn.CacheType;

    public Tensor Forward(Tensor xBTD, in Step step)
    {
        var dropout = step.Training ? o.ResidPdrop : 0;
        var hBTD = xBTD + F.Dropout(_attn.Forward(_attnNorm.Forward(xBTD), step), dropout);
        return hBTD + F.Dropout(_mlp.Forward(_mlpNorm.Forward(hBTD)), dropout);
    }

    // Each of the 2 L projections onto the residual stream starts smaller, so that their sum does not grow with depth (section 2.3).
    private static Init Residual(Gpt2Options o) => Init.Normal(o.InitializerRange / Math.Sqrt(2 * o.NLayer));
}

internal sealed class Gpt2Attention(Weights w, int width, int heads, int layer, double dropout, Init init, Init residualInit)
{
    private readonly Linear _qkv = Linear.Conv1D(w / "c_attn", width, 3 * width, init);
    private readonly Linear _out = Linear.Conv1D(w / "c_proj", width, width, residualInit);

    public DType CacheType => _qkv.Weight.ComputeType;

    public Tensor Forward(Tensor xBTD, in Step step)
    {
        var (rows, time) = (xBTD.Size(0), xBTD.Size(1));
        var parts = _qkv.Forward(xBTD).View(rows, time, 3, heads, width / heads).Unbind(2);
        return _out.Forward(Attention.Causal(parts[0], parts[1], parts[2], layer, dropout, step));
    }
}

using System.Text.Json.Nodes;
using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;
using Gradus.Models.Nn;

namespace Gradus.Models.Peft;

/// <summary>Prefix tuning (Li and Liang, 2021): trained keys and values before the text in every layer, as if they were cached. The text's positions follow them.</summary>
[Component("prefix")]
public sealed record PrefixOptions : AdapterOptions
{
    /// <summary>Positions the prefix has.</summary>
    [AtLeast(1), AtMost(1 << 16)]
    public int Length { get; init; } = 16;

    /// <summary>Standard deviation the keys and values start with.</summary>
    [AtLeast(0), AtMost(10)]
    public double InitStd { get; init; } = 0.02;

    public override string PeftType => "PREFIX_TUNING";
    public override bool StartsAsIdentity => false;
    public override bool CanMerge => false;

    internal override void Attach(AdapterBuilder to)
    {
        if (!to.Model.IsCausal) throw new UserException("adapter: what stands before a text needs a model that reads from left to right; lora or ia3 suit an encoder");
        var (layers, heads, width) = ShapeOf(to.Model);
        if (Length >= to.Model.MaxPositions) throw new UserException($"adapter.length: {Length} leaves no room for text; the model has {to.Model.MaxPositions} positions");
        to.KeyValues = new KeyValuePrefix(to.Weights.Parameter("prompt_embeddings", Init.Normal(InitStd), Length, 2L * layers * heads * width), layers, heads, width);
    }

    internal override void WriteConfig(JsonObject config, Adapter adapter)
    {
        var (layers, heads, width) = ShapeOf(adapter.Model);
        (config["num_virtual_tokens"], config["num_layers"], config["num_attention_heads"], config["token_dim"]) = (Length, layers, heads, heads * width);
        (config["num_transformer_submodules"], config["encoder_hidden_size"], config["prefix_projection"]) = (1, heads * width, false);
    }

    internal override AdapterOptions ReadConfig(PeftConfig config, IReadOnlyDictionary<string, long[]> shapes)
    {
        config.Only("num_transformer_submodules", 1);
        return this with { Length = config.Integer("num_virtual_tokens", 0, 1, 1 << 16) };
    }

    // What a cache of one row holds is what a prefix stands for.
    private static (int Layers, int Heads, int Width) ShapeOf(ILanguageModel model)
    {
        using var cache = model.NewCache(1, 1);
        return (cache.Layers, cache.Heads, cache.Width);
    }
}

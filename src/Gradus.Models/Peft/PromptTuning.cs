using System.Text.Json.Nodes;
using Gradus.Engine.Tensors;
using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;
using Gradus.Models.Nn;

namespace Gradus.Models.Peft;

/// <summary>Prompt tuning (Lester et al., 2021): trained vectors stand before the embedded text.</summary>
[Component("prompt")]
public sealed record PromptOptions : AdapterOptions
{
    /// <summary>Vectors before the text.</summary>
    [AtLeast(1), AtMost(1 << 16)]
    public int Length { get; init; } = 16;

    public override string PeftType => "PROMPT_TUNING";
    public override bool StartsAsIdentity => false;
    public override bool CanMerge => false;

    internal override void Attach(AdapterBuilder to)
    {
        if (!to.Model.IsCausal) throw new UserException("adapter: what stands before a text needs a model that reads from left to right; lora or ia3 suit an encoder");
        if (Length >= to.Model.MaxPositions) throw new UserException($"adapter.length: {Length} leaves no room for text; the model has {to.Model.MaxPositions} positions");
        to.Prompt = to.Weights.Parameter("prompt_embeddings", Init.Normal(0.02), Length, Table(to.Model).Value.Size(1));
        if (to.IsFresh) Grad.Off(() => Begin(to.Prompt.Value, Table(to.Model).Value));
    }

    internal override void WriteConfig(JsonObject config, Adapter adapter)
    {
        using var cache = adapter.Model.NewCache(1, 1);
        (config["num_virtual_tokens"], config["num_layers"], config["num_attention_heads"], config["token_dim"]) = (Length, cache.Layers, cache.Heads, Table(adapter.Model).Value.Size(1));
        (config["num_transformer_submodules"], config["prompt_tuning_init"], config["prompt_tuning_init_text"], config["tokenizer_name_or_path"]) = (1, "RANDOM", null, null);
    }

    internal override AdapterOptions ReadConfig(PeftConfig config, IReadOnlyDictionary<string, long[]> shapes)
    {
        config.Only("num_transformer_submodules", 1);
        return this with { Length = config.Integer("num_virtual_tokens", 0, 1, 1 << 16) };
    }

    // Rows of the vocabulary spread over it: real vectors learn faster than noise (section 3.1).
    private void Begin(Tensor prompt, Tensor table)
    {
        using var scope = Tensor.Scope();
        var rows = Enumerable.Range(0, Length).Select(i => (i + 1L) * table.Size(0) / (Length + 1)).ToArray();
        prompt.CopyFrom(table.IndexSelect(0, Tensor.From(rows, rows.Length).To(table.Device)));
    }

    private static Parameter Table(ILanguageModel model) =>
        model.Parameters.First(parameter => parameter.Value.Dims == 2 && parameter.Value.Size(0) == model.VocabSize);
}

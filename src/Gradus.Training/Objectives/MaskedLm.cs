using Gradus.Foundation.Recipes;
using Gradus.Models.Nn;
using Gradus.Text.Data;
using Gradus.Text.Data.Rows;
using Gradus.Text.Tokenizers;

namespace Gradus.Training.Objectives;

/// <summary>Filling in hidden tokens (Devlin et al., 2019): some are hidden as <see cref="MaskOptions"/> says, and the loss is -log p of what they were.</summary>
[Component("masked-lm")]
public sealed record MaskedLmOptions : ObjectiveOptions
{
    /// <summary>Which tokens are hidden and how.</summary>
    public MaskOptions Mask { get; init; } = new();

    public override IObjective Build() => new Classification(smoothing: 0);

    public override int Added(Tokenizer tokenizer) => MaskedRows.Added(tokenizer);

    public override IBatchSource Rows(IBatchSource rows, Tokenizer tokenizer, ulong seed) => new MaskedRows(rows, Mask, tokenizer, seed);

    public override string? Problem(ILanguageModel model) => (model ?? throw new ArgumentNullException(nameof(model))).Task is null ? null
        : "masked-lm predicts tokens, but the model's output layer is for labels";
}

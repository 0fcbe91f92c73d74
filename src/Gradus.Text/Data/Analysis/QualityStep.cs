using System.Globalization;
using System.Text;
using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;
using Gradus.Text.Data.Steps;

namespace Gradus.Text.Data.Analysis;

/// <summary>Keeps documents that a trained classifier takes for good ones (as GPT-3's and DCLM's filters did), and notes the probability as <c>quality</c>.</summary>
[Component("quality-classifier")]
public sealed record QualityStep : LocalStep
{
    /// <summary>A classifier of <c>gradus data train-classifier</c>.</summary>
    public required string Model { get; init; }

    /// <summary>The classifier's class of documents to keep.</summary>
    public string Label { get; init; } = "good";

    /// <summary>Least probability of that class.</summary>
    [AtLeast(0)]
    [AtMost(1)]
    public double MinScore { get; init; } = 0.5;

    protected internal override IReadOnlyList<string> Inputs() => [Model];

    public override IDocumentStep Build()
    {
        var model = SharedModels.Of(Model, "", () => TextClassifier.Load(Model));
        return model.Labels.Contains(Label, StringComparer.Ordinal) ? new Step(this, model) : throw new UserException($"label: {Model} has no class '{Label}'; it has {string.Join(", ", model.Labels)}.");
    }

    private sealed class Step(QualityStep o, TextClassifier model) : IDocumentStep
    {
        public void Apply(Draft draft)
        {
            var score = model.Probability(Encoding.UTF8.GetString(draft.Text), o.Label);
            draft.SetMeta("quality", score.ToString("0.###", CultureInfo.InvariantCulture));
            if (score < o.MinScore)
                draft.Drop("low-quality", score.ToString("0.###", CultureInfo.InvariantCulture));
        }
    }
}

/// <summary>Keeps documents that a Kneser-Ney model of reference texts predicts well (as CCNet did), and notes the perplexity as <c>perplexity</c>.</summary>
[Component("perplexity")]
public sealed record PerplexityStep : LocalStep, IValidated
{
    /// <summary>Texts as they should be: a text file or .jsonl rows, up to 64 MB.</summary>
    public required string Reference { get; init; }

    /// <summary>What is predicted.</summary>
    public ReferenceUnit Unit { get; init; }

    /// <summary>Words or bytes an n-gram.</summary>
    [AtLeast(1)]
    [AtMost(8)]
    public int Order { get; init; } = 3;

    /// <summary>Greatest perplexity that is let through.</summary>
    [Above(1)]
    public required double Max { get; init; }

    /// <summary>Least perplexity: what is predicted too well is the reference itself, or repeats.</summary>
    [AtLeast(0)]
    public double Min { get; init; }

    protected internal override IReadOnlyList<string> Inputs() => [Reference];

    public IEnumerable<(string Key, string Message)> Problems()
    {
        if (Min >= Max)
            yield return (nameof(Min), "is not below max");
    }

    public override IDocumentStep Build() => new Step(this, SharedModels.Of(Reference, FormattableString.Invariant($"{Unit} {Order}"), () => ReferenceModel.Of(Reference, Unit, Order)));

    private sealed class Step(PerplexityStep o, ReferenceModel model) : IDocumentStep
    {
        public void Apply(Draft draft)
        {
            var perplexity = model.Perplexity(draft.Text);
            var shown = perplexity.ToString("0.#", CultureInfo.InvariantCulture);
            draft.SetMeta("perplexity", shown);
            if (perplexity > o.Max || perplexity < o.Min)
                draft.Drop(perplexity > o.Max ? "perplexity-high" : "perplexity-low", shown);
        }
    }
}

using Gradus.Foundation.Recipes;

namespace Gradus.Inference.Evaluation.Metrics;

/// <summary>Share of answers that equal one of the right ones, both as SQuAD normalises them.</summary>
[Component("exact-match")]
public sealed record ExactMatch : MeanMetric
{
    protected override double Item(Judged item) => AnswerText.Best(item ?? throw new ArgumentNullException(nameof(item)), (right, said) => AnswerText.Normalised(right) == AnswerText.Normalised(said) ? 1 : 0);
}

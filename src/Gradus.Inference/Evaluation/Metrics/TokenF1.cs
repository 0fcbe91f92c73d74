using Gradus.Foundation.Recipes;

namespace Gradus.Inference.Evaluation.Metrics;

/// <summary>Mean over the questions of the F1 between the words of the answer and those of the nearest right one, as SQuAD normalises both.</summary>
[Component("token-f1")]
public sealed record TokenF1 : MeanMetric
{
    protected override double Item(Judged item) => AnswerText.Best(item ?? throw new ArgumentNullException(nameof(item)), Of);

    private static double Of(string right, string said)
    {
        string[] expected = AnswerText.Words(right), words = AnswerText.Words(said);
        // No answer is right only when none is wanted.
        if (expected.Length == 0 || words.Length == 0) return expected.Length == words.Length ? 1 : 0;
        var counts = expected.CountBy(word => word, StringComparer.Ordinal).ToDictionary(StringComparer.Ordinal);
        var shared = 0;
        foreach (var word in words)
            if (counts.TryGetValue(word, out var left) && left > 0)
                (counts[word], shared) = (left - 1, shared + 1);
        return shared == 0 ? 0 : 2.0 * shared / (expected.Length + words.Length);
    }
}

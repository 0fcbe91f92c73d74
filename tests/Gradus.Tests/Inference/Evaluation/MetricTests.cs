using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;
using Gradus.Inference.Evaluation.Metrics;

namespace Gradus.Tests.Inference.Evaluation;

/// <summary>Metrics against cases worked by hand, and what every registered metric must do.</summary>
public class MetricTests
{
    public static TheoryData<string> Kinds => [.. Components.Of(typeof(Metric)).Select(c => c.Kind)];

    // Expected a a a b b c, said a a b b c a: right 2 of a, 1 of b, 0 of c.
    private static readonly Judged[] s_six = [One("a", "a"), One("a", "a"), One("a", "b"), One("b", "b"), One("b", "c"), One("c", "a")];

    [Fact, Row("L2")]
    public void Accuracy_precision_recall_and_F1_are_those_worked_by_hand()
    {
        // a: right 2, wrong 1, missed 1; b: 1, 1, 1; c: 0, 1, 1.
        Assert.Equal(3 / 6.0, new Accuracy().Of(s_six), 12);
        Assert.Equal((2 / 3.0 + 1 / 2.0 + 0) / 3, new Precision().Of(s_six), 12);
        Assert.Equal((2 / 3.0 + 1 / 2.0 + 0) / 3, new Recall().Of(s_six), 12);
        Assert.Equal((4 / 6.0 + 2 / 4.0 + 0) / 3, new F1().Of(s_six), 12);
        Assert.Equal((3 * 4 / 6.0 + 2 * 2 / 4.0 + 0) / 6, new F1 { Average = Averaging.Weighted }.Of(s_six), 12);
        foreach (Metric micro in new Metric[] { new F1 { Average = Averaging.Micro }, new Precision { Average = Averaging.Micro }, new Recall { Average = Averaging.Micro } })
            Assert.Equal(0.5, micro.Of(s_six), 12); // one label an item: all are the accuracy
        Assert.Equal(0.5, new F1 { Positive = "b" }.Of(s_six), 12);
        Assert.Equal(0, new Precision { Positive = "never" }.Of(s_six));
        // Precision and recall part where one class swallows the other.
        Judged[] greedy = [One("a", "a"), One("b", "a"), One("b", "a"), One("b", "b")];
        Assert.Equal(1 / 3.0, new Precision { Positive = "a" }.Of(greedy), 12);
        Assert.Equal(1, new Recall { Positive = "a" }.Of(greedy), 12);
        Assert.Equal(0.5, new F1 { Positive = "a" }.Of(greedy), 12);
    }

    [Fact, Row("L2")]
    public void The_confusion_matrix_counts_what_was_taken_for_what()
    {
        var matrix = new ConfusionMatrix(s_six, ["a", "b", "c"]);
        Assert.Equal([2, 1, 0, 0, 1, 1, 1, 0, 0], from row in Enumerable.Range(0, 3) from column in Enumerable.Range(0, 3) select matrix[row, column]);
        Assert.Contains("| a | 2 | 1 | 0 |", matrix.ToMarkdown(), StringComparison.Ordinal);
    }

    [Fact, Row("L2")]
    public void Entities_are_whole_or_wrong()
    {
        Judged item = new(["B-PER", "I-PER", "O", "B-LOC", "O", "B-ORG"], ["B-PER", "I-PER", "O", "B-LOC", "I-LOC", "B-PER"]);
        // Right: PER 0-2. Said besides: LOC 3-5 (too long), PER 5-6 (other type). Three expected, three said.
        Assert.Equal(2.0 * 1 / 6, new EntityF1().Of([item]), 12);
        Assert.Equal([(0, 2, "PER"), (2, 3, "LOC"), (3, 4, "LOC")], EntityF1.Entities(["I-PER", "I-PER", "I-LOC", "B-LOC"])); // conlleval: an I- begins where nothing goes on
        Assert.Equal(1, new EntityF1().Of([new(item.Expected, item.Expected)]));
        Assert.Equal(4 / 6.0, new Accuracy().Of([item]), 12); // the tags flatter
    }

    [Theory, Row("L3")]
    [InlineData("the Cat's  hat", "Cats hat", 1, 1)] // articles, punctuation, case and spaces do not count
    [InlineData("in 1999", "1999", 0, 2 / 3.0)]
    [InlineData("a b c", "c d", 0, 0.5)] // "a" is an article: b c against c d
    [InlineData("yes yes no", "yes no no", 0, 2 / 3.0)] // each word as often as it is there
    [InlineData("x", "", 0, 0)]
    [InlineData("the", "an", 1, 1)] // both nothing
    public void Answers_are_compared_as_SQuAD_does(string right, string said, double exact, double f1)
    {
        Assert.Equal(exact, new ExactMatch().Of([One(right, said)]));
        Assert.Equal(f1, new TokenF1().Of([One(right, said)]), 12);
    }

    [Fact, Row("L3")]
    public void The_best_of_several_right_answers_counts_and_no_answer_wants_none()
    {
        Assert.Equal(1, new ExactMatch().Of([new(["Denver", "Denver Broncos"], ["denver broncos"])]));
        Assert.Equal(1, new TokenF1().Of([new([], [""])]));
        Assert.Equal(0, new TokenF1().Of([new([], ["something"])]));
    }

    [Fact, Row("L3")]
    public void The_reciprocal_rank_is_that_of_the_first_right_one() =>
        Assert.Equal((1 + 1 / 3.0 + 0 + 1 / 2.0) / 4, new ReciprocalRank().Of([One("x", "x"), new(["x"], ["a", "b", "x"]), new(["x"], ["a"]), new(["x", "y"], ["a", "y", "x"])]), 12);

    [Theory, MemberData(nameof(Kinds))]
    public void A_metric_does_not_mind_the_order_of_items_and_perfect_answers_are_perfect(string kind)
    {
        var metric = Make(kind);
        Judged[] items = kind == "squared-error" ? [One("1", "2"), One("3", "3.5"), One("2", "2")] : [One("B-x", "B-x"), One("B-x", "O"), One("B-y", "B-x"), One("O", "O")];
        Assert.Equal(metric.Of(items), metric.Of([.. items.Reverse()]), 12);
        Assert.Equal(metric.HigherIsBetter ? 1 : 0, metric.Of([.. items.Select(i => new Judged(i.Expected, i.Expected))]), 12);
        Assert.InRange(metric.Of(items), 0, metric.HigherIsBetter ? 0.999 : 10);
        Assert.Throws<UserException>(() => metric.Of([]));
    }

    [Fact, Row("X.6")]
    public void The_bootstrap_interval_is_about_two_standard_errors_and_always_the_same()
    {
        Judged[] items = [.. Enumerable.Range(0, 400).Select(i => One("a", i % 4 == 0 ? "b" : "a"))];
        var (low, high) = new Accuracy().Interval(items);
        var error = Math.Sqrt(0.75 * 0.25 / 400); // of a share of 0.75 in 400: 0.0217
        Assert.InRange(low, 0.75 - 2.4 * error, 0.75 - 1.6 * error);
        Assert.InRange(high, 0.75 + 1.6 * error, 0.75 + 2.4 * error);
        Assert.Equal((low, high), new Accuracy().Interval(items));
        // The control: items that all are right have no spread.
        Assert.Equal((1, 1), new Accuracy().Interval([.. items.Select(i => new Judged(i.Expected, i.Expected))]));
        Assert.True(new ExactMatch().Interval(items) is var (l, h) && l < 0.75 && h > 0.75);
    }

    private static Metric Make(string kind) => RecipeFile.Parse<Metric>($"{{ kind: {kind} }}", "m.yaml", []);

    private static Judged One(string expected, string said) => new([expected], [said]);
}

using Gradus.Engine.Tensors;
using Gradus.Models.Nn;
using Gradus.Tests.Models.Families;
using Gradus.Text.Data;
using Gradus.Text.Data.Rows;
using Gradus.Training.Objectives;

namespace Gradus.Tests.Training.Objectives;

/// <summary>The losses of tasks by hand, over rows of unequal length.</summary>
[Row("I2")]
public class TaskObjectiveTests
{
    private static readonly TaskHead s_three = new(TaskHead.SequenceClassification, ["a", "b", "c"]);

    [Fact]
    public void Classification_is_minus_the_log_of_the_probability_with_weights_and_smoothing()
    {
        using var scope = Tensor.Scope();
        using var model = TinyModels.Options("bert").BuildFresh(1, head: s_three);
        EncodedRow[] rows = [Row([5, 6, 7, 8], 2), Row([9, 10], 0) with { Weight = 3 }];
        var batch = LabelledRows.Batch(rows, pad: 0);
        var shares = rows.Select(row => model.Logits(Tensor.From(row.Ids.Select(i => (long)i).ToArray(), 1, row.Ids.Length), default).Select(1, 0).LogSoftmax(-1).ToArray<double>()).ToArray();
        Assert.Equal(-shares[0][2] - 3 * shares[1][0], Sum(new ClassificationOptions(), model, batch), 1e-5);
        var smooth = -(0.9 * shares[0][2] + 0.1 / 3 * shares[0].Sum()) - 3 * (0.9 * shares[1][0] + 0.1 / 3 * shares[1].Sum());
        Assert.Equal(smooth, Sum(new ClassificationOptions { LabelSmoothing = 0.1 }, model, batch), 1e-5);
    }

    [Theory, InlineData("bert", false), InlineData("bert", true), InlineData("llama", false), InlineData("gpt2", true)]
    public void Rows_that_fill_each_other_up_cost_what_each_costs_alone(string kind, bool mean)
    {
        using var scope = Tensor.Scope();
        using var model = TinyModels.Options(kind).BuildFresh(1, head: s_three with { MeanPooling = mean });
        Grad.Off(() =>
        {
            foreach (var p in model.Parameters.Where(p => p.Value.Dims > 1)) p.Value.MulInPlace(8);
        });
        EncodedRow Of(int[] ids, int label) => kind == "bert" ? Row(ids, label) : new EncodedRow(ids, [.. Enumerable.Repeat(TokenBatch.Ignore, ids.Length - 1), label]);
        EncodedRow[] rows = [Of([5, 6, 7, 8, 9, 10], 2), Of([9, 10], 0), Of([11], 1)];
        var alone = rows.Sum(row => Sum(new ClassificationOptions(), model, LabelledRows.Batch([row], 0)));
        Assert.Equal(alone, Sum(new ClassificationOptions(), model, LabelledRows.Batch(rows, 0, multiple: 8)), 1e-4);
        var seen = LabelledRows.Batch(rows, 0, multiple: 8);
        seen.HasDocumentBorders = false;
        // The control: where filling is seen (by encoders, and by any mean), the sum is another.
        if (kind == "bert" || mean) Assert.True(Math.Abs(alone - Sum(new ClassificationOptions(), model, seen)) > 1e-3);
    }

    [Fact]
    public void Answer_spans_are_two_soft_maxes_over_the_places_that_may_be()
    {
        using var scope = Tensor.Scope();
        using var model = TinyModels.Options("bert").BuildFresh(1, head: new TaskHead(TaskHead.QuestionAnswering, []));
        var row = new EncodedRow([5, 6, 7, 8, 9], [0, TokenBatch.Ignore, 1, 2, 0]);
        var logits = model.Logits(Tensor.From([5L, 6, 7, 8, 9], 1, 5), default).Select(0, 0);
        int[] allowed = [0, 2, 3, 4];
        double Minus(int output, int at)
        {
            var scores = logits.Select(1, output).ToArray<double>();
            return Math.Log(allowed.Sum(i => Math.Exp(scores[i]))) - scores[at];
        }
        var batch = LabelledRows.Batch([row], 0, multiple: 8);
        Assert.Equal(Minus(0, 2) + Minus(1, 3), Sum(new AnswerSpansOptions(), model, batch), 1e-5);
        Assert.Equal(2, new AnswerSpansOptions().Build().Weight(batch));
    }

    [Fact]
    public void Regression_is_the_squared_difference()
    {
        using var scope = Tensor.Scope();
        using var model = TinyModels.Options("bert").BuildFresh(1, head: new TaskHead(TaskHead.SequenceClassification, ["number"]) { Regression = true });
        var said = model.Logits(Tensor.From([5L, 6, 7], 1, 3), default).Select(1, 0).ToArray<double>()[0];
        Assert.Equal(Math.Pow(said - 2.5, 2), Sum(new RegressionOptions(), model, LabelledRows.Batch([Row([5, 6, 7], 0) with { Value = 2.5f }], 0)), 1e-5);
    }

    [Fact]
    public void A_decoder_s_loss_counts_weights_of_targets()
    {
        using var scope = Tensor.Scope();
        using var model = new TinyLanguageModel();
        var (plain, weighted) = (TestRows.Bigrams().Rows(0, 2), TestRows.Bigrams().Rows(0, 2));
        var objective = new CausalLmOptions().Build();
        double each = objective.Sum(model, plain, default).Item();
        weighted.Weights = [.. Enumerable.Repeat(2f, weighted.Targets.Length)];
        Assert.Equal(2 * each, objective.Sum(model, weighted, default).Item(), each * 1e-5);
    }

    [Fact]
    public void Objectives_say_which_models_they_do_not_fit()
    {
        using var encoder = TinyModels.Options("bert").BuildFresh(1);
        using var classifier = TinyModels.Options("bert").BuildFresh(1, head: s_three);
        Assert.Contains("masked-lm", new CausalLmOptions().Problem(encoder), StringComparison.Ordinal);
        Assert.Null(new MaskedLmOptions().Problem(encoder));
        Assert.Contains("labels", new MaskedLmOptions().Problem(classifier), StringComparison.Ordinal);
    }

    private static double Sum(ObjectiveOptions options, ILanguageModel model, TokenBatch batch) => options.Build().Sum(model, batch, default).Item();

    private static EncodedRow Row(int[] ids, int label) => new(ids, [label, .. Enumerable.Repeat(TokenBatch.Ignore, ids.Length - 1)]);
}

using System.Globalization;
using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;
using Gradus.Inference.Evaluation.Metrics;
using Gradus.Models.Nn;
using Gradus.Text.Data.Records;
using Gradus.Text.Data.Rows;
using Gradus.Text.Tokenizers;

namespace Gradus.Inference.Tasks;

/// <summary>A number for a text or a pair of texts: stars, similarity, difficulty.</summary>
[Component("regression")]
public sealed record Regression : TaskOptions
{
    /// <summary>What the head reads.</summary>
    public RowState Pooling { get; init; } = RowState.Token;

    public override string ObjectiveKind => "regression";

    public override TaskHead HeadFor(IReadOnlyList<DataRecord> records)
    {
        ArgumentNullException.ThrowIfNull(records);
        foreach (var record in records) Number(Only<LabelledText>(record, "rows with a text and a number"));
        return new TaskHead(TaskHead.SequenceClassification, ["number"]) { Regression = true, MeanPooling = Pooling == RowState.Mean };
    }

    public override TaskWork Bind(Tokenizer tokenizer, TaskHead head, bool causal) => new RegressionWork(this, new RowEncoder(tokenizer, MaxLength, causal), head);

    public override bool Takes(TaskHead head) => head is { Kind: TaskHead.SequenceClassification, Regression: true };

    public override bool Keeps(TaskHead head) => (head ?? throw new ArgumentNullException(nameof(head))).MeanPooling == (Pooling == RowState.Mean);

    private static double Number(LabelledText item) => double.TryParse(item.Label, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) ? number
        : throw new UserException($"{item.Place}: '{item.Label}' is no number; classes are task.kind: sequence-classification");

    private sealed class RegressionWork(Regression o, RowEncoder encoder, TaskHead head) : TaskWork(head)
    {
        public override int Pad => encoder.Pad;

        public override IReadOnlyList<(string Name, Metric Metric)> Metrics => [("squared error", new SquaredError())];

        public override string BaselineName => "always the mean";

        public override DataRecord Ask(string text, string? pair, string place) => new LabelledText { Place = place, Text = text, Pair = pair, Label = "0" };

        public override IEnumerable<EncodedRow> Encode(DataRecord record, int index)
        {
            var item = o.Only<LabelledText>(record, "rows with a text and a number");
            yield return encoder.Text(item.Text, item.Pair, 0, index) with { Value = (float)Number(item) };
        }

        public override TaskAnswer Answer(DataRecord record, IReadOnlyList<(EncodedRow Row, float[]?[] Scores)> rows) => new([rows[0].Scores[0]![0].ToString("R", CultureInfo.InvariantCulture)], [1]);

        public override Judged Judge(DataRecord record, IReadOnlyList<string> said) => new([((LabelledText)record).Label], said);

        public override Func<DataRecord, IReadOnlyList<string>> Baseline(IReadOnlyList<DataRecord> training)
        {
            var mean = training.Average(r => Number((LabelledText)r)).ToString("R", CultureInfo.InvariantCulture);
            return _ => [mean];
        }
    }
}

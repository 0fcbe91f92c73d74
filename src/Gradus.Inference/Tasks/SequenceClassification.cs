using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;
using Gradus.Inference.Evaluation.Metrics;
using Gradus.Models.Nn;
using Gradus.Text.Data.Records;
using Gradus.Text.Data.Rows;
using Gradus.Text.Tokenizers;

namespace Gradus.Inference.Tasks;

/// <summary>What a row's state is taken from.</summary>
public enum RowState
{
    /// <summary>One token: an encoder's first (<c>[CLS]</c>), a decoder's last.</summary>
    Token,

    /// <summary>The mean over all tokens.</summary>
    Mean,
}

/// <summary>A class for a text or a pair of texts: sentiment, spam, entailment.</summary>
[Component("sequence-classification")]
public sealed record SequenceClassification : TaskOptions
{
    /// <summary>The classes in the order of the outputs; left out: those of the training records, by name.</summary>
    public IReadOnlyList<string> Labels { get; init; } = [];

    /// <summary>What the head reads.</summary>
    public RowState Pooling { get; init; } = RowState.Token;

    /// <summary>How much each class counts in the loss, by its name; classes that are not named count 1.</summary>
    public IReadOnlyDictionary<string, double> ClassWeights { get; init; } = new SortedDictionary<string, double>(StringComparer.Ordinal);

    /// <summary>Each class counts the same in the whole, however many records it has.</summary>
    public bool Balanced { get; init; }

    public override string ObjectiveKind => "classification";

    public override TaskHead HeadFor(IReadOnlyList<DataRecord> records)
    {
        ArgumentNullException.ThrowIfNull(records);
        var found = records.Select(record => Only<LabelledText>(record, "rows with a text and a label").Label).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        foreach (var name in ClassWeights.Keys)
            if (!(Labels.Count > 0 ? Labels : found).Contains(name)) throw new UserException($"task.class_weights: '{name}' is none of the labels{NearestName.Hint(name, Labels.Count > 0 ? Labels : found)}");
        if (Labels.Count == 0 && found.Count < 2) throw new UserException($"{records[0].Place}: every record has the label '{found[0]}'; a classifier needs at least two");
        if (Labels.Count == 0 && found.Count > 1000) throw new UserException($"{records[0].Place}: {found.Count} different labels; are these classes? A number for each text is task.kind: regression");
        return new TaskHead(TaskHead.SequenceClassification, Labels.Count > 0 ? Labels : found) { MeanPooling = Pooling == RowState.Mean };
    }

    public override TaskWork Bind(Tokenizer tokenizer, TaskHead head, bool causal) => new ClassificationWork(this, new RowEncoder(tokenizer, MaxLength, causal), head);

    public override bool Takes(TaskHead head) => head is { Kind: TaskHead.SequenceClassification, Regression: false };

    public override bool Keeps(TaskHead head) => (Labels.Count == 0 || Labels.SequenceEqual((head ?? throw new ArgumentNullException(nameof(head))).Labels, StringComparer.Ordinal)) && head.MeanPooling == (Pooling == RowState.Mean);

    private sealed class ClassificationWork(SequenceClassification o, RowEncoder encoder, TaskHead head) : TaskWork(head)
    {
        private readonly Dictionary<string, int> _ids = head.Labels.Select((label, i) => (label, i)).ToDictionary(pair => pair.label, pair => pair.i, StringComparer.Ordinal);

        public override int Pad => encoder.Pad;

        public override IReadOnlyList<(string Name, Metric Metric)> Metrics =>
        [
            ("accuracy", new Accuracy()), ("macro F1", new F1()), ("macro precision", new Precision()), ("macro recall", new Recall()), ("weighted F1", new F1 { Average = Averaging.Weighted }),
        ];

        public override string BaselineName => "always the commonest class";

        public override DataRecord Ask(string text, string? pair, string place) => new LabelledText { Place = place, Text = text, Pair = pair, Label = Head.Labels[0] };

        public override IEnumerable<EncodedRow> Encode(DataRecord record, int index)
        {
            var item = o.Only<LabelledText>(record, "rows with a text and a label");
            if (!_ids.TryGetValue(item.Label, out var label)) throw new UserException($"{item.Place}: label '{item.Label}' is none of the model's{NearestName.Hint(item.Label, Head.Labels)}");
            yield return encoder.Text(item.Text, item.Pair, label, index);
        }

        public override TaskAnswer Answer(DataRecord record, IReadOnlyList<(EncodedRow Row, float[]?[] Scores)> rows)
        {
            var shares = Softmax(rows[0].Scores[0]!);
            var best = Best(shares);
            return new TaskAnswer([Head.Labels[best]], [shares[best]]);
        }

        public override Judged Judge(DataRecord record, IReadOnlyList<string> said) => new([((LabelledText)record).Label], said);

        public override Func<DataRecord, IReadOnlyList<string>> Baseline(IReadOnlyList<DataRecord> training)
        {
            var most = training.Cast<LabelledText>().CountBy(r => r.Label, StringComparer.Ordinal).OrderByDescending(c => c.Value).ThenBy(c => c.Key, StringComparer.Ordinal).First().Key;
            return _ => [most];
        }

        public override IReadOnlyList<EncodedRow> Weighted(IReadOnlyList<EncodedRow> rows, IReadOnlyList<DataRecord> records)
        {
            if (!o.Balanced && o.ClassWeights.Count == 0) return rows;
            var counts = records.CountBy(r => ((LabelledText)r).Label, StringComparer.Ordinal).ToDictionary(StringComparer.Ordinal);
            return [.. rows.Select(row =>
            {
                var label = ((LabelledText)records[row.Record]).Label;
                var share = o.Balanced ? (double)records.Count / (counts.Count * counts[label]) : 1;
                return row with { Weight = (float)(share * o.ClassWeights.GetValueOrDefault(label, 1)) };
            })];
        }
    }
}

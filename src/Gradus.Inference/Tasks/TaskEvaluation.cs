using Gradus.Engine.Tensors;
using Gradus.Foundation.Files;
using Gradus.Inference.Evaluation.Metrics;
using Gradus.Models.Nn;
using Gradus.Text.Data.Records;
using Gradus.Text.Data.Rows;

namespace Gradus.Inference.Tasks;

/// <summary>One number of an evaluation, with the bounds of its 95 % bootstrap interval.</summary>
public sealed record TaskScore(string Name, double Value, double Low, double High, bool HigherIsBetter);

/// <summary>What came of an evaluation.</summary>
/// <param name="Scores">The task's metrics, the deciding one first.</param>
/// <param name="Items">The items with what was said.</param>
/// <param name="Truncated">Rows that were cut, or contexts that took several.</param>
public sealed record TaskResult(IReadOnlyList<TaskScore> Scores, IReadOnlyList<Judged> Items, long Truncated);

/// <summary>A model's answers to records, and how good they are.</summary>
public static class TaskEvaluation
{
    /// <summary>Answers, in the order of the records.</summary>
    public static IReadOnlyList<TaskAnswer> Answers(ILanguageModel model, TaskWork work, IReadOnlyList<DataRecord> records, int rowsAtOnce = 16, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(work);
        ArgumentNullException.ThrowIfNull(records);
        var rows = records.SelectMany(work.Encode).ToList();
        return Answers(model, work, records, rows, rowsAtOnce, cancel);
    }

    /// <summary>Measures a model on records whose answers are known.</summary>
    public static TaskResult Measure(ILanguageModel model, TaskWork work, IReadOnlyList<DataRecord> records, int rowsAtOnce = 16, bool intervals = true, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(work);
        ArgumentNullException.ThrowIfNull(records);
        if (records.Count == 0) throw new UserException("there is nothing to measure on");
        var rows = records.SelectMany(work.Encode).ToList();
        var answers = Answers(model, work, records, rows, rowsAtOnce, cancel);
        return Judge(work, [.. records.Select((record, i) => work.Judge(record, answers[i].Said))], intervals, rows.Count(row => row.Truncated));
    }

    /// <summary>What the task's baseline comes to on the same records.</summary>
    public static TaskResult Baseline(TaskWork work, IReadOnlyList<DataRecord> training, IReadOnlyList<DataRecord> records)
    {
        ArgumentNullException.ThrowIfNull(work);
        ArgumentNullException.ThrowIfNull(records);
        var say = work.Baseline(training);
        return Judge(work, [.. records.Select(record => work.Judge(record, say(record)))], intervals: true, truncated: 0);
    }

    private static TaskResult Judge(TaskWork work, IReadOnlyList<Judged> items, bool intervals, long truncated) => new([.. work.Metrics.Select(entry =>
    {
        var value = entry.Metric.Of(items);
        var (low, high) = intervals ? entry.Metric.Interval(items) : (value, value);
        return new TaskScore(entry.Name, value, low, high, entry.Metric.HigherIsBetter);
    })], items, truncated);

    private static List<TaskAnswer> Answers(ILanguageModel model, TaskWork work, IReadOnlyList<DataRecord> records, List<EncodedRow> rows, int rowsAtOnce, CancellationToken cancel)
    {
        var scores = Scores(model, rows, work.Pad, rowsAtOnce, cancel);
        var (answers, at) = (new List<TaskAnswer>(records.Count), 0);
        for (var r = 0; r < records.Count; r++)
        {
            var mine = new List<(EncodedRow, float[]?[])>();
            for (; at < rows.Count && rows[at].Record == r; at++) mine.Add((rows[at], scores[at]));
            answers.Add(work.Answer(records[r], mine));
        }
        return answers;
    }

    // Rows of about one length together; results in the rows' own order.
    private static float[]?[][] Scores(ILanguageModel model, List<EncodedRow> rows, int pad, int rowsAtOnce, CancellationToken cancel)
    {
        using var off = Grad.Off();
        var device = model.Device;
        var scores = new float[]?[rows.Count][];
        foreach (var chunk in Enumerable.Range(0, rows.Count).OrderBy(i => rows[i].Ids.Length).Chunk(rowsAtOnce))
        {
            cancel.ThrowIfCancellationRequested();
            using var scope = Tensor.Scope();
            var batch = LabelledRows.Batch([.. chunk.Select(i => rows[i])], pad, multiple: 8);
            var step = new Step
            {
                Types = batch.Types is { } types ? Ids(types) : null,
                Positions = batch.HasDocumentBorders ? Ids(batch.Positions) : null, Documents = batch.HasDocumentBorders ? Ids(batch.Documents) : null,
            };
            var states = Pooling.Of(model, model.Hidden(Ids(batch.Ids), step), step);
            var places = chunk.SelectMany((row, r) => rows[row].Places.Where(place => place >= 0).Select(place => (long)r * batch.Length + place)).ToArray();
            var read = states.Reshape(-1, states.Size(-1)).IndexSelect(0, Tensor.From(places, places.Length).To(device));
            var outputs = model.Head.Forward(model.BeforeHead(read, step)).To(DType.Float32).To(Device.Cpu);
            var (values, width, at) = (outputs.ToArray<float>(), (int)outputs.Size(1), 0);
            foreach (var row in chunk)
                scores[row] = [.. rows[row].Places.Select(place => place < 0 ? null : values.AsSpan(at++ * width, width).ToArray())];

            Tensor Ids(int[] of) => Tensor.From(of, batch.Rows, batch.Length).To(DType.Int64).To(device);
        }
        return scores;
    }
}

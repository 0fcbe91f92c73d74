using Gradus.Foundation.Files;
using Gradus.Inference.Tasks;
using Gradus.Models.Nn;
using Gradus.Text.Data;
using Gradus.Text.Data.Records;
using Gradus.Text.Data.Rows;
using Gradus.Text.Tokenizers;

namespace Gradus.Training.Loop;

/// <summary>A task's records as rows for the loop, and as questions for measuring.</summary>
internal sealed class TaskRun : RecordRun
{
    private readonly List<DataRecord> _train;

    /// <exception cref="UserException">The records are not what the task needs.</exception>
    public TaskRun(TaskOptions task, RecordSets sets, Tokenizer tokenizer, TaskHead? known, bool causal, ulong seed, Action<string> say)
    {
        (_train, Validation, Test) = sets.Read(say);
        var wanted = task.HeadFor(_train);
        Head = known is not null && wanted.Labels.All(known.Labels.Contains) ? known : wanted; // other labels: another output layer
        Work = task.Bind(tokenizer, Head, causal);
        var rows = Work.Weighted(Rows(_train), _train);
        if (!rows.Any(row => row.Targets.Any(target => target >= 0))) throw new UserException("records.train: no row has anything to learn: every label was cut off or is unknown; raise task.max_length");
        Train = new LabelledRows(rows, task.Rows, Work.Pad, seed, tokenizer);
        Held = Validation.Count == 0 ? null : new LabelledRows(Rows(Validation), task.Rows, Work.Pad, seed: null);
        Key = Hash(rows);
        var cut = rows.Count(row => row.Truncated);
        say(FormattableString.Invariant($"records: {_train.Count:N0} to learn from, {Validation.Count:N0} to validate on{(Test.Count > 0 ? FormattableString.Invariant($", {Test.Count:N0} to test on") : "")}; {rows.Sum(row => (long)row.Ids.Length):N0} tokens{(cut > 0 ? FormattableString.Invariant($"; {cut:N0} rows of {rows.Count:N0} did not fit into {task.MaxLength} tokens (task.max_length)") : "")}"));
        var learned = rows.Count(row => row.Targets.Any(target => target >= 0) || row.Value is not null);
        Findings.Add(new(Finding.Masks, learned == rows.Count ? FindingLevel.Ok : FindingLevel.Warning, FormattableString.Invariant($"{learned:N0} of {rows.Count:N0} rows have something to learn")));
        FindLeaks(_train, Validation, "validation", FindingLevel.Warning);
        FindLeaks(_train, Test, "test", FindingLevel.Warning);
        if (cut > 0) Findings.Add(new(Finding.Truncated, FindingLevel.Warning, FormattableString.Invariant($"{cut:N0} of {rows.Count:N0} rows are cut (task.max_length)")));
        Description = FormattableString.Invariant($"{Train.TokensPerEpoch:N0} tokens in {Train.RowsPerEpoch:N0} rows{(cut > 0 ? FormattableString.Invariant($", {cut:N0} of them cut") : "")}");
    }

    public TaskHead Head { get; }
    public TaskWork Work { get; }
    public override IBatchSource Train { get; }
    public override IBatchSource? Held { get; }
    public List<DataRecord> Validation { get; }
    public List<DataRecord> Test { get; }
    public override string Key { get; }
    public override string Description { get; }
    public override string LengthKey => "task.max_length";

    /// <summary>How good a model is on the validation records; no intervals, as the loop asks often.</summary>
    public override IReadOnlyList<TaskScore> Score(ILanguageModel model, int rowsAtOnce) => TaskEvaluation.Measure(model, Work, Validation, rowsAtOnce, intervals: false).Scores;

    public override void MeasureBefore(RunSetup setup, string folder) => TaskReport.Before(setup, this, folder);

    public override string MeasureAfter(RunSetup setup, string folder) => TaskReport.After(setup, this, folder);

    /// <summary>The measured sets by name: what the report compares before and after.</summary>
    public IEnumerable<(string Name, List<DataRecord> Records)> Sets()
    {
        if (Validation.Count > 0) yield return ("validation", Validation);
        if (Test.Count > 0) yield return ("test", Test);
    }

    public TaskResult Baseline(List<DataRecord> records) => TaskEvaluation.Baseline(Work, _train, records);

    private List<EncodedRow> Rows(List<DataRecord> records) => [.. records.SelectMany(Work.Encode)];
}

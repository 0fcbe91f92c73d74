using System.Buffers.Binary;
using System.Security.Cryptography;
using Gradus.Foundation.Files;
using Gradus.Inference.Tasks;
using Gradus.Models.Nn;
using Gradus.Text.Data.Records;
using Gradus.Text.Data.Rows;
using Gradus.Text.Tokenizers;

namespace Gradus.Training.Loop;

/// <summary>A task's records as rows for the loop, and as questions for measuring.</summary>
internal sealed class TaskRun
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
        Truncated = cut;
    }

    public TaskHead Head { get; }
    public TaskWork Work { get; }
    public LabelledRows Train { get; }
    public LabelledRows? Held { get; }
    public List<DataRecord> Validation { get; }
    public List<DataRecord> Test { get; }
    public long Truncated { get; }

    /// <summary>SHA-256 of what is learned from.</summary>
    public string Key { get; }

    /// <summary>How good a model is on the validation records; no intervals, as the loop asks often.</summary>
    public IReadOnlyList<TaskScore> Score(ILanguageModel model, int rowsAtOnce) => TaskEvaluation.Measure(model, Work, Validation, rowsAtOnce, intervals: false).Scores;

    /// <summary>The measured sets by name: what the report compares before and after.</summary>
    public IEnumerable<(string Name, List<DataRecord> Records)> Sets()
    {
        if (Validation.Count > 0) yield return ("validation", Validation);
        if (Test.Count > 0) yield return ("test", Test);
    }

    public TaskResult Baseline(List<DataRecord> records) => TaskEvaluation.Baseline(Work, _train, records);

    private List<EncodedRow> Rows(List<DataRecord> records) => [.. records.SelectMany(Work.Encode)];

    private static string Hash(IReadOnlyList<EncodedRow> rows)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> bytes = stackalloc byte[4];
        foreach (var row in rows)
        {
            Add(row.Ids.Length, hash, bytes);
            foreach (var id in row.Ids) Add(id, hash, bytes);
            foreach (var target in row.Targets) Add(target, hash, bytes);
            Add(BitConverter.SingleToInt32Bits(row.Weight), hash, bytes);
            Add(BitConverter.SingleToInt32Bits(row.Value ?? 0), hash, bytes);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());

        static void Add(int value, IncrementalHash hash, Span<byte> bytes)
        {
            BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
            hash.AppendData(bytes);
        }
    }
}

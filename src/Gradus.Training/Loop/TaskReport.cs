using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Gradus.Foundation.Files;
using Gradus.Inference.Evaluation.Metrics;
using Gradus.Inference.Tasks;

namespace Gradus.Training.Loop;

/// <summary><c>evaluation.json</c>: how good the model of a task was before training and is after, beside what needs no network.</summary>
internal sealed record TaskReport
{
    public const string FileName = "evaluation.json";

    private static readonly JsonSerializerOptions s_json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>What the baseline is, in words.</summary>
    public required string Baseline { get; init; }

    public required IReadOnlyList<SetReport> Sets { get; init; }

    /// <summary>One set of records: its size, and the scores of the baseline, of the model before and after.</summary>
    public sealed record SetReport(string Name, int Records, IReadOnlyList<TaskScore> Baseline, IReadOnlyList<TaskScore> Before, IReadOnlyList<TaskScore> After);

    public static void Before(RunSetup setup, TaskRun task, string folder)
    {
        new TaskReport
        {
            Baseline = task.Work.BaselineName,
            Sets = [.. task.Sets().Select(set => new SetReport(set.Name, set.Records.Count, task.Baseline(set.Records).Scores, setup.Measure(set.Records).Scores, []))],
        }.Write(folder);
    }

    /// <summary>Measures the exported weights, and returns what the report says of them.</summary>
    public static string After(RunSetup setup, TaskRun task, string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path)) return "";
        var before = StrictJson.Read<TaskReport>(File.ReadAllBytes(path), path);
        var text = new StringBuilder("\n## Before and after\n");
        var sets = new List<SetReport>();
        foreach (var (name, records) in task.Sets())
        {
            var result = setup.Measure(records);
            var was = before.Sets.FirstOrDefault(set => set.Name == name);
            sets.Add((was ?? new SetReport(name, records.Count, [], [], [])) with { After = result.Scores });
            text.Append(CultureInfo.InvariantCulture, $"\n{name}: {records.Count:N0} records. In brackets: 95 % bootstrap interval. Baseline: {task.Work.BaselineName}.\n\n| | baseline | before | after |\n|---|--:|--:|--:|\n");
            for (var i = 0; i < result.Scores.Count; i++)
                text.Append(CultureInfo.InvariantCulture, $"| {result.Scores[i].Name} | {Cell(was?.Baseline, i)} | {Cell(was?.Before, i)} | {Cell(result.Scores, i)} |\n");
            if (task.Head.Labels.Count is > 1 and <= 20 && !task.Head.Regression) text.Append('\n').Append(new ConfusionMatrix(result.Items, task.Head.Labels).ToMarkdown());
        }
        (before with { Sets = sets }).Write(folder);
        return text.ToString();

        static string Cell(IReadOnlyList<TaskScore>? scores, int i) => scores is null || i >= scores.Count ? "" : FormattableString.Invariant($"{scores[i].Value:F4} [{scores[i].Low:F4}, {scores[i].High:F4}]");
    }

    private void Write(string folder) => Durable.WriteText(Path.Combine(folder, FileName), JsonSerializer.Serialize(this, s_json) + "\n");
}

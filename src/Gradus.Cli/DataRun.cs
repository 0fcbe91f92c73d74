using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Gradus.Foundation.Recipes;
using Gradus.Text.Data;
using Gradus.Text.Data.Pipeline;

namespace Gradus.Cli;

/// <summary>What the verbs that prepare documents have in common: their options, the progress line, the report.</summary>
internal sealed class DataRun
{
    public Option<string> Out { get; } = new("--out") { Description = "The folder to make", Required = true };
    public Option<string> Tokenizer { get; } = new("--tokenizer") { Description = "Makes token shards with this tokenizer (tokenizer.json, a folder that holds one …); without it, clean text as JSON lines" };
    public Option<string[]> Set { get; } = new("--set") { Description = "Overrides a key of the data section: split.validation=0.1" };
    public Option<int> Workers { get; } = new("--workers") { Description = "Threads; 0: one a core. The result is the same bytes whatever the number" };
    public Option<string> Work { get; } = new("--work") { Description = "Where finished parts are kept, so that a run that was killed or has other options goes on from them (OUT.work)" };
    public Option<bool> Json { get; } = new("--json") { Description = "Rows of JSON: progress now and then, the result last" };

    public IEnumerable<Option> Options => [Out, Tokenizer, Set, Workers, Work, Json];

    /// <summary>A data section: the recipe that is named, or one made of paths.</summary>
    public DataOptions Section(ParseResult result, IReadOnlyList<string> paths, Func<DataOptions, DataOptions>? change = null)
    {
        var options = paths is [var only] && (only.EndsWith(".yaml", StringComparison.Ordinal) || only.EndsWith(".yml", StringComparison.Ordinal))
            ? RecipeFile.Read<DataOptions>(only, result.GetValue(Set) ?? [])
            : RecipeFile.Parse<DataOptions>($"sources: [{string.Join(", ", paths.Select(SourceOf))}]", "command line", result.GetValue(Set) ?? []);
        return change is null ? options : change(options);
    }

    /// <summary>A source as a recipe writes it.</summary>
    public static string SourceOf(string path) => $"{{ kind: {Components.KindOf(TokenizerCommand.Source(path).GetType())}, path: {System.Text.Json.JsonSerializer.Serialize(path)} }}";

    public PrepareRun Run(ParseResult result, CancellationToken cancel)
    {
        var json = result.GetValue(Json);
        var watch = Stopwatch.StartNew();
        var told = -1L;
        return new PrepareRun
        {
            Workers = GenerateCommand.AtLeast(0, result.GetValue(Workers), "--workers"),
            Work = result.GetValue(Work),
            Cancel = cancel,
            Progress = !json && !Terminal.IsLive ? null : p =>
            {
                if (!json)
                    Terminal.Live(Line(p));
                else if (watch.ElapsedMilliseconds / 1000 is var second && second != told)
                {
                    told = second;
                    Terminal.Json(new { Event = "progress", p.Stage, p.Documents, p.TextBytes, p.Tokens, p.Done, RemainingSeconds = p.Remaining?.TotalSeconds });
                }
            },
        };
    }

    /// <summary>Prepares and reports.</summary>
    /// <param name="result">The command line.</param>
    /// <param name="options">The data section.</param>
    /// <param name="merge">The first stage must be there: shards have made it.</param>
    /// <param name="cancel">Stops between portions.</param>
    public int Prepare(ParseResult result, DataOptions options, bool merge, CancellationToken cancel)
    {
        var folder = result.GetRequiredValue(Out);
        Output.Folder(folder);
        var run = Run(result, cancel);
        if (result.GetValue(Tokenizer) is { } tokenizer)
        {
            if (merge)
                PreparedDocuments.Merge(options, folder, run);
            using var prepared = PreparedData.Prepare(options, Gradus.Text.Tokenizers.Tokenizer.Load(tokenizer), folder, run);
            EndLive();
            Tell(result, prepared);
            return ExitCode.Done;
        }

        var dataset = merge ? TextDataset.Merge(options, folder, run) : TextDataset.Prepare(options, folder, run);
        EndLive();
        var report = dataset.Report();
        if (result.GetValue(Json))
        {
            Terminal.Json(new { Event = "done", dataset.Folder, dataset.CacheHit, report.Read, report.Kept, report.KeptBytes, Steps = report.Steps.Select(s => new { s.Step, s.In, s.Kept, Rules = s.Rules.ToDictionary(r => r.Key, r => new { r.Value.Documents, r.Value.Edits }) }), report.Splits, report.Sources.Skipped });
            return ExitCode.Done;
        }

        foreach (var line in Table(report))
            Terminal.Out(line);
        foreach (var (name, group) in report.Mix?.Groups.AsEnumerable() ?? [])
            Terminal.Out(string.Create(CultureInfo.InvariantCulture, $"{"mixed " + name,-44}{group.MixedDocuments,12:N0}{group.MixedBytes / 1e6,10:F1}   {group.Share:P1} of the mixture, {(double)group.MixedDocuments / group.Documents:F2} times {group.Documents:N0}"));
        Terminal.Out(string.Create(CultureInfo.InvariantCulture, $"{dataset.Folder}: {report.Kept:N0} of {report.Read:N0} documents, {report.KeptBytes / 1e6:F1} MB of text in {dataset.Record.Shards.Count} shards{(report.Steps.Count > 0 ? "; what went and why is in report.json and dropped.jsonl" : "")}{(dataset.CacheHit ? " (already there)" : "")}"));
        if (report.Steps.Count > 0 && !dataset.CacheHit && run.Work is null)
            Terminal.Note($"{Path.TrimEndingDirectorySeparator(folder)}.work keeps the finished parts, for a run with other steps; delete it when you are done");
        return ExitCode.Done;
    }

    public static void EndLive()
    {
        if (Terminal.IsLive)
            Terminal.Live("");
    }

    /// <summary>Each step with what it let through, each rule with what it dropped or changed.</summary>
    public static IEnumerable<string> Table(DataReport report)
    {
        if (report.Steps.Count == 0)
            yield break;
        yield return string.Create(CultureInfo.InvariantCulture, $"{"",-44}{"documents",12}{"MB",10}{"edits",12}");
        yield return string.Create(CultureInfo.InvariantCulture, $"{"read",-44}{report.Read,12:N0}{report.Steps[0].InBytes / 1e6,10:F1}");
        foreach (var step in report.Steps)
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"{"after " + step.Step,-44}{step.Kept,12:N0}{step.KeptBytes / 1e6,10:F1}");
            foreach (var (name, rule) in step.Rules)
                yield return string.Create(CultureInfo.InvariantCulture, $"  {name,-42}{(rule.Documents > 0 ? (-rule.Documents).ToString("N0", CultureInfo.InvariantCulture) : ""),12}{(rule.Documents > 0 ? (-rule.Bytes / 1e6).ToString("F1", CultureInfo.InvariantCulture) : ""),10}{(rule.Edits > 0 ? rule.Edits.ToString("N0", CultureInfo.InvariantCulture) : ""),12}");
        }
    }

    private void Tell(ParseResult result, PreparedData prepared)
    {
        var record = prepared.Record;
        if (result.GetValue(Json)) Terminal.Json(new { Event = "done", prepared.Folder, prepared.CacheHit, record.Documents, record.TextBytes, record.Tokens, record.Skipped, record.SkippedBecause });
        else
            Terminal.Out(string.Create(CultureInfo.InvariantCulture, $"{prepared.Folder}: {record.Documents:N0} documents, {record.TextBytes / 1e6:F1} MB, {record.Tokens:N0} tokens ({record.TextBytes / (double)record.Tokens:F2} bytes each){(record.Skipped > 0 ? $", {record.Skipped:N0} rows skipped: {string.Join("; ", record.SkippedBecause.Take(3))}" : "")}{(prepared.CacheHit ? " (already there)" : "")}"));
    }

    private static string Line(PrepareProgress p) => string.Create(CultureInfo.InvariantCulture,
        $"{(p.Stage.Length > 0 ? p.Stage + ": " : "")}{p.Documents:N0} documents, {p.TextBytes / 1e6:F1} MB{(p.Tokens > 0 ? $", {p.Tokens:N0} tokens" : "")}{(p.Done is { } done ? $", {done:P0}" : "")}{(p.Remaining is { } left ? $", {Left(left)} left" : "")}");

    private static string Left(TimeSpan time) => time.TotalHours >= 1 ? string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalHours} h {time.Minutes} min") : time.TotalMinutes >= 1 ? string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalMinutes} min") : string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:F0} s");
}

using System.CommandLine;
using System.Globalization;
using Gradus.Foundation.Recipes;
using Gradus.Text.Data;
using Gradus.Text.Data.Sources;
using Gradus.Text.Tokenizers;

namespace Gradus.Cli;

/// <summary><c>gradus data stats</c>: how much there is, how long, in which languages, of what date; by source.</summary>
internal static class DataStatsCommand
{
    public static Command Create()
    {
        var data = new Argument<string[]>("data") { Description = "Files, folders or globs of any kind that is read, or one .yaml with a data section", Arity = ArgumentArity.OneOrMore };
        var tokenizer = new Option<string?>("--tokenizer") { Description = "Counts tokens too", HelpName = "tokenizer" };
        var bad = new Option<string?>("--bad") { Description = "What to do with a bad record: stop or skip (counted)", HelpName = "policy" };
        var set = new Option<string[]>("--set") { Description = "Overrides a key of the .yaml" };
        var json = new Option<bool>("--json") { Description = "One JSON object" };
        var command = new Command("stats", """
            Counts documents, bytes, words and lengths of each source, and what their metadata says: languages, licences, dates. One pass, in constant memory.

            Example:
              gradus data stats books/*.txt --tokenizer tokenizers/books
            """) { data, tokenizer, bad, set, json };
        command.SetAction(result =>
        {
            var options = DataInput.Of(result.GetRequiredValue(data), result.GetValue(set) ?? [], DataInput.Policy(result.GetValue(bad))).Data;
            var words = result.GetValue(tokenizer) is { } path ? Tokenizer.Load(path) : null;
            var all = new List<(SourceOptions Source, DataStats Stats, SourceReport Report)>();
            foreach (var source in options.Sources)
            {
                var (stats, report) = (new DataStats(words), new SourceReport());
                foreach (var document in source.Read(report)) stats.Add(document);
                all.Add((source, stats, report));
            }

            if (result.GetValue(json)) Terminal.Json(new { Sources = all.Select(a => Json(a.Source, a.Stats, a.Report)) });
            else all.ForEach(a => Show(a.Source, a.Stats, a.Report));
            return ExitCode.Done;
        });
        return command;
    }

    /// <summary>What did not become a row or a document, a line each.</summary>
    internal static void Left(SourceReport report, QuarantineFile? quarantine = null)
    {
        foreach (var (rule, count) in report.LeftOut)
            Terminal.Out(string.Create(CultureInfo.InvariantCulture, $"  left out   {rule}: {count:N0}"));
        if (report.Empty > 0) Terminal.Out(string.Create(CultureInfo.InvariantCulture, $"  empty      {report.Empty:N0}"));
        if (report.Replaced > 0) Terminal.Out(string.Create(CultureInfo.InvariantCulture, $"  replaced   {report.Replaced:N0} parts that were not UTF-8"));
        if (report.Skipped > 0) Terminal.Out(string.Create(CultureInfo.InvariantCulture, $"  bad        {report.Skipped:N0}{(quarantine?.Count > 0 ? $" (in {quarantine.Path})" : "")}: {Terminal.Visible(string.Join("; ", report.Reasons.Take(3)))}"));
    }

    private static object Json(SourceOptions source, DataStats stats, SourceReport report) => new
    {
        Kind = Components.KindOf(source.GetType()), source.Path, report.Files, report.Documents, report.Bytes, stats.Characters, stats.Words, stats.Tokens,
        Length = new { Min = stats.Lengths.Min, P05 = stats.Lengths.At(0.05), Median = stats.Lengths.At(0.5), Mean = stats.Lengths.Mean, P95 = stats.Lengths.At(0.95), Max = stats.Lengths.Max },
        stats.Languages, stats.Licenses, stats.Origins, stats.Years, report.Skipped, SkippedBecause = report.Reasons, report.Empty, report.Replaced, report.LeftOut,
    };

    private static void Show(SourceOptions source, DataStats stats, SourceReport report)
    {
        Terminal.Out($"{source.Path} ({Components.KindOf(source.GetType())})");
        Terminal.Out(string.Create(CultureInfo.InvariantCulture, $"  documents  {report.Documents:N0} in {report.Files:N0} files, {report.Bytes / 1e6:F2} MB, {stats.Characters:N0} characters, {stats.Words:N0} words{(stats.Tokens is { } tokens ? $", {tokens:N0} tokens" : "")}"));
        var l = stats.Lengths;
        Terminal.Out(string.Create(CultureInfo.InvariantCulture, $"  bytes each min {l.Min:N0}, 5 % {l.At(0.05):N0}, median {l.At(0.5):N0}, mean {l.Mean:N0}, 95 % {l.At(0.95):N0}, max {l.Max:N0}"));
        foreach (var (name, counts) in new[] { ("languages", stats.Languages), ("licences", stats.Licenses), ("sources", stats.Origins), ("years", stats.Years) })
            if (counts.Count > 0)
                Terminal.Out($"  {name,-10} {Terminal.Visible(string.Join(", ", (name == "years" ? counts.OrderBy(c => c.Key, StringComparer.Ordinal) : counts.OrderByDescending(c => c.Value).ThenBy(c => c.Key, StringComparer.Ordinal)).Take(12).Select(c => string.Create(CultureInfo.InvariantCulture, $"{c.Key} {c.Value:N0}"))))}{(counts.Count > 12 ? ", …" : "")}");
        Left(report);
    }
}

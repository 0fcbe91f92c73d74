using System.CommandLine;
using System.Globalization;
using Gradus.Foundation.Files;
using Gradus.Text.Data.Pipeline;
using Gradus.Text.Data.Sources;

namespace Gradus.Cli;

/// <summary><c>gradus bench data</c>: MB of text a second, on one thread, of what a data pipeline does to it.</summary>
internal static class DataBenchmark
{
    public static IEnumerable<Command> Create()
    {
        var data = new Argument<string[]>("data") { Description = "Texts to measure on: files, folders or globs", Arity = ArgumentArity.OneOrMore };
        var seconds = new Option<double>("--seconds") { Description = "Time for each measurement (1)", DefaultValueFactory = _ => 1 };
        var json = new Option<bool>("--json") { Description = "One JSON object" };
        var command = new Command("data", "Times the steps of a data pipeline on one thread: reading, cleaning, filters, MinHash signatures, hashing, writing. bench/data.sh makes the committed table.\n\nExample:\n  gradus bench data books/*.txt") { data, seconds, json };
        command.SetAction(result =>
        {
            var limit = result.GetValue(seconds);
            if (limit is <= 0 or > 600) throw new UserException("--seconds: must be above 0 and at most 600");
            var rows = PipelineBenchmark.Run([.. result.GetRequiredValue(data).Select(p => TokenizerCommand.Source(p) is TextSource text ? text with { Documents = TextUnit.Passage } : TokenizerCommand.Source(p))], TimeSpan.FromSeconds(limit));
            if (result.GetValue(json))
                Terminal.Json(new { Rows = rows });
            else
                foreach (var row in rows)
                    Terminal.Out(string.Create(CultureInfo.InvariantCulture, $"{row.What,-34}{row.MegabytesPerSecond,10:F1} MB/s"));
            return ExitCode.Done;
        });
        yield return command;
    }
}

using System.CommandLine;
using System.Globalization;
using Gradus.Foundation.Recipes;
using Gradus.Text.Data;
using Gradus.Text.Tokenizers;

namespace Gradus.Cli;

/// <summary><c>gradus data prepare</c>: texts into checksummed token shards.</summary>
internal static class DataCommand
{
    public static Command Create() => new("data", "Prepares data.\n\nExample:\n  gradus data prepare books/*.txt --tokenizer tokenizers/books --out data/books") { Prepare() };

    private static Command Prepare()
    {
        var data = new Argument<string[]>("data") { Description = "Texts and .jsonl files, folders or globs; compressed ones too. Or one .yaml with a data section (sources, split)", Arity = ArgumentArity.OneOrMore };
        var tokenizer = new Option<string>("--tokenizer") { Description = "tokenizer.json, a folder that holds one, or any other loadable tokenizer", Required = true };
        var output = new Option<string>("--out") { Description = "The folder to make", Required = true };
        var set = new Option<string[]>("--set") { Description = "Overrides a key of the .yaml: split.validation=0.1" };
        var workers = new Option<int>("--workers") { Description = "Threads; 0: one a core. The shards are the same bytes whatever the number" };
        var json = new Option<bool>("--json") { Description = "One JSON object" };
        var command = new Command("prepare", """
            Tokenizes documents into memory-mapped shards, split by document into train, validation and test. Appears whole or not at all; a second
            run over the same files, options and tokenizer is a cache hit.

            Example:
              gradus data prepare books/*.txt --tokenizer tokenizers/books --out data/books
            """) { data, tokenizer, output, set, workers, json };
        command.SetAction((result, cancel) =>
        {
            var paths = result.GetRequiredValue(data);
            Output.Folder(result.GetRequiredValue(output));
            var options = paths is [var only] && only.EndsWith(".yaml", StringComparison.Ordinal)
                ? RecipeFile.Read<DataOptions>(only, result.GetValue(set) ?? [])
                : RecipeFile.Parse<DataOptions>($"sources: [{string.Join(", ", paths.Select(p => $"{{ kind: {Components.KindOf(TokenizerCommand.Source(p).GetType())}, path: {System.Text.Json.JsonSerializer.Serialize(p)} }}"))}]", "command line", result.GetValue(set) ?? []);
            using var prepared = PreparedData.Prepare(options, Tokenizer.Load(result.GetRequiredValue(tokenizer)), result.GetRequiredValue(output), new PrepareRun
            {
                Workers = GenerateCommand.AtLeast(0, result.GetValue(workers), "--workers"),
                Cancel = cancel,
                Progress = Terminal.IsLive && !result.GetValue(json) ? p => Terminal.Live(string.Create(CultureInfo.InvariantCulture, $"{p.Documents:N0} documents, {p.TextBytes / 1e6:F1} MB, {p.Tokens:N0} tokens")) : null,
            });
            if (Terminal.IsLive) Terminal.Live("");
            var record = prepared.Record;
            if (result.GetValue(json)) Terminal.Json(new { prepared.Folder, prepared.CacheHit, record.Documents, record.TextBytes, record.Tokens, record.Skipped, record.SkippedBecause });
            else
                Terminal.Out(string.Create(CultureInfo.InvariantCulture, $"{prepared.Folder}: {record.Documents:N0} documents, {record.TextBytes / 1e6:F1} MB, {record.Tokens:N0} tokens ({record.TextBytes / (double)record.Tokens:F2} bytes each){(record.Skipped > 0 ? $", {record.Skipped:N0} rows skipped: {string.Join("; ", record.SkippedBecause.Take(3))}" : "")}{(prepared.CacheHit ? " (already there)" : "")}"));
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }
}

using System.CommandLine;
using System.Globalization;
using Gradus.Foundation.Files;
using Gradus.Text.Data;
using Gradus.Text.Data.Pipeline;

namespace Gradus.Cli;

/// <summary><c>gradus data prepare</c>: sources through the steps of a recipe into clean text or token shards.</summary>
internal static class DataPrepareCommand
{
    public static Command Create()
    {
        var run = new DataRun();
        var data = new Argument<string[]>("data") { Description = "A .yaml with a data section (sources, steps, split), or texts and .jsonl files, folders or globs; compressed ones too", Arity = ArgumentArity.OneOrMore };
        var shard = new Option<string>("--shard") { Description = "Does only a part of the work: 2/4 is the second of four processes that share --work; data merge collects", HelpName = "i/n" };
        var wait = new Option<int>("--wait") { Description = "With --shard: seconds to wait for the other shards where a step needs all of them (0: leave the rest to data merge)" };
        var command = new Command("prepare", """
            Reads documents, takes them through the steps of the recipe and splits them by document into train, validation and test. Appears whole
            or not at all; a run that was killed goes on from the parts it had finished, with the same bytes in the end; the same run again is a cache hit.

            Examples:
              gradus data prepare recipes/data/web.yaml --out data/web
              gradus data prepare books/*.txt --tokenizer tokenizers/books --out data/books
              gradus data prepare recipes/data/web.yaml --out data/web --shard 2/4
            """) { data, shard, wait };
        foreach (var option in run.Options) command.Options.Add(option);
        command.SetAction((result, cancel) =>
        {
            var options = run.Section(result, result.GetRequiredValue(data));
            var seconds = GenerateCommand.AtLeast(0, result.GetValue(wait), "--wait");
            return Task.FromResult(result.GetValue(shard) is { } text ? Part(run, result, options, ShardOf(text), seconds, cancel) : run.Prepare(result, options, merge: false, cancel));
        });
        return command;
    }

    private static int Part(DataRun run, ParseResult result, DataOptions options, Shard shard, int seconds, CancellationToken cancel)
    {
        var folder = result.GetRequiredValue(run.Out);
        Output.Folder(folder);
        var started = System.Diagnostics.Stopwatch.StartNew();
        while (true)
        {
            var state = TextDataset.PrepareShard(options, folder, shard, run.Run(result, cancel));
            if (!state.Done && started.Elapsed.TotalSeconds < seconds)
            {
                cancel.WaitHandle.WaitOne(TimeSpan.FromSeconds(0.5));
                cancel.ThrowIfCancellationRequested();
                continue;
            }

            DataRun.EndLive();
            if (result.GetValue(run.Json)) Terminal.Json(new { Event = "done", Shard = FormattableString.Invariant($"{shard.Number}/{shard.Of}"), AllDone = state.Done, state.Stage, Missing = state.Missing.Count });
            else Terminal.Out(state.Done ? "every part is there; data merge collects them" : FormattableString.Invariant($"this shard's parts of stage {state.Stage} are there; {state.Missing.Count} parts of other shards are not: run them, then data merge"));
            return ExitCode.Done;
        }
    }

    private static Shard ShardOf(string text)
    {
        var parts = text.Split('/');
        return parts is [var i, var n] && int.TryParse(i, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && int.TryParse(n, NumberStyles.None, CultureInfo.InvariantCulture, out var of) && number >= 1 && number <= of
            ? new Shard(number, of)
            : throw new UserException($"--shard: '{text}' is not a shard; 2/4 is the second of four");
    }
}

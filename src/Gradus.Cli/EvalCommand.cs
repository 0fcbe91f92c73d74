using System.CommandLine;
using System.Globalization;
using Gradus.Foundation.Files;
using Gradus.Inference.Evaluation;
using Gradus.Inference.Evaluation.Metrics;
using Gradus.Inference.Tasks;
using Gradus.Text.Data;
using Gradus.Text.Data.Records;
using Gradus.Text.Data.Sources;

namespace Gradus.Cli;

/// <summary><c>gradus eval MODEL --data FILE</c>: perplexity and bits per byte on a text.</summary>
internal static class EvalCommand
{
    public static Command Create()
    {
        var model = new Argument<string>("model") { Description = "A model folder, an adapter folder or a run folder" };
        var data = new Option<string>("--data") { Description = "A text (one document) or .jsonl (a document a row, field 'text'); .gz, .xz and .zst as well. For a task: labelled rows", Required = true, HelpName = "file" };
        var length = new Option<int>("--length") { Description = "Tokens a window; 0: the model's context, at most 1024" };
        var stride = new Option<int>("--stride") { Description = "Tokens from window to window; below the length, each target sees more context. 0: the length" };
        var rows = new Option<int>("--batch") { Description = "Windows at a time", DefaultValueFactory = _ => 8 };
        var precision = new Option<string>("--precision") { Description = "fp32 or bf16", DefaultValueFactory = _ => "fp32" };
        var device = new Option<string>("--device") { Description = "cpu, cuda or cuda:N", DefaultValueFactory = _ => "cpu" };
        var adapter = GenerateCommand.AdapterOption();
        var json = new Option<bool>("--json") { Description = "One JSON object" };
        var command = new Command("eval", """
            Measures how well a model predicts a text: perplexity per token, and bits per byte, which compares models of different tokenizers.
            A classifier, a tagger or an answerer is measured on labelled rows instead: accuracy, F1, exact match … with 95 % intervals.

            Examples:
              gradus eval runs/quickstart/model --data held-out.txt
              gradus eval runs/quickstart/model --data held-out.jsonl.gz --stride 128 --json
              gradus evaluate runs/sentiment --data dev.tsv
            """) { model, data, length, stride, rows, precision, device, adapter, json };
        command.Aliases.Add("evaluate");
        command.SetAction((result, cancel) =>
        {
            using var loaded = LoadedModel.Load(result.GetRequiredValue(model), result.GetRequiredValue(precision), result.GetRequiredValue(device), result.GetValue(adapter));
            var (wished, step) = (GenerateCommand.AtLeast(0, result.GetValue(length), "--length"), GenerateCommand.AtLeast(0, result.GetValue(stride), "--stride"));
            if (loaded.Model.Task is not null)
                return Task.FromResult(OfTask(loaded, result.GetRequiredValue(data), wished, GenerateCommand.AtLeast(1, result.GetValue(rows), "--batch"), result.GetValue(json), cancel));
            var window = wished > 0 ? wished : Math.Min(loaded.Model.MaxPositions, 1024);
            if (step > window) throw new UserException($"--stride: {step} is more than the window of {window} tokens: text would be left out");
            if (window > loaded.Model.MaxPositions) throw new UserException($"--length: {window} is more than the model's context of {loaded.Model.MaxPositions}");
            var options = new WindowOptions { Length = window, Stride = step, DocumentMask = false };
            return Task.FromResult(Run(loaded, result.GetRequiredValue(data), options, GenerateCommand.AtLeast(1, result.GetValue(rows), "--batch"), result.GetValue(json), cancel));
        });
        return command;
    }

    private static int OfTask(LoadedModel loaded, string path, int length, int rows, bool json, CancellationToken cancel)
    {
        var work = LoadedTask.Of(loaded, length);
        var records = new RecordOptions { Path = path }.Read(new SourceReport()).ToList();
        var result = TaskEvaluation.Measure(loaded.Model, work, records, rows, cancel: cancel);
        if (json)
        {
            Terminal.Json(new { Model = loaded.Folder, Data = path, Records = records.Count, result.Truncated, Scores = result.Scores.ToDictionary(s => s.Name, s => new { s.Value, s.Low, s.High }) });
            return ExitCode.Done;
        }
        foreach (var score in result.Scores) Terminal.Out(string.Create(CultureInfo.InvariantCulture, $"{score.Name,-16} {score.Value:F4}  [{score.Low:F4}, {score.High:F4}]"));
        Terminal.Out(string.Create(CultureInfo.InvariantCulture, $"{records.Count:N0} records{(result.Truncated > 0 ? $", {result.Truncated:N0} rows cut" : "")}; in brackets the 95 % bootstrap interval"));
        if (work.Head.Labels.Count is > 1 and <= 12 && !work.Head.Regression) Terminal.Out(new ConfusionMatrix(result.Items, work.Head.Labels).ToMarkdown());
        return ExitCode.Done;
    }

    private static int Run(LoadedModel loaded, string path, WindowOptions window, int rows, bool json, CancellationToken cancel)
    {
        using var tokens = HeldOutText.Read(path, loaded.Tokenizer);
        // A text shorter than the window is one short window.
        if (tokens.Tokens - 1 < window.Length) window = window with { Length = (int)Math.Max(1, tokens.Tokens - 1), Stride = 0 };
        var windows = new SequentialWindows(tokens, window);
        var score = Perplexity.Of(loaded.Model, windows, tokens.TextBytes, rows, Terminal.IsLive ? done => Terminal.Live(string.Create(CultureInfo.InvariantCulture, $"evaluating {done:P0}")) : null, cancel);
        if (Terminal.IsLive) Terminal.Live("");
        if (json)
            Terminal.Json(new { Model = loaded.Folder, Data = path, Perplexity = score.Perplexity, BitsPerByte = score.BitsPerByte, NatsPerToken = score.Nats / score.Targets, Targets = score.Targets, Bytes = score.Bytes, Documents = tokens.Documents, Window = window.Length, Stride = window.Stride == 0 ? window.Length : window.Stride, Context = windows.ContextHandling });
        else
            Terminal.Out(string.Create(CultureInfo.InvariantCulture, $"""
                perplexity     {score.Perplexity:F3} per token ({score.Targets:N0} targets, {score.Nats / score.Targets:F4} nats each)
                bits per byte  {score.BitsPerByte:F4} ({score.Bytes:N0} bytes of text in {tokens.Documents:N0} documents)
                context        {windows.ContextHandling}
                """));
        return ExitCode.Done;
    }
}

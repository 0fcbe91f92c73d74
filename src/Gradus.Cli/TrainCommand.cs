using System.CommandLine;
using System.Globalization;
using Gradus.Foundation.Recipes;
using Gradus.Training.Loop;

namespace Gradus.Cli;

/// <summary><c>gradus train RECIPE</c>.</summary>
internal static class TrainCommand
{
    public static Command Create()
    {
        var recipe = new Argument<string>("recipe") { Description = "A recipe (.yaml); gradus schema describes it" };
        var output = new Option<string?>("--out") { Description = "The run's folder; runs/NAME by default", HelpName = "folder" };
        var resume = new Option<bool>("--resume") { Description = "Go on from the newest complete checkpoint; starts the run when there is none" };
        var set = new Option<string[]>("--set") { Description = "Overrides a key of the recipe; may be given several times", HelpName = "path=value" };
        var dry = new Option<bool>("--dry-run") { Description = "Checks everything, makes a few steps, prints shapes, memory and time, keeps nothing" };
        var force = new Option<string?>("--force") { Description = "Checks of the preflight that are not to stop the run, by name: overfit,leaks", HelpName = "name,…" };
        var json = new Option<bool>("--json") { Description = "A JSON line an event on standard output" };
        var command = new Command("train", """
            Trains what a recipe says. Ctrl-C finishes the step, saves and ends; --resume goes on as if nothing had happened, to the bit.

            Examples:
              gradus train recipes/pretrain/tiny.yaml
              gradus train recipes/pretrain/tiny.yaml --set optimizer.learning_rate=1e-3 --out runs/hot
              gradus train recipes/pretrain/tiny.yaml --out runs/hot --resume
            """) { recipe, output, resume, set, dry, force, json };
        command.SetAction(result =>
        {
            var path = result.GetRequiredValue(recipe);
            var parsed = RecipeFile.Read<TrainRecipe>(path, result.GetValue(set) ?? []);
            var forced = (result.GetValue(force) ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
            if (result.GetValue(dry)) return DryRun(parsed, forced, result.GetValue(json));
            return Run(parsed, result.GetValue(output) ?? Path.Combine("runs", parsed.Name), result.GetValue(resume), forced, result.GetValue(json));
        });
        return command;
    }

    private static int Run(TrainRecipe recipe, string folder, bool resume, string[] force, bool json)
    {
        void Say(string line)
        {
            if (json) Terminal.Json(new { Event = "note", Text = line });
            else Terminal.Note(line);
        }
        using var stop = new StopSignal(() => Say("finishing the step under way, saving (again: at once)"));
        var run = TrainingRun.Execute(recipe, folder, resume, [new TrainView(json)], Say, force: force, stop: stop.Token);
        if (run.End == RunEnd.Interrupted)
        {
            Say($"stopped after step {run.State.Step} of {run.Steps} and saved; --resume goes on");
            return ExitCode.Stopped;
        }
        if (!json) Terminal.Out($"{folder}: {run.State.Step} steps; report.md, loss.svg and metrics.jsonl are there, the {(recipe.Adapter is null ? "model" : "adapter")} in {run.ModelFolder}");
        return ExitCode.Done;
    }

    private static int DryRun(TrainRecipe recipe, string[] force, bool json)
    {
        var report = DryRunReport.Make(recipe, json ? null : Terminal.Note, force);
        if (json)
        {
            Terminal.Json(new { report.Parameters, report.BatchShape.Rows, report.BatchShape.Length, report.TokensPerStep, report.Steps, report.Epochs, report.TrainingTokens, report.VocabSize, report.FirstLoss, report.StateBytes, report.PeakBytes, report.PeakTensorBytes, report.SecondsPerStep, report.TotalSeconds, report.Findings });
            return ExitCode.Done;
        }
        Terminal.Out(string.Create(CultureInfo.InvariantCulture, $"""
            parameters     {report.Parameters:N0}, vocabulary {report.VocabSize:N0}
            a micro-batch  {report.BatchShape.Rows} rows of {report.BatchShape.Length} tokens; {report.TokensPerStep:N0} tokens a step
            the run        {report.Steps:N0} steps, {report.Epochs:F2} passes over {report.TrainingTokens:N0} tokens
            first loss     {report.FirstLoss:F4}{(report.KnowsNothing is { } nothing ? $" nats (knowing nothing: {nothing:F4})" : "")}
            memory         {report.StateBytes / 1e6:N0} MB of weights, gradients and optimiser state; {report.PeakBytes / 1e6:N0} MB at the peak, {report.PeakTensorBytes / 1e6:N0} MB of it tensors
            time           {report.SecondsPerStep:F3} s a step, about {ProgressLine.Duration(report.TotalSeconds)} in all
            """));
        foreach (var finding in report.Findings) Terminal.Out($"preflight      {finding}");
        Terminal.Out("dry run: nothing was written");
        return ExitCode.Done;
    }
}

using System.CommandLine;
using Gradus.Foundation.Recipes;
using Gradus.Text.Data;
using Gradus.Text.Data.Dedup;

namespace Gradus.Cli;

/// <summary><c>gradus data decontaminate</c>: one step of a pipeline, from the command line.</summary>
internal static class DataDecontaminateCommand
{
    public static Command Create()
    {
        var run = new DataRun();
        var data = new Argument<string[]>("data") { Description = "Texts and .jsonl files, folders or globs, or a .yaml with a data section", Arity = ArgumentArity.OneOrMore };
        var against = new Option<string[]>("--against") { Description = "Evaluation sets: each row or file is an item", Required = true, AllowMultipleArgumentsPerToken = true };
        var field = new Option<string>("--field") { Description = "Field of .jsonl evaluation sets that holds the item (text)", DefaultValueFactory = _ => "text" };
        var nGram = new Option<int>("--n-gram") { Description = "Words in a run that must not be shared (13)", DefaultValueFactory = _ => 13 };
        var report = new Option<bool>("--report-only") { Description = "Drops nothing; counts" };
        var command = new Command("decontaminate", """
            Drops documents that hold items of evaluation sets: a run of 13 words in common, or of 50 letters and digits. dropped.jsonl says which
            item was found in which document and where. A recipe says the same as the step decontaminate.

            Example:
              gradus data decontaminate pages/*.jsonl --against gsm8k.jsonl --field question --out data/clean
            """) { data, against, field, nGram, report };
        foreach (var option in run.Options) command.Options.Add(option);
        command.SetAction((result, cancel) =>
        {
            var name = System.Text.Json.JsonSerializer.Serialize(result.GetValue(field));
            var sources = RecipeFile.Parse<DataOptions>($"sources: [{string.Join(", ", result.GetRequiredValue(against).Select(p => TokenizerCommand.Source(p) is Gradus.Text.Data.Sources.JsonlSource ? $"{{ kind: jsonl, field: {name}, path: {System.Text.Json.JsonSerializer.Serialize(p)} }}" : DataRun.SourceOf(p)))}]", "command line", []).Sources;
            var step = new Decontaminate { Against = sources, NGram = GenerateCommand.AtLeast(0, result.GetValue(nGram), "--n-gram"), Action = result.GetValue(report) ? ContaminationAction.Count : ContaminationAction.Drop };
            return Task.FromResult(run.Prepare(result, run.Section(result, result.GetRequiredValue(data), o => o with { Steps = [.. o.Steps, step] }), merge: false, cancel));
        });
        return command;
    }
}

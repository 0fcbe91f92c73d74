using System.CommandLine;

namespace Gradus.Cli;

/// <summary><c>gradus data merge</c>: what shards have made becomes one dataset.</summary>
internal static class DataMergeCommand
{
    public static Command Create()
    {
        var run = new DataRun();
        var recipe = new Argument<string>("recipe") { Description = "The .yaml that the shards were given" };
        var command = new Command("merge", """
            Collects what processes with data prepare --shard have made: takes the decisions that need all parts, does the stages that are left and
            writes the dataset. The same bytes as one process makes. A part of the first stage that is missing is an error that names its file.

            Example:
              gradus data merge recipes/data/web.yaml --out data/web
            """) { recipe };
        foreach (var option in run.Options) command.Options.Add(option);
        command.SetAction((result, cancel) => Task.FromResult(run.Prepare(result, run.Section(result, [result.GetRequiredValue(recipe)]), merge: true, cancel)));
        return command;
    }
}

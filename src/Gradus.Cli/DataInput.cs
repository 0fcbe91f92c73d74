using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;
using Gradus.Text.Data;
using Gradus.Text.Data.Sources;
using Gradus.Training.Loop;

namespace Gradus.Cli;

/// <summary>What the data verbs take: files, folders, globs, or one recipe: a data section of its own, or a training recipe that has one.</summary>
internal sealed record DataInput(DataOptions Data, TrainRecipe? Recipe)
{
    public static DataInput Of(IReadOnlyList<string> paths, IReadOnlyList<string> set, BadRecords? bad = null)
    {
        if (paths is [var only] && (only.EndsWith(".yaml", StringComparison.Ordinal) || only.EndsWith(".yml", StringComparison.Ordinal)))
        {
            if (!File.Exists(only)) throw new UserException($"{only}: there is no such file.");
            var isTraining = File.ReadLines(only).Any(line => line.StartsWith("model:", StringComparison.Ordinal) || line.StartsWith("trainer:", StringComparison.Ordinal));
            if (!isTraining) return new(With(RecipeFile.Read<DataOptions>(only, set), bad), null);
            var recipe = RecipeFile.Read<TrainRecipe>(only, set);
            if (recipe.Records is { } records) return new(With(new DataOptions { Sources = [records.Train.Rows()] }, bad), recipe);
            return new(With(recipe.Data ?? throw new UserException($"{only}: has no data section; it names a prepared folder."), bad), recipe);
        }

        if (set.Count > 0) throw new UserException("--set goes with a .yaml");
        return new(With(new DataOptions { Sources = [.. paths.SelectMany(SourceOptions.AllFromPath)] }, bad), null);
    }

    /// <summary>The policy of the command line, over what the sources say.</summary>
    public static BadRecords? Policy(string? word) => word switch
    {
        null => null,
        "stop" => BadRecords.Stop,
        "skip" => BadRecords.Skip,
        "quarantine" => BadRecords.Quarantine,
        _ => throw new UserException($"--bad: '{word}' is no policy{NearestName.Hint(word, ["stop", "skip", "quarantine"])}"),
    };

    private static DataOptions With(DataOptions data, BadRecords? bad) => bad is null ? data : data with { Sources = [.. data.Sources.Select(s => s with { BadRecords = bad.Value })] };
}

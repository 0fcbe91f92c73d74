using System.CommandLine;
using Gradus.Text.Data.Dedup;

namespace Gradus.Cli;

/// <summary><c>gradus data split</c>: train, validation and test that share no near-duplicates.</summary>
internal static class DataSplitCommand
{
    public static Command Create()
    {
        var run = new DataRun();
        var data = new Argument<string[]>("data") { Description = "Texts and .jsonl files, folders or globs, or a .yaml with a data section", Arity = ArgumentArity.OneOrMore };
        var similarity = new Option<double>("--similarity") { Description = "Documents at least so similar stay in one split (0.5); 1: only by content", DefaultValueFactory = _ => 0.5 };
        var command = new Command("split", """
            Splits documents into train, validation and test (split.validation, split.test, split.seed). A document's content decides, so adding
            documents moves none; near-duplicates go where the first of them goes, so that nothing in test was nearly seen in training.

            Example:
              gradus data split pages/*.jsonl --out data/split --set split.test=0.1
            """) { data, similarity };
        foreach (var option in run.Options) command.Options.Add(option);
        command.SetAction((result, cancel) =>
        {
            var least = result.GetValue(similarity);
            if (least is <= 0 or > 1) throw new Gradus.Foundation.Files.UserException("--similarity: must be above 0 and at most 1");
            // More and shorter bands than for dropping: a pair at 0.5 is a candidate with probability 0.995.
            var step = new NearDedup { Similarity = least, Action = NearAction.KeepTogether, Bands = 40, Rows = 3 };
            return Task.FromResult(run.Prepare(result, run.Section(result, result.GetRequiredValue(data), o => o with { Steps = [.. o.Steps, step] }), merge: false, cancel));
        });
        return command;
    }
}

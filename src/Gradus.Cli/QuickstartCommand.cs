using System.CommandLine;

namespace Gradus.Cli;

/// <summary><c>gradus quickstart</c>: the main job from nothing, on real text, in a few minutes.</summary>
internal static class QuickstartCommand
{
    public static Command Create()
    {
        var minutes = new Option<double>("--minutes") { Description = "About how long to train", DefaultValueFactory = _ => 5 };
        var data = new Option<string[]>("--data") { Description = "Your own text: files, folders or globs (.txt, .jsonl, compressed), instead of the public-domain corpus" };
        var output = new Option<string>("--out") { Description = "The run's folder", DefaultValueFactory = _ => Path.Combine("runs", "quickstart") };
        var set = new Option<string[]>("--set") { Description = "Overrides a key of the recipe: --set model.hidden_size=128", HelpName = "path=value" };
        var json = new Option<bool>("--json") { Description = "JSON lines instead of the live view; the last one is the report" };
        var command = new Command("quickstart", """
            From raw text to a trained, evaluated and sampled language model: fetches a corpus, trains a tokenizer and a small Llama,
            compares it on held-out text with Kneser-Ney 3-gram and 5-gram models of the same tokens, writes samples and a report.

            Examples:
              gradus quickstart
              gradus quickstart --minutes 12
              gradus quickstart --data my-books/ --out runs/books
            """) { minutes, data, output, set, json };
        command.SetAction(result => new Quickstart(
            GenerateCommand.Within(0.05, 24 * 60, result.GetValue(minutes), "--minutes"),
            result.GetValue(data) ?? [], result.GetRequiredValue(output), result.GetValue(set) ?? [], result.GetValue(json)).Run());
        return command;
    }
}

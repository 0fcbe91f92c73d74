using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Gradus.Foundation.Files;
using Gradus.Inference.Generation;

namespace Gradus.Cli;

/// <summary><c>gradus generate MODEL --prompt TEXT</c>: continues a text, streaming.</summary>
internal static class GenerateCommand
{
    public static Command Create()
    {
        var model = new Argument<string>("model") { Description = "A model folder (config.json, model.safetensors, tokenizer.json), an adapter folder or a run folder" };
        var prompt = new Option<string?>("--prompt") { Description = "The text to continue; - reads it from standard input; empty starts from the beginning-of-text token", HelpName = "text" };
        var max = new Option<int>("--max-new-tokens") { Description = "Most new tokens", DefaultValueFactory = _ => 128 };
        var temperature = new Option<double>("--temperature") { Description = "0 takes the most likely token every time", DefaultValueFactory = _ => 0.8 };
        var topK = new Option<int>("--top-k") { Description = "Keep the k most likely tokens; 0: all" };
        var topP = new Option<double>("--top-p") { Description = "Keep the most likely tokens up to this probability; 1: all", DefaultValueFactory = _ => 0.95 };
        var minP = new Option<double>("--min-p") { Description = "Drop tokens less likely than this share of the most likely; 0: none" };
        var penalty = new Option<double>("--repetition-penalty") { Description = "Above 1: tokens already in the text become less likely", DefaultValueFactory = _ => 1 };
        var stop = new Option<string[]>("--stop") { Description = "End before this string (may be given several times)" };
        var seed = new Option<ulong>("--seed") { Description = "The same seed gives the same text", DefaultValueFactory = _ => 1 };
        var precision = new Option<string>("--precision") { Description = "fp32 or bf16", DefaultValueFactory = _ => "fp32" };
        var device = new Option<string>("--device") { Description = "cpu, cuda or cuda:N", DefaultValueFactory = _ => "cpu" };
        var adapter = AdapterOption();
        var verbose = new Option<bool>("--verbose") { Description = "Timings at the end" };
        var json = new Option<bool>("--json") { Description = "The last line is {\"text\": …, \"ids\": […], \"finish\": …}; text and ids are what was added to the prompt" };
        var command = new Command("generate", """
            Continues a text with a trained model. The text streams to standard output, prompt first.

            Examples:
              gradus generate runs/quickstart/model --prompt "The people of"
              gradus generate runs/quickstart/model --adapter runs/sea --prompt "The ship"
              gradus generate runs/quickstart/model --prompt "Call me" --temperature 0 --max-new-tokens 40 --json
              echo "My fellow citizens" | gradus generate runs/quickstart --prompt -
            """) { model, prompt, max, temperature, topK, topP, minP, penalty, stop, seed, precision, device, adapter, verbose, json };
        command.SetAction((result, cancel) =>
        {
            var sampling = new Sampling
            {
                MaxNewTokens = AtLeast(0, result.GetValue(max), "--max-new-tokens"),
                Temperature = Within(0, 100, result.GetValue(temperature), "--temperature"),
                TopK = AtLeast(0, result.GetValue(topK), "--top-k"),
                TopP = Within(double.Epsilon, 1, result.GetValue(topP), "--top-p"),
                MinP = Within(0, 1, result.GetValue(minP), "--min-p"),
                RepetitionPenalty = Within(double.Epsilon, 100, result.GetValue(penalty), "--repetition-penalty"),
                Stop = (result.GetValue(stop) ?? []) is var stops && stops.Any(string.IsNullOrEmpty) ? throw new UserException("--stop: a stop string cannot be empty") : stops,
                Seed = result.GetValue(seed),
            };
            using var loaded = LoadedModel.Load(result.GetRequiredValue(model), result.GetRequiredValue(precision), result.GetRequiredValue(device), result.GetValue(adapter));
            return Task.FromResult(Run(loaded, PromptText(result.GetValue(prompt)), sampling, result.GetValue(json), result.GetValue(verbose), cancel));
        });
        return command;
    }

    internal static Option<string[]> AdapterOption() => new("--adapter") { Description = "An adapter to put on the model: a folder or a run, with =STRENGTH if not 1 (may be given several times)", HelpName = "folder" };

    private static int Run(LoadedModel loaded, string prompt, Sampling sampling, bool json, bool verbose, CancellationToken cancel)
    {
        var generator = new TextGenerator(loaded.Model, loaded.Tokenizer, loaded.Options.EosTokenId);
        var ids = generator.Prompt(prompt);
        var (text, added, finish, clock, first) = (new StringBuilder(), new List<int>(), FinishReason.Length, Stopwatch.StartNew(), TimeSpan.Zero);
        if (!json) Terminal.Write(prompt);
        foreach (var token in generator.Stream(ids, sampling, cancel))
        {
            if (added.Count == 0) first = clock.Elapsed;
            text.Append(token.Text);
            added.Add(token.Id);
            finish = token.Finish ?? finish;
            if (!json) Terminal.Write(token.Text);
        }
        if (json) Terminal.Json(new { Text = text.ToString(), Ids = added, Finish = Name(finish) });
        else Terminal.Out("");
        if (verbose)
            Terminal.Note(string.Create(CultureInfo.InvariantCulture, $"prompt {ids.Length} tokens in {first.TotalSeconds:F3} s ({ids.Length / Math.Max(first.TotalSeconds, 1e-9):F0} tokens/s); {added.Count} new in {(clock.Elapsed - first).TotalSeconds:F3} s ({(added.Count - 1) / Math.Max((clock.Elapsed - first).TotalSeconds, 1e-9):F0} tokens/s); ended by {Name(finish)}"));
        return ExitCode.Done;
    }

    private static string PromptText(string? given) => given switch
    {
        null => throw new UserException("--prompt is missing: give a text, \"\" to start from nothing, or - to read standard input"),
        "-" => InputLines.ReadAll("-").TrimEnd('\n'),
        _ => given,
    };

    internal static string Name(FinishReason reason) => reason switch { FinishReason.EndOfText => "end_of_text", var r => r.ToString().ToLowerInvariant() };

    internal static double Within(double low, double high, double value, string option) => value >= low && value <= high
        ? value
        : throw new UserException(string.Create(CultureInfo.InvariantCulture, $"{option}: {value} is outside {(low == double.Epsilon ? "above 0" : low)} to {high}"));

    internal static int AtLeast(int low, int value, string option) => value >= low ? value : throw new UserException(string.Create(CultureInfo.InvariantCulture, $"{option}: {value} is below {low}"));
}

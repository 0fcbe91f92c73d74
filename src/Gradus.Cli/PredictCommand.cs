using System.CommandLine;
using System.Globalization;
using Gradus.Foundation.Files;
using Gradus.Inference.Evaluation.Metrics;
using Gradus.Inference.Tasks;
using Gradus.Models.Nn;

namespace Gradus.Cli;

/// <summary><c>gradus predict MODEL TEXT</c>: what a classifier, a tagger or an answerer says.</summary>
internal static class PredictCommand
{
    private const int AtOnce = 64;

    public static Command Create()
    {
        var model = new Argument<string>("model") { Description = "A model folder or a run folder, trained for a task" };
        var texts = new Argument<string[]>("text") { Description = "Texts; without any, the lines of --input", Arity = ArgumentArity.ZeroOrMore };
        var input = new Option<string?>("--input") { Description = "A file with a text a line; - for standard input", HelpName = "file" };
        var context = new Option<string?>("--context") { Description = "For questions: the text that holds the answer", HelpName = "text" };
        var contextFile = new Option<string?>("--context-file") { Description = "The same from a file; - for standard input", HelpName = "file" };
        var length = new Option<int>("--length") { Description = "Most tokens a text; 0: the model's context, at most 512" };
        var precision = new Option<string>("--precision") { Description = "fp32 or bf16", DefaultValueFactory = _ => "fp32" };
        var device = new Option<string>("--device") { Description = "cpu, cuda or cuda:N", DefaultValueFactory = _ => "cpu" };
        var adapter = GenerateCommand.AdapterOption();
        var json = new Option<bool>("--json") { Description = "A JSON line a text" };
        var command = new Command("predict", """
            Says what a trained classifier, tagger or answerer makes of texts: the label and its probability, the names in a sentence, the answer.

            Examples:
              gradus predict runs/sentiment "a gripping , funny film"
              gradus classify runs/spam --input mails.txt --json
              gradus predict runs/qa "Who built it?" --context-file page.txt
            """) { model, texts, input, context, contextFile, length, precision, device, adapter, json };
        command.Aliases.Add("classify");
        command.SetAction((result, cancel) =>
        {
            var (given, file) = (result.GetValue(texts) ?? [], result.GetValue(input));
            if (given.Length == 0 == file is null) throw new UserException(file is null ? "nothing to look at: give texts, or --input" : "give either texts or --input, not both");
            using var loaded = LoadedModel.Load(result.GetRequiredValue(model), result.GetRequiredValue(precision), result.GetRequiredValue(device), result.GetValue(adapter));
            var work = LoadedTask.Of(loaded, GenerateCommand.AtLeast(0, result.GetValue(length), "--length"));
            var page = result.GetValue(context) ?? (result.GetValue(contextFile) is { } name ? InputLines.ReadAll(name) : null);
            if (page is not null && work.Head.Kind != TaskHead.QuestionAnswering) throw new UserException("--context: the model answers no questions");
            var lines = (file is null ? given : InputLines.Read(file)).Where(line => line.Trim().Length > 0);
            var empty = true;
            foreach (var chunk in lines.Chunk(AtOnce))
            {
                var records = chunk.Select((text, i) => work.Ask(text, page, string.Create(CultureInfo.InvariantCulture, $"text {i + 1}"))).ToList();
                var answers = TaskEvaluation.Answers(loaded.Model, work, records, cancel: cancel);
                for (var i = 0; i < chunk.Length; i++) Show(chunk[i], answers[i], work.Head, result.GetValue(json));
                empty = false;
            }
            return Task.FromResult(empty ? throw new UserException($"{file ?? "text"}: holds no text") : ExitCode.Done);
        });
        return command;
    }

    private static void Show(string text, TaskAnswer answer, TaskHead head, bool json)
    {
        if (head.Kind == TaskHead.TokenClassification)
        {
            var words = text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            var found = EntityF1.Entities(answer.Said).Select(e => new { Text = string.Join(' ', words[e.Start..e.End]), e.Type, e.Start, e.End }).ToList();
            if (json) Terminal.Json(new { Text = text, Tags = answer.Said, Entities = found });
            else Terminal.Out(string.Join(' ', words.Select((word, i) => answer.Said[i] == "O" ? Terminal.Visible(word) : $"{Terminal.Visible(word)}/{Terminal.Visible(answer.Said[i])}")));
            return;
        }
        var (said, sureness) = (answer.Said[0], answer.Sureness[0]);
        if (json) Terminal.Json(head.Kind == TaskHead.QuestionAnswering ? new { Text = text, Answer = said, Probability = sureness } : head.Regression ? new { Text = text, Number = double.Parse(said, CultureInfo.InvariantCulture) } : (object)new { Text = text, Label = said, Probability = sureness });
        else Terminal.Out(head.Regression ? $"{said}\t{Terminal.Visible(text)}" : string.Create(CultureInfo.InvariantCulture, $"{Terminal.Visible(said)}\t{sureness:F4}\t{Terminal.Visible(text)}"));
    }
}

using System.CommandLine;
using System.Globalization;
using Gradus.Text.Data.Analysis;

namespace Gradus.Cli;

/// <summary><c>gradus data train-language-id</c>: a model for the step <c>language</c> and for audits.</summary>
internal static class DataTrainLanguageIdCommand
{
    public static Command Create()
    {
        var texts = new Argument<string[]>("texts") { Description = ".jsonl rows with a text and its language; plain or compressed", Arity = ArgumentArity.OneOrMore };
        var output = new Option<string>("--out") { Description = "The model to write", Required = true, HelpName = "file" };
        var field = new Option<string>("--field") { Description = "The field of the text", DefaultValueFactory = _ => "text" };
        var label = new Option<string>("--label") { Description = "The field of the language: a BCP 47 code", DefaultValueFactory = _ => "bcp47" };
        var check = new Option<bool>("--check") { Description = "Measures the accuracy first, on every fifth paragraph, unseen" };
        var json = new Option<bool>("--json") { Description = "One JSON object" };
        var command = new Command("train-language-id", """
            Trains language identification by character n-grams. The Universal Declaration of Human Rights in its 528 versions makes a model of 445 languages.

            Example:
              gradus data train-language-id udhr.jsonl.xz --check --out languages.model
            """) { texts, output, field, label, check, json };
        command.SetAction(result =>
        {
            Output.File(result.GetRequiredValue(output));
            var rows = result.GetRequiredValue(texts).SelectMany(p => LabelledFile.Read(p, result.GetValue(field)!, result.GetValue(label)!)).Select(r => (r.Label, r.Text)).ToList();
            (double Accuracy, int Paragraphs, int Languages)? held = result.GetValue(check) ? LanguageIdentifier.HeldOutAccuracy(rows) : null;
            var model = LanguageIdentifier.Train(rows);
            model.Save(result.GetRequiredValue(output));
            var size = new FileInfo(result.GetRequiredValue(output)).Length;
            if (result.GetValue(json)) Terminal.Json(new { Out = result.GetRequiredValue(output), Languages = model.Languages.Count, Labels = model.Labels.Count, Bytes = size, held?.Accuracy, held?.Paragraphs });
            else
                Terminal.Out(string.Create(CultureInfo.InvariantCulture, $"{result.GetRequiredValue(output)}: {model.Languages.Count} languages, {size / 1e6:F1} MB{(held is { } h ? $"; {h.Accuracy:P2} of {h.Paragraphs:N0} unseen paragraphs in {h.Languages} languages" : "")}"));
            return ExitCode.Done;
        });
        return command;
    }
}

using System.CommandLine;
using System.Globalization;
using Gradus.Foundation.Files;
using Gradus.Text.Tokenizers;

namespace Gradus.Cli;

/// <summary><c>gradus tokenizer fertility</c>: how many tokens each language takes.</summary>
internal static class TokenizerFertilityCommand
{
    public static Command Create()
    {
        var tokenizer = new Argument<string>("tokenizer") { Description = "tokenizer.json, a .model, a folder that holds one, or any other that can be loaded" };
        var data = new Argument<string[]>("data") { Description = "Texts, a language each by its name (de.txt), or .jsonl files with --language-field; folders or globs; compressed ones too", Arity = ArgumentArity.OneOrMore };
        var field = new Option<string?>("--language-field") { Description = "The field of .jsonl rows that names the language", HelpName = "field" };
        var json = new Option<bool>("--json") { Description = "The report as JSON" };
        var command = new Command("fertility", "Tokens per word, character and byte for each language, and how evenly they are served.\n\nExample:\n  gradus tokenizer fertility tokenizers/many udhr.jsonl.xz --language-field bcp47") { tokenizer, data, field, json };
        command.SetAction(result =>
        {
            var report = FertilityReport.Of(Tokenizer.Load(result.GetRequiredValue(tokenizer)), LabelledTexts.Read(result.GetRequiredValue(data), result.GetValue(field)));
            if (report.Languages.Count == 0)
                throw new UserException($"{string.Join(", ", result.GetRequiredValue(data))}: there is no text");
            if (result.GetValue(json))
                Terminal.Json(new { report.Mean, report.Variation, Worst = report.Worst.Language, Best = report.Best.Language, report.Languages });
            else
                Table(report);
            return ExitCode.Done;
        });
        return command;
    }

    private static void Table(FertilityReport report)
    {
        var width = Math.Max(8, report.Languages.Max(l => l.Language.Length));
        Terminal.Out($"{"language".PadRight(width)}  {"tokens",10}  {"per word",9}  {"per char",9}  {"per byte",9}  {"unknown",8}");
        foreach (var l in report.Languages.OrderByDescending(l => l.PerCharacter))
            Terminal.Out(string.Create(CultureInfo.InvariantCulture, $"{l.Language.PadRight(width)}  {l.Tokens,10:N0}  {l.PerWord,9:F3}  {l.PerCharacter,9:F3}  {l.PerByte,9:F3}  {l.UnknownRate,8:P2}"));
        Terminal.Out(string.Create(CultureInfo.InvariantCulture, $"{report.Languages.Count} languages; tokens per character: mean {report.Mean:F3}, variation {report.Variation:F3}, worst {report.Worst.Language} {report.Worst.PerCharacter:F3}, best {report.Best.Language} {report.Best.PerCharacter:F3}"));
    }
}

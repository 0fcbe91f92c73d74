using System.CommandLine;
using System.Globalization;
using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;
using Gradus.Text.Data;
using Gradus.Text.Data.Analysis;
using Gradus.Text.Data.Pipeline;
using Gradus.Text.Tokenizers;

namespace Gradus.Cli;

/// <summary><c>gradus data audit</c>: what a dataset is, as a page and as JSON.</summary>
internal static class DataAuditCommand
{
    public static Command Create()
    {
        var data = new Argument<string[]>("data") { Description = "A folder that data prepare made, files, folders or globs, or one .yaml with a data section", Arity = ArgumentArity.OneOrMore };
        var output = new Option<string>("--out") { Description = "The folder for audit.json and audit.html", Required = true };
        var options = new Option<string?>("--options") { Description = "A .yaml with groups, associations, topics, vectors", HelpName = "yaml" };
        var set = new Option<string[]>("--set") { Description = "Overrides a key of the options: topics.topics=20" };
        var tokenizer = new Option<string?>("--tokenizer") { Description = "Counts tokens too", HelpName = "tokenizer" };
        var language = new Option<string?>("--language-model") { Description = "Of data train-language-id, for documents that do not say their language", HelpName = "file" };
        var sentiment = new Option<string?>("--sentiment") { Description = "Of data train-classifier with classes 0 and 1: how sentences sound that name a group", HelpName = "file" };
        var name = new Option<string?>("--name") { Description = "The page's heading; the data's name when left out", HelpName = "name" };
        var json = new Option<bool>("--json") { Description = "One JSON object" };
        var command = new Command("audit", """
            Says what a dataset is: size, sources, languages, lengths, words, readability, time, copies, what was left out and why, who is named and how they are
            spoken of, topics, associations, private data, licences.

            Examples:
              gradus data audit data/web --out audits/web
              gradus data audit texts/*.jsonl.gz --language-model languages.model --sentiment sentiment.model --out audits/texts
            """) { data, output, options, set, tokenizer, language, sentiment, name, json };
        command.SetAction((result, cancel) =>
        {
            var folder = result.GetRequiredValue(output);
            Output.Folder(folder);
            var chosen = (result.GetValue(options) is { } yaml ? RecipeFile.Read<AuditOptions>(yaml, result.GetValue(set) ?? []) : RecipeFile.Parse<AuditOptions>("{}", "--set", result.GetValue(set) ?? []));
            chosen = chosen with { LanguageModel = result.GetValue(language) ?? chosen.LanguageModel, Sentiment = result.GetValue(sentiment) ?? chosen.Sentiment };
            Tokenizer? t = result.GetValue(tokenizer) is { } path ? Tokenizer.Load(path) : null;
            var ids = new List<int>();
            var audit = new DataAudit(chosen, t is null ? null : utf8 =>
            {
                ids.Clear();
                t.Encode(utf8.Span, ids, addSpecialTokens: false);
                return ids.Count;
            });
            var paths = result.GetRequiredValue(data);
            // With steps the recipe's own documents are looked at, made in a working folder that prepare finds again.
            var input = paths is [var recipe] && recipe.EndsWith(".yaml", StringComparison.Ordinal)
                ? AuditInput.Of(PreparedDocuments.Open(RecipeFile.Read<DataOptions>(recipe, []), Path.TrimEndingDirectorySeparator(folder) + ".work", new PrepareRun { Cancel = cancel }))
                : AuditInput.Open(paths);
            var count = 0L;
            foreach (var document in input.Documents)
            {
                cancel.ThrowIfCancellationRequested();
                audit.Add(document);
                if (++count % 256 == 0 && Terminal.IsLive && !result.GetValue(json)) Terminal.Live(string.Create(CultureInfo.InvariantCulture, $"{count:N0} documents"));
            }

            if (count == 0) throw new UserException($"{paths[0]}: no records.");
            if (Terminal.IsLive) Terminal.Live("");
            var report = audit.Finish(result.GetValue(name) ?? (paths.Length == 1 ? Path.GetFileName(Path.TrimEndingDirectorySeparator(paths[0])) : $"{paths.Length} sources"), input.Preparation());
            Directory.CreateDirectory(folder);
            Durable.WriteText(Path.Combine(folder, AuditReport.FileName), report.ToJson());
            Durable.WriteText(Path.Combine(folder, AuditPage.FileName), AuditPage.Html(report));
            if (result.GetValue(json)) Terminal.Json(new { Page = Path.Combine(folder, AuditPage.FileName), Json = Path.Combine(folder, AuditReport.FileName), report.Documents, report.Bytes, report.Tokens });
            else Terminal.Out(string.Create(CultureInfo.InvariantCulture, $"{Path.Combine(folder, AuditPage.FileName)}: {report.Documents:N0} documents, {report.Bytes / 1e6:F1} MB, to look at in a browser"));
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }
}

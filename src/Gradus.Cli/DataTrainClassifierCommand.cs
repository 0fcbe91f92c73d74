using System.CommandLine;
using System.Globalization;
using System.Text;
using Gradus.Foundation.Files;
using Gradus.Foundation.Kernels;
using Gradus.Text.Data.Analysis;
using Gradus.Text.Data.Sources;

namespace Gradus.Cli;

/// <summary><c>gradus data train-classifier</c>: a model for the step <c>quality-classifier</c>, and for sentiment in audits.</summary>
internal static class DataTrainClassifierCommand
{
    public static Command Create()
    {
        var examples = new Argument<string[]>("examples") { Description = "Rows with a text and a label: .jsonl, or text, tab and label a line", Arity = ArgumentArity.ZeroOrMore };
        var good = new Option<string[]>("--good") { Description = "Texts that are as they should be: documents of class 'good'", HelpName = "texts" };
        var bad = new Option<string[]>("--bad") { Description = "Texts that are not: class 'bad'", HelpName = "texts" };
        var output = new Option<string>("--out") { Description = "The model to write", Required = true, HelpName = "file" };
        var field = new Option<string>("--field") { Description = "The field of the text in .jsonl rows", DefaultValueFactory = _ => "text" };
        var label = new Option<string>("--label") { Description = "The field of the label in .jsonl rows", DefaultValueFactory = _ => "label" };
        var balance = new Option<bool>("--balance") { Description = "Each class counts the same, however many examples it has" };
        var check = new Option<bool>("--check") { Description = "Measures the accuracy first, on every tenth example, unseen" };
        var test = new Option<string?>("--test") { Description = "Labelled rows to measure the accuracy on, which nothing is learned from", HelpName = "file" };
        var json = new Option<bool>("--json") { Description = "One JSON object" };
        var command = new Command("train-classifier", """
            Trains a linear classifier over words and pairs of words: what a document or a sentence is like, from examples.

            Examples:
              gradus data train-classifier --good books/*.txt --bad spam.jsonl --out quality.model
              gradus data train-classifier sst2/train.tsv --test sst2/dev.tsv --out sentiment.model
            """) { examples, good, bad, output, field, label, balance, check, test, json };
        command.SetAction(result =>
        {
            Output.File(result.GetRequiredValue(output));
            var rows = (result.GetValue(examples) ?? []).SelectMany(p => LabelledFile.Read(p, result.GetValue(field)!, result.GetValue(label)!))
                .Concat(Documents(result.GetValue(good) ?? [], "good")).Concat(Documents(result.GetValue(bad) ?? [], "bad")).ToList();
            if (rows.Count == 0) throw new UserException("no examples: name a file with labelled rows, or --good and --bad");
            var options = new ClassifierOptions { Balance = result.GetValue(balance) };
            if (result.GetValue(check) && result.GetValue(test) is not null) throw new UserException("--check and --test: one of them");
            var unseen = result.GetValue(test) is { } path ? LabelledFile.Read(path, result.GetValue(field)!, result.GetValue(label)!).ToList() : null;
            if (unseen is []) throw new UserException($"{result.GetValue(test)}: no examples");
            var measured = result.GetValue(check) ? Check(rows, options) : null;
            var model = TextClassifier.Train(rows, options);
            if (unseen is not null) measured = Measure(model, unseen);
            model.Save(result.GetRequiredValue(output));
            var classes = model.Labels.Select(l => (Label: l, Count: rows.Count(r => r.Label == l))).ToList();
            if (result.GetValue(json)) Terminal.Json(new { Out = result.GetRequiredValue(output), Examples = rows.Count, Classes = classes.ToDictionary(c => c.Label, c => c.Count), measured?.Accuracy, measured?.Low, measured?.High, measured?.Commonest });
            else
                Terminal.Out(string.Create(CultureInfo.InvariantCulture, $"{result.GetRequiredValue(output)}: {string.Join(", ", classes.Select(c => string.Create(CultureInfo.InvariantCulture, $"{c.Label} {c.Count:N0}")))}{(measured is { } m ? $"; {m.Accuracy:P2} [{m.Low:P2}, {m.High:P2}] of {m.Examples:N0} unseen examples right ({m.Commonest:P2} by always saying the commonest)" : "")}"));
            return ExitCode.Done;
        });
        return command;
    }

    private sealed record Measured(double Accuracy, double Low, double High, double Commonest, int Examples);

    private static Measured Check(List<LabelledText> rows, ClassifierOptions options)
    {
        var all = rows.ToLookup(r => Hash64.Of(Encoding.UTF8.GetBytes(r.Text)) % 10 == 0);
        var held = all[true].ToList();
        if (held.Count == 0 || all[false].Select(r => r.Label).Distinct(StringComparer.Ordinal).Count() < 2) throw new UserException("--check: too few examples to leave every tenth out");
        return Measure(TextClassifier.Train([.. all[false]], options), held);
    }

    /// <summary>The accuracy, with its 95 % interval (Wilson, 1927).</summary>
    private static Measured Measure(TextClassifier model, List<LabelledText> rows)
    {
        const double z = 1.96;
        var (p, n) = (model.Accuracy(rows), (double)rows.Count);
        var (middle, half) = ((p + z * z / (2 * n)) / (1 + z * z / n), z / (1 + z * z / n) * Math.Sqrt(p * (1 - p) / n + z * z / (4 * n * n)));
        return new Measured(p, middle - half, middle + half, rows.GroupBy(h => h.Label).Max(g => g.Count()) / n, rows.Count);
    }

    private static IEnumerable<LabelledText> Documents(string[] paths, string label) =>
        paths.SelectMany(SourceOptions.AllFromPath).SelectMany(s => s.Read(new SourceReport())).Select(d => new LabelledText(Encoding.UTF8.GetString(d.Utf8.Span), label));
}

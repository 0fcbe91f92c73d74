using System.Text.Json;
using Gradus.Text.Data.Analysis;

namespace Gradus.Tests.Cli;

/// <summary><c>gradus data audit|diff|train-language-id|train-classifier</c>.</summary>
[Row("B12")]
public sealed class DataAuditCommandTests : IDisposable
{
    private readonly TempFolder _folder = Repo.Temp();

    public void Dispose() => _folder.Dispose();

    private CommandLine.Settings Here => CommandLine.Settings.In(_folder.Path);

    private void Rows(string name, IEnumerable<object> rows) => File.WriteAllLines(_folder.File(name), rows.Select(r => JsonSerializer.Serialize(r)));

    [Fact]
    public void A_prepared_dataset_is_audited_with_what_was_left_out_and_two_versions_are_compared()
    {
        Rows("texts.jsonl", Enumerable.Range(0, 120).Select(i => new { text = i % 4 == 0 ? $"too short {i}" : $"She said that in year {i} the plan of the town was good, and he said so too.", date = $"{1990 + i % 10}", license = "CC0-1.0" }));
        File.WriteAllText(_folder.File("r.yaml"), "sources: [{ kind: jsonl, path: texts.jsonl }]\nsteps: [{ kind: length, min_words: 5 }]\noutput: { compression: none }\n");
        CommandLine.Run(Here, "data", "prepare", "r.yaml", "--out", "v1").Done();
        CommandLine.Run(Here, "data", "prepare", "r.yaml", "--out", "v2", "--set", "steps=[]").Done();
        var done = CommandLine.Run(Here, "data", "audit", "v1", "--out", "a1", "--json").Done();
        Assert.Equal(90, done.Json.GetProperty("documents").GetInt32());
        CommandLine.Run(Here, "data", "audit", "v2", "--out", "a2").Done();
        var report = AuditReport.Load(_folder.File("a1"));
        Assert.Equal((120L, 90L), (report.Preparation!.Read, report.Preparation.Kept));
        Assert.Equal(30, Assert.Single(report.Preparation.Rules).Documents);
        Assert.Equal(("CC0-1.0", "1990"), (report.Licenses[0].Name, report.Time!.First));
        Assert.Contains("too-few-words", File.ReadAllText(_folder.File("a1/audit.html")), StringComparison.Ordinal);
        // Made again, to the byte; straight from the recipe too, but for the splits' order, which only files have.
        CommandLine.Run(Here, "data", "audit", "v1", "--out", "again").Done();
        Assert.Equal(File.ReadAllBytes(_folder.File("a1/audit.html")), File.ReadAllBytes(_folder.File("again/audit.html")));
        CommandLine.Run(Here, "data", "audit", "r.yaml", "--out", "direct").Done();
        Assert.Equal((report.Documents, report.Bytes), (AuditReport.Load(_folder.File("direct")).Documents, AuditReport.Load(_folder.File("direct")).Bytes));
        var diff = CommandLine.Run(Here, "data", "diff", "a1", "a2").Done().Out;
        Assert.Matches(@"documents +90 → +120 +\+33\.3%", diff);
        Assert.Contains("no figure differs", CommandLine.Run(Here, "data", "diff", "a1", "a1/audit.json").Done().Out, StringComparison.Ordinal);
        Assert.Contains("there is no such file", CommandLine.Run(Here, "data", "diff", "a1", "none").Refusal(), StringComparison.Ordinal);
        Assert.Contains("none", CommandLine.Run(Here, "data", "audit", "none", "--out", "x").Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    [Row("B7", "M2")]
    public void Models_are_trained_and_used_in_an_audit_and_a_recipe()
    {
        Rows("udhr.jsonl", from i in Enumerable.Range(0, 60)
                           from row in new[] { new { text = $"All human beings are born free and equal in dignity and rights {i}.", bcp47 = "en" }, new { text = $"Alle Menschen sind frei und gleich an Würde und Rechten geboren {i}.", bcp47 = "de-1996" } }
                           select row);
        File.WriteAllLines(_folder.File("films.tsv"), Enumerable.Range(0, 60).Select(i => i % 2 == 0 ? $"a good and lovely film {i}\t1" : $"a bad and dull film {i}\t0"));
        var languages = CommandLine.Run(Here, "data", "train-language-id", "udhr.jsonl", "--check", "--out", "models/languages", "--json").Done().Json;
        Assert.Equal((2, 1.0), (languages.GetProperty("languages").GetInt32(), languages.GetProperty("accuracy").GetDouble()));
        var classes = CommandLine.Run(Here, "data", "train-classifier", "films.tsv", "--check", "--out", "models/films", "--json").Done().Json;
        Assert.Equal(1, classes.GetProperty("accuracy").GetDouble());
        // Three of four right; the interval is Wilson's, as published tables have it.
        File.WriteAllText(_folder.File("unseen.tsv"), "a good film\t1\na lovely film\t1\na dull film\t0\na bad film\t1\n");
        var unseen = CommandLine.Run(Here, "data", "train-classifier", "films.tsv", "--test", "unseen.tsv", "--out", "models/films", "--json").Done().Json;
        Assert.Equal((0.75, 0.75), (unseen.GetProperty("accuracy").GetDouble(), unseen.GetProperty("commonest").GetDouble()));
        Assert.Equal((0.3006, 0.9544), (Math.Round(unseen.GetProperty("low").GetDouble(), 4), Math.Round(unseen.GetProperty("high").GetDouble(), 4)));
        Assert.Contains("one of them", CommandLine.Run(Here, "data", "train-classifier", "films.tsv", "--check", "--test", "unseen.tsv", "--out", "x").Refusal(), StringComparison.Ordinal);
        Rows("texts.jsonl", Enumerable.Range(0, 40).Select(i => new { text = i % 4 == 3 ? $"Die Menschen sind frei und haben Rechte, Nummer {i}." : $"{(i % 2 == 0 ? "She made a good and lovely" : "He made a bad and dull")} film number {i}, all human beings are free." }));
        CommandLine.Run(Here, "data", "audit", "texts.jsonl", "--language-model", "models/languages", "--sentiment", "models/films", "--out", "audit").Done();
        var report = AuditReport.Load(_folder.File("audit"));
        Assert.Equal([("en", 30L), ("de", 10L)], report.Languages.Select(l => (l.Name, l.Documents)));
        Assert.True(report.Sentiment.Single(s => s.Name == "gender").Gap > 0.3);
        File.WriteAllText(_folder.File("r.yaml"), "sources: [{ kind: jsonl, path: texts.jsonl }]\nsteps: [{ kind: language, model: models/languages, keep: [de] }]\noutput: { compression: none }\n");
        Assert.Equal(10, CommandLine.Run(Here, "data", "prepare", "r.yaml", "--out", "german", "--json").Done().Json.GetProperty("kept").GetInt32());
        Assert.Contains("no class 'good'", CommandLine.Run(Here, "data", "audit", "texts.jsonl", "--sentiment", "models/films", "--set", "sentiment_label=good", "--out", "x").Refusal(), StringComparison.Ordinal);
        Assert.Contains("no examples", CommandLine.Run(Here, "data", "train-classifier", "--out", "x").Refusal(), StringComparison.Ordinal);
        Assert.Contains("no field 'bcp'; known: bcp47", CommandLine.Run(Here, "data", "train-language-id", "udhr.jsonl", "--label", "bcp", "--out", "x").Refusal(), StringComparison.Ordinal);
    }
}

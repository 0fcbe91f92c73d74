using System.Text;
using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;
using Gradus.Text.Data;
using Gradus.Text.Data.Analysis;

namespace Gradus.Tests.Text.Data.Analysis;

[Row("B12")]
public sealed class DataAuditTests
{
    private static Document Doc(string text, int i, params (string Key, string Value)[] meta) =>
        new(Encoding.UTF8.GetBytes(text), $"data/some.jsonl:{i + 1}", (i % 10) switch { 0 => DataSplit.Test, _ => DataSplit.Train }, meta.ToDictionary(m => m.Key, m => m.Value));

    /// <summary>A mix whose every figure is known.</summary>
    private static IEnumerable<Document> Mix()
    {
        for (var i = 0; i < 60; i++)
            yield return Doc($"The cat number {i} sat on the mat and it is in the house of a friend.", i, ("source", "web"), ("language", "en"), ("license", "CC-BY-4.0"), ("date", $"{2000 + i % 5}-03-01"));
        for (var i = 60; i < 80; i++)
            yield return Doc($"Die Katze {i} saß auf der Matte.", i, ("source", "books"), ("language", "de"));
        for (var i = 0; i < 20; i++) // copies
            yield return Doc($"The cat number {i} sat on the mat and it is in the house of a friend.", 80 + i, ("source", "web"), ("language", "en"), ("license", "CC-BY-4.0"));
    }

    private static AuditReport Audit(IEnumerable<Document> documents, AuditOptions? options = null, Func<string, double>? sentiment = null, Func<ReadOnlyMemory<byte>, int>? tokens = null)
    {
        var audit = new DataAudit(options ?? new AuditOptions(), tokens, sentiment);
        foreach (var document in documents)
            audit.Add(document);
        return audit.Finish("mix");
    }

    [Fact]
    [Row("B7")]
    public void The_figures_of_a_known_mix_are_right()
    {
        var r = Audit(Mix(), tokens: t => t.Length / 2);
        Assert.Equal((100L, Mix().Sum(d => (long)d.Utf8.Length), Mix().Sum(d => (long)(d.Utf8.Length / 2))), (r.Documents, r.Bytes, r.Tokens));
        Assert.Equal(Mix().Sum(d => (long)Encoding.UTF8.GetString(d.Utf8.Span).EnumerateRunes().Count()), r.Characters);
        Assert.Equal([("web", 80L), ("books", 20L)], r.Sources.Select(s => (s.Name, s.Documents)));
        Assert.Equal([("en", 80L), ("de", 20L)], r.Languages.Select(s => (s.Name, s.Documents)));
        Assert.Equal([("CC-BY-4.0", 80L), ("unknown", 20L)], r.Licenses.Select(s => (s.Name, s.Documents)));
        Assert.Equal([("train", 90L), ("test", 10L)], r.Splits.Select(s => (s.Name, s.Documents)));
        Assert.Equal((20.0, true), (r.Duplicates.Documents, r.Duplicates.Exact));
        Assert.Equal(80 * 17 + 20 * 7L, r.Vocabulary.Words);
        // cat, number, sat, mat … 14 different words of the English sentence, 60 + 20 numbers, 6 German ones.
        Assert.Equal(14 + 60 + 20 + 6, r.Vocabulary.Distinct);
        Assert.Equal((60L, "2000-03-01", "2004-03-01"), (r.Time!.Dated, r.Time.First, r.Time.Last));
        Assert.Equal(12, r.Time.Years["2003"]);
        Assert.Equal(80, r.Readability!.Documents);
        Assert.True(r.Readability.Ease > 80);
        var (web, books) = (r.Sources[0].Bytes / (double)r.Bytes, r.Sources[1].Bytes / (double)r.Bytes);
        Assert.Equal(Math.Pow(2, -web * Math.Log2(web) - books * Math.Log2(books)), r.EffectiveSources, 1e-9);
        Assert.Equal(100, r.Lengths.Bins.Sum(b => b.Count));
    }

    [Fact]
    [Row("B12")]
    public void The_order_of_documents_changes_nothing_and_the_json_comes_back()
    {
        var (a, b) = (Audit(Mix()), Audit(Mix().Reverse()));
        // Topics rest on the same sample in the same order; sums of doubles may differ in their last digits, so figures are compared by text.
        Assert.Equal(a.Topics.Select(t => string.Join(' ', t.Words)), b.Topics.Select(t => string.Join(' ', t.Words)));
        Assert.Equal(a.Sources, b.Sources);
        Assert.Equal(a.Vocabulary.Distinct, b.Vocabulary.Distinct);
        using var folder = Repo.Temp();
        File.WriteAllText(folder.File(AuditReport.FileName), a.ToJson());
        Assert.Equal(a.ToJson(), AuditReport.Load(folder.Path).ToJson());
        Assert.Contains("there is no such file", Assert.Throws<UserException>(() => AuditReport.Load(folder.File("none"))).Message, StringComparison.Ordinal);
    }

    private static IEnumerable<Document> People(int women, int men)
    {
        for (var i = 0; i < women; i++)
            yield return Doc($"She said that the plan number {i} was done.", i);
        for (var i = 0; i < men; i++)
            yield return Doc($"He said that the plan number {i} was done.", i);
    }

    [Fact]
    [Row("M1", "B12")]
    public void A_planted_skew_is_found_by_chi_square_and_balance_is_not_flagged()
    {
        var skewed = Audit(People(30, 170)).Groups.Single(g => g.Name == "gender");
        // Expected 100 and 100: χ² = 2 · 70² / 100.
        Assert.Equal(98, skewed.Test!.Statistic, 1e-9);
        Assert.True(skewed.Test.PValue < 1e-20);
        Assert.Equal([("female", 30L, -7.0), ("male", 170L, 7.0)], skewed.Groups.Select(g => (g.Name, g.Documents, g.Residual!.Value)));
        Assert.True(Audit(People(96, 104)).Groups.Single(g => g.Name == "gender").Test!.PValue > 0.5);
        // Against another reference the same counts are right.
        var options = new AuditOptions { Groups = new Dictionary<string, GroupSet> { ["g"] = new() { Words = new Dictionary<string, IReadOnlyList<string>> { ["f"] = ["she"], ["m"] = ["he"] }, Reference = new Dictionary<string, double> { ["f"] = 15, ["m"] = 85 } } } };
        Assert.Equal(1, Audit(People(30, 170), options).Groups.Single().Test!.PValue, 1e-9);
    }

    [Fact]
    [Row("M2")]
    public void A_planted_gap_of_sentiment_by_group_is_found_with_its_size()
    {
        // The scorer is a stub: 0.9 for good, 0.1 for bad. Women: 15 good of 20. Men: 5 good of 20. Sentences that name both do not count.
        IEnumerable<Document> Documents(int goodWomen, int goodMen)
        {
            for (var i = 0; i < 20; i++)
            {
                yield return Doc($"She did {(i < goodWomen ? "well" : "badly")} in year {i}.", i);
                yield return Doc($"He did {(i < goodMen ? "well" : "badly")} in year {i}. He and she did badly. Nobody did badly.", i);
            }
        }

        static double Score(string sentence) => sentence.Contains("well", StringComparison.Ordinal) ? 0.9 : 0.1;
        var found = Audit(Documents(15, 5), sentiment: Score).Sentiment.Single(s => s.Name == "gender");
        Assert.Equal([("female", 20L), ("male", 20L)], found.Groups.Select(g => (g.Name, g.Sentences)));
        Assert.Equal(0.7, found.Groups[0].Mean, 1e-12);
        Assert.Equal(0.3, found.Groups[1].Mean, 1e-12);
        Assert.Equal(0.4, found.Gap!.Value, 1e-12);
        // Variance of each: 20/19 · 0.64 · 0.75 · 0.25; z = 0.4 / sqrt(2 · v / 20).
        var v = 20.0 / 19 * 0.64 * 0.75 * 0.25;
        Assert.Equal(2 * Statistics.NormalTail(0.4 / Math.Sqrt(2 * v / 20)), found.PValue!.Value, 1e-12);
        Assert.True(found.PValue < 0.01);
        Assert.Equal(0, Audit(Documents(10, 10), sentiment: Score).Sentiment.Single(s => s.Name == "gender").Gap!.Value, 1e-12);
        Assert.Empty(Audit(Documents(15, 5)).Sentiment);
    }

    [Fact]
    public void Private_data_is_counted_and_never_shown()
    {
        var r = Audit([Doc("Write to jane.doe@example.org or john@example.org today.", 0), Doc("Nothing here at all.", 1)]);
        Assert.Equal((1L, 2L), (r.Private.Documents, r.Private.Kinds["email"]));
        Assert.DoesNotContain("jane", r.ToJson(), StringComparison.Ordinal);
        Assert.DoesNotContain("jane", AuditPage.Html(r), StringComparison.Ordinal);
    }

    [Fact]
    public void The_page_is_one_file_and_shows_what_texts_say_as_text()
    {
        var r = Audit(Mix().Append(Doc("Some text.", 1, ("source", "<script>alert(1)</script>"), ("language", "en&\"")))) with
        {
            Preparation = new AuditPreparation(200, 3, 101, [new AuditExclusion("1 length", "too-few-words", 99, 1234, 0, [new AuditExample("a:1", "<b>short</b>", "3")])]),
        };
        var page = AuditPage.Html(r);
        Assert.DoesNotContain("<script", page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("<b>short", page, StringComparison.Ordinal);
        Assert.Contains("&lt;b&gt;short", page, StringComparison.Ordinal);
        foreach (var loads in new[] { "src=", "href=", "url(", "@import", "<link", "http:", "https:" })
            Assert.DoesNotContain(loads, page, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("prefers-color-scheme: dark", page, StringComparison.Ordinal);
        Assert.Contains("@media print", page, StringComparison.Ordinal);
        Assert.Contains("too-few-words", page, StringComparison.Ordinal);
        // Well formed as XML but for the doctype and void tags: every chart is closed, every attribute quoted.
        var body = page[page.IndexOf("<main>", StringComparison.Ordinal)..page.IndexOf("</body>", StringComparison.Ordinal)].Replace("<br>", "<br/>", StringComparison.Ordinal);
        Assert.True(System.Xml.Linq.XElement.Parse(body).Descendants("svg").Count() >= 5);
    }

    [Fact]
    public void Two_versions_are_compared_figure_by_figure()
    {
        var (before, after) = (Audit(Mix()), Audit(Mix().Where(d => d.Meta!["language"] == "en")));
        Assert.Empty(AuditDifference.Of(before, before).Changes);
        Assert.All(AuditDifference.Of(before, before).Divergence.Values, v => Assert.Equal(0, v, 1e-12));
        var difference = AuditDifference.Of(before, after);
        Assert.Contains(new AuditChange("size", "documents", 100, 80), difference.Changes);
        Assert.Contains(new AuditChange("languages", "de", 20, 0), difference.Changes);
        Assert.DoesNotContain(difference.Changes, c => c.Name == "en");
        Assert.True(difference.Divergence["languages"] > 0.01);
        Assert.True(difference.Divergence["licences"] > 0.01);
    }

    [Fact]
    public void Options_are_a_yaml_and_their_mistakes_are_named()
    {
        var options = RecipeFile.Parse<AuditOptions>("groups:\n  size:\n    words: { big: [large, huge], small: [tiny] }\n    reference: { big: 1, small: 2 }\ntopics: { topics: 4 }\nassociations: []\n", "o.yaml", ["sample_documents=50"]);
        Assert.Equal((1, 4, 50), (options.Groups.Count, options.Topics.Topics, options.SampleDocuments));
        Assert.Empty(options.Associations);
        Assert.Contains("twice", Assert.Throws<RecipeException>(() => RecipeFile.Parse<AuditOptions>("groups:\n  g:\n    words: { a: [x], b: [x] }\n", "o.yaml", [])).Message, StringComparison.Ordinal);
        Assert.Contains("same groups", Assert.Throws<RecipeException>(() => RecipeFile.Parse<AuditOptions>("groups:\n  g:\n    words: { a: [x], b: [y] }\n    reference: { a: 1 }\n", "o.yaml", [])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_even_sample_depends_on_nothing_but_the_documents()
    {
        List<int> Sample(IEnumerable<int> order)
        {
            var sample = new HashSample<int>(20);
            foreach (var i in order)
                sample.Add(Gradus.Foundation.Kernels.Hash64.Mix((ulong)i), () => i);
            return [.. sample.Kept];
        }

        Assert.Equal(Sample(Enumerable.Range(0, 1000)), Sample(Enumerable.Range(0, 1000).Reverse()));
        Assert.Equal(20, Sample(Enumerable.Range(0, 1000)).Count);
    }
}

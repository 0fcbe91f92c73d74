using System.Diagnostics;
using System.Globalization;
using System.Text;
using Gradus.Foundation.Files;
using Gradus.Text.Data;
using Gradus.Text.Data.Analysis;
using Gradus.Text.Data.Steps;

namespace Gradus.Tests.Text.Data.Analysis;

[Row("B7")]
public sealed class LanguageIdentifierTests(ITestOutputHelper output)
{
    private static readonly Lazy<List<(string Label, string Text)>> s_udhr = new(() =>
        [.. LabelledFile.Read(Repo.SharedData("udhr/udhr.jsonl.xz"), "text", "bcp47").Select(r => (r.Label, r.Text))]);

    // A dozen languages are enough for what is not about accuracy.
    private static readonly Lazy<LanguageIdentifier> s_dozen = new(() =>
    {
        string[] some = ["en", "de", "de-1996", "fr", "es", "pt-PT", "it", "nl", "pl", "ru", "ja", "zh", "ar"];
        return LanguageIdentifier.Train(s_udhr.Value.Where(r => some.Contains(r.Label, StringComparer.Ordinal)));
    });

    [Fact]
    public void More_than_a_hundred_languages_are_told_right_in_97_of_100_unseen_paragraphs()
    {
        var clock = Stopwatch.StartNew();
        var (accuracy, paragraphs, languages) = LanguageIdentifier.HeldOutAccuracy(s_udhr.Value);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"language identification: {accuracy:P2} of {paragraphs} unseen paragraphs in {languages} languages, {clock.Elapsed.TotalSeconds:F1} s"));
        Assert.True(languages >= 100, $"{languages} languages");
        Assert.True(accuracy >= 0.97, $"{accuracy:P2}");
    }

    [Fact]
    public void Labels_that_mean_nothing_are_not_learned()
    {
        // The control: the same texts under labels dealt out at random.
        var rows = s_udhr.Value.Where(r => r.Label.Length == 2).Take(40).SelectMany(r => LanguageIdentifier.Paragraphs(r.Text)).ToList();
        var counter = new Counter(5, "labels");
        var (accuracy, _, _) = LanguageIdentifier.HeldOutAccuracy(rows.Select((r, i) => ("l" + counter.Below((ulong)i, 20), r)));
        Assert.InRange(accuracy, 0, 0.15); // one in twenty by chance
    }

    [Fact]
    public void Texts_of_another_kind_are_told_right_too()
    {
        foreach (var (file, language) in new[] { ("tok-cs336-bpe-reference/german.txt", "de"), ("onmt-en-de-10k/src-val.txt", "en"), ("onmt-en-de-10k/tgt-val.txt", "de"), ("sentencepiece-corpora/wagahaiwa_nekodearu.txt", "ja") })
        {
            var lines = File.ReadLines(Repo.SharedData(file)).Where(l => l.Length >= (language == "ja" ? 15 : 40)).Take(200).ToList();
            var right = lines.Count(l => s_dozen.Value.Identify(l)?.Language == language);
            output.WriteLine($"{file}: {right} of {lines.Count}");
            Assert.True(right >= 0.95 * lines.Count, $"{file}: {right} of {lines.Count}");
        }
    }

    [Fact]
    public void A_saved_model_answers_as_before_and_the_same_texts_make_the_same_bytes()
    {
        using var folder = Repo.Temp();
        var model = s_dozen.Value;
        model.Save(folder.File("a"));
        LanguageIdentifier.Load(folder.File("a")).Save(folder.File("b"));
        Assert.Equal(File.ReadAllBytes(folder.File("a")), File.ReadAllBytes(folder.File("b")));
        var again = LanguageIdentifier.Load(folder.File("a"));
        foreach (var text in new[] { "All human beings are born free.", "Alle Menschen sind frei.", "人類社会のすべての構成員", "x" })
            Assert.Equal(model.Rank(text, 3), again.Rank(text, 3));
        Assert.Null(model.Identify("12 345 — !"));
        Assert.Equal("de", model.Identify("Die Würde des Menschen ist unantastbar.")!.Value.Language);
    }

    [Fact]
    public void A_damaged_model_is_refused_in_a_line()
    {
        using var folder = Repo.Temp();
        s_dozen.Value.Save(folder.File("m"));
        var bytes = File.ReadAllBytes(folder.File("m"));
        foreach (var length in new[] { 0, 7, 20, bytes.Length / 2, bytes.Length - 1 })
        {
            File.WriteAllBytes(folder.File("cut"), bytes[..length]);
            Assert.StartsWith(folder.File("cut"), Assert.Throws<UserException>(() => LanguageIdentifier.Load(folder.File("cut"))).Message, StringComparison.Ordinal);
        }

        Assert.Contains("no such file", Assert.Throws<UserException>(() => LanguageIdentifier.Load(folder.File("none"))).Message, StringComparison.Ordinal);
        Assert.Contains("two languages", Assert.Throws<UserException>(() => LanguageIdentifier.Train([("en", "one text")])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_step_notes_the_language_and_keeps_what_is_wanted()
    {
        using var folder = Repo.Temp();
        s_dozen.Value.Save(folder.File("m"));
        string? Dropped(LanguageStep step, string text, out string? language)
        {
            var draft = new Draft();
            draft.Start(new Document(Encoding.UTF8.GetBytes(text), "t"));
            step.Build().Apply(draft);
            language = draft.Meta(MetaKeys.Language);
            return draft.DroppedBy;
        }

        const string German = "Alle Menschen sind frei und gleich an Würde und Rechten geboren.", French = "Tous les êtres humains naissent libres et égaux en dignité et en droits.";
        var keep = new LanguageStep { Model = folder.File("m"), Keep = ["de", "en"], MinScore = 0.5 };
        Assert.Null(Dropped(keep, German, out var de));
        Assert.Equal("de", de);
        Assert.Equal("language-not-kept", Dropped(keep, French, out var fr));
        Assert.Equal("fr", fr);
        Assert.Equal("no-letters", Dropped(keep, "1 2 3", out _));
        Assert.Null(Dropped(keep with { Keep = [], MinScore = 0 }, French, out _));
        Assert.Equal("language-unsure", Dropped(keep with { Keep = [], MinScore = 1 }, "in", out _));
        Assert.Contains("'xx'", Assert.Throws<UserException>(() => (keep with { Keep = ["xx"] }).Build()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Confidence_is_calibrated()
    {
        // Of short pieces, those it is 90 % sure of and more must be right more often than the unsure ones, and about as often as it says.
        var model = LanguageIdentifier.Train(s_udhr.Value.Where(r => r.Label.Length == 2).Select(r => (r.Label, string.Join('\n', LanguageIdentifier.Paragraphs(r.Text).Where(p => !LanguageIdentifier.HeldOut(p))))));
        var asked = s_udhr.Value.Where(r => r.Label.Length == 2).SelectMany(r => LanguageIdentifier.Paragraphs(r.Text).Where(p => LanguageIdentifier.HeldOut(p) && p.Length >= 20).Take(10).Select(p => (r.Label, Guess: model.Identify(p)!.Value))).ToList();
        var (sure, unsure) = (asked.Where(a => a.Guess.Score >= 0.9).ToList(), asked.Where(a => a.Guess.Score < 0.9).ToList());
        var (right, wrong) = (sure.Count(a => a.Guess.Language == a.Label) / (double)sure.Count, unsure.Count(a => a.Guess.Language == a.Label) / (double)Math.Max(1, unsure.Count));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"sure {sure.Count}: {right:P1} right; unsure {unsure.Count}: {wrong:P1} right; mean score {asked.Average(a => a.Guess.Score):F3}, accuracy {asked.Count(a => a.Guess.Language == a.Label) / (double)asked.Count:F3}"));
        Assert.True(right > 0.95, $"{right}");
        Assert.True(wrong < right - 0.1, $"{wrong}");
        Assert.InRange(asked.Average(a => a.Guess.Score) - asked.Count(a => a.Guess.Language == a.Label) / (double)asked.Count, -0.05, 0.05);
    }
}

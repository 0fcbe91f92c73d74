using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Gradus.Foundation.Files;
using Gradus.Foundation.Kernels;
using Gradus.Text.Data;
using Gradus.Text.Data.Analysis;

namespace Gradus.Tests.Text.Data.Analysis;

[Row("B7")]
public sealed class LanguageIdentifierTests(ITestOutputHelper output)
{
    private static readonly Lazy<List<(string Label, string Text)>> s_udhr = new(() => ReadUdhr(Repo.SharedData("udhr/udhr.jsonl.xz")));

    /// <summary>Paragraphs of 40 characters and more that are held out: every fifth by its content, so the same text is never on both sides.</summary>
    private static bool HeldOut(string paragraph) => Hash64.Of(Encoding.UTF8.GetBytes(paragraph)) % 5 == 0;

    private static List<(string Label, string Text)> ReadUdhr(string path)
    {
        using var reader = new StreamReader(CompressedFile.Open(path));
        var rows = new List<(string, string)>();
        while (reader.ReadLine() is { } line)
        {
            using var row = JsonDocument.Parse(line);
            rows.Add((row.RootElement.GetProperty("bcp47").GetString()!, row.RootElement.GetProperty("text").GetString()!));
        }

        return rows;
    }

    private static (List<(string Label, string Text)> Train, List<(string Label, string Text)> Held) Split()
    {
        var all = s_udhr.Value.Where(r => r.Label != "und").SelectMany(r => LanguageIdentifier.Paragraphs(r.Text).Select(p => (r.Label, Text: p))).ToList();
        return ([.. all.Where(p => !HeldOut(p.Text))], [.. all.Where(p => HeldOut(p.Text) && p.Text.Length >= 40)]);
    }

    [Fact]
    public void Explore()
    {
        var (train, held) = Split();
        output.WriteLine($"{train.Count} {held.Count}");
        foreach (var (alpha, min) in new[] { (0.02, 2), (0.1, 1), (0.02, 1), (0.005, 1), (0.1, 2), (0.5, 1) })
        {
            var clock = Stopwatch.StartNew();
            var model = LanguageIdentifier.Train(train, new LanguageTraining { Alpha = alpha, MinCount = min, CalibrateEvery = 0 });
            var trained = clock.Elapsed.TotalSeconds;
            clock.Restart();
            var wrong = held.Where(p => model.Identify(p.Text)?.Language != LanguageIdentifier.Language(p.Label)).ToList();
            using var folder = Repo.Temp();
            model.Save(folder.File("m"));
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"alpha {alpha} min {min}: {1 - wrong.Count / (double)held.Count:F4} train {trained:F1} s, test {clock.Elapsed.TotalSeconds:F1} s {new FileInfo(folder.File("m")).Length / 1e6:F1} MB grams {model.Grams}"));
            if (alpha == 0.02)
                output.WriteLine(string.Join("; ", wrong.GroupBy(w => w.Label + ">" + model.Identify(w.Text)?.Label).OrderByDescending(g => g.Count()).Take(40).Select(g => g.Key + " " + g.Count())));
        }
    }
}

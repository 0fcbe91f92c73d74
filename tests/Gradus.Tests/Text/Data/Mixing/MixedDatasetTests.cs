using System.Text;
using System.Text.Json;
using Gradus.Foundation.Files;
using Gradus.Text.Data;
using Gradus.Text.Data.Augmentation;
using Gradus.Text.Data.Mixing;
using Gradus.Text.Data.Pipeline;
using Gradus.Text.Data.Sources;

namespace Gradus.Tests.Text.Data.Mixing;

/// <summary>Mixtures through the whole preparation: from a data section to the rows on disk.</summary>
[Row("B9", "B11", "B16")]
public sealed class MixedDatasetTests : IDisposable
{
    private readonly TempFolder _folder = Repo.Temp();
    private int _run;

    public MixedDatasetTests()
    {
        Write("wiki", 300, 40);
        Write("web", 60, 160);
    }

    public void Dispose() => _folder.Dispose();

    private void Write(string name, int documents, int letters) => File.WriteAllLines(_folder.File(name + ".jsonl"),
        Enumerable.Range(0, documents).Select(i => JsonSerializer.Serialize(new { text = $"{name} text {i} " + new string('x', i % letters), language = i % 5 == 0 ? "de" : "en" })));

    private DataOptions Options(MixOptions? mix) => new()
    {
        Sources = [new JsonlSource { Path = _folder.File("wiki.jsonl") }, new JsonlSource { Path = _folder.File("web.jsonl"), Name = "crawl" }],
        Split = new SplitOptions { Validation = 0.1, Test = 0.1 }, Output = new TextOutputOptions { Compression = TextCompression.None }, Mix = mix,
    };

    private (List<string> Train, List<string> Held, DataReport Report) Prepare(MixOptions? mix, int workers = 1)
    {
        var dataset = TextDataset.Prepare(Options(mix), _folder.File($"out{_run++}"), new PrepareRun { Workers = workers });
        List<string> Rows(params string[] splits) => [.. splits.Where(s => Directory.Exists(Path.Combine(dataset.Folder, s))).SelectMany(s => Directory.GetFiles(Path.Combine(dataset.Folder, s)).Order(StringComparer.Ordinal)).SelectMany(File.ReadLines).Select(l => JsonDocument.Parse(l).RootElement.GetProperty("text").GetString()!)];
        return (Rows("train"), Rows("test", "validation"), dataset.Report());
    }

    [Fact]
    public void Sources_are_mixed_by_weight_and_validation_and_test_stay_as_they_are()
    {
        var plain = Prepare(null);
        var mixed = Prepare(new MixOptions { Weights = new Dictionary<string, double> { ["wiki"] = 1, ["crawl"] = 1 } });
        Assert.Equal(plain.Held, mixed.Held);
        Assert.Equal(plain.Train.ToHashSet(), mixed.Train.ToHashSet());
        var (wiki, web) = (mixed.Train.Count(t => t.StartsWith("wiki", StringComparison.Ordinal)), mixed.Train.Count(t => t.StartsWith("web", StringComparison.Ordinal)));
        Assert.InRange(wiki - web, -1, 1);
        Assert.True(plain.Train.Count(t => t.StartsWith("web", StringComparison.Ordinal)) * 3 < wiki, "the control: without the mixture there are far fewer");
        Assert.Equal(mixed.Train.Count + mixed.Held.Count, mixed.Report.Mix!.Documents);
        Assert.Equal((long)web, mixed.Report.Mix.Groups["crawl"].MixedDocuments);
        Assert.Equal(plain.Report.Kept, mixed.Report.Kept);
    }

    [Fact]
    public void The_number_of_workers_changes_nothing_and_another_mixture_is_another_dataset()
    {
        var mix = new MixOptions { By = "language", Balance = true, Seed = 3 };
        var one = Prepare(mix);
        Assert.Equal(one.Train, Prepare(mix, workers: 3).Train);
        Assert.NotEqual(one.Train, Prepare(mix with { Seed = 4 }).Train);
        Assert.InRange(one.Report.Mix!.Groups["de"].MixedDocuments - one.Report.Mix.Groups["en"].MixedDocuments, -1, 1);
        var folder = _folder.File("twice");
        TextDataset.Prepare(Options(mix), folder);
        Assert.True(TextDataset.Prepare(Options(mix), folder).CacheHit);
        Assert.Contains("other files or options", Assert.Throws<UserException>(() => TextDataset.Prepare(Options(mix with { Seed = 4 }), folder)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_curriculum_goes_from_short_to_long_in_the_files()
    {
        var lengths = Prepare(new MixOptions { Order = MixOrder.Curriculum }).Train.Select(Encoding.UTF8.GetByteCount).ToList();
        Assert.True(lengths.Count > 200);
        Assert.All(lengths.Zip(lengths.Skip(1)), p => Assert.True(p.First <= p.Second));
        var other = Prepare(new MixOptions()).Train.Select(Encoding.UTF8.GetByteCount).ToList();
        Assert.Contains(other.Zip(other.Skip(1)), p => p.First > p.Second);
    }

    [Fact]
    [Row("B10")]
    public void Further_copies_are_augmented_and_the_first_is_not()
    {
        var mix = new MixOptions { Weights = new Dictionary<string, double> { ["crawl"] = 1 }, Documents = 150 };
        var plain = Prepare(mix).Train;
        var augmented = Prepare(mix with { Augment = [new WordDelete { Rate = 0.4 }] }).Train;
        Assert.Equal((150, 150), (plain.Count, augmented.Count));
        var different = plain.ToHashSet();
        Assert.All(augmented.Take(different.Count), t => Assert.Contains(t, different)); // the first round, whatever its order
        Assert.Contains(augmented.Skip(different.Count), t => !different.Contains(t));
    }

    [Fact]
    public void A_weight_for_a_source_that_is_not_there_and_a_file_that_is_missing_are_said()
    {
        Assert.Contains("did you mean 'wiki'", Assert.Throws<UserException>(() => Prepare(new MixOptions { Weights = new Dictionary<string, double> { ["wikki"] = 1 } })).Message, StringComparison.Ordinal);
        Assert.Contains("no such file", Assert.Throws<UserException>(() => Prepare(new MixOptions { Order = MixOrder.Curriculum, Difficulty = Difficulty.Perplexity, Reference = _folder.File("none") })).Message, StringComparison.Ordinal);
    }
}

using System.Text;
using Gradus.Foundation.Files;
using Gradus.Text.Data;
using Gradus.Text.Data.Dedup;
using Gradus.Text.Data.Pipeline;
using Gradus.Tests.Text.Data.Pipeline;

namespace Gradus.Tests.Text.Data.Dedup;

public sealed class NearDedupTests(ITestOutputHelper output) : IDisposable
{
    private readonly PipelineFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>A text with some of its words changed, spread over it: the more, the less alike.</summary>
    private static string Changed(string text, int count, ulong seed)
    {
        var (draws, words) = (new Counter(seed, "changes"), text.Split(' '));
        for (var i = 0; i < count; i++)
            words[(int)((i + draws.Unit((ulong)i)) * words.Length / count)] = $"other{draws.Below((ulong)i + 100_000, 1000)}";
        return string.Join(' ', words);
    }

    [Fact]
    [Row("B3")]
    public void Recall_and_precision_against_brute_force_are_at_least_95_in_100()
    {
        // 300 originals, each with a copy in which 0 to 6 % of the words are others: similarities on both sides of 0.8.
        var originals = Enumerable.Range(0, 300).Select(i => Steps.StepRun.Prose(150 + i % 200, (ulong)i + 1)).ToList();
        var copies = originals.Select((t, i) => Changed(t, t.Split(' ').Length * 6 * i / 30_000, (ulong)i)).ToList();
        _folder.Write("a.jsonl", originals);
        _folder.Write("b.jsonl", copies);
        var all = originals.Concat(copies).ToList();
        var shingles = new Shingles(5);
        var sets = all.Select(t => shingles.SetOf(Encoding.UTF8.GetBytes(t))).ToList();
        var (near, similar) = (new HashSet<(int, int)>(), 0);
        for (var i = 0; i < all.Count; i++)
            for (var j = i + 1; j < all.Count; j++)
            {
                var jaccard = Shingles.Jaccard(sets[i], sets[j]);
                similar += jaccard is > 0.5 and < 0.8 ? 1 : 0;
                if (jaccard >= 0.8)
                    near.Add((i, j));
            }

        Assert.True(near.Count > 80 && similar > 60, $"{near.Count} pairs over 0.8 and {similar} below it: too few to prove anything");
        int Number(string origin) => int.Parse(origin[(origin.LastIndexOf(':') + 1)..], System.Globalization.CultureInfo.InvariantCulture) - 1 + (origin.Contains("b.jsonl", StringComparison.Ordinal) ? 300 : 0);
        HashSet<(int, int)> Found(NearDedup step, string name) => [.. PipelineFolder.Dropped(_folder.Prepare(_folder.Options(step), name)).Select(d => (Number(d.GetProperty("detail").GetString()!["as ".Length..]), Number(d.GetProperty("origin").GetString()!)))];
        var found = Found(new NearDedup(), "out");
        var (recall, precision) = ((double)found.Count(near.Contains) / near.Count, (double)found.Count(near.Contains) / found.Count);
        output.WriteLine($"{near.Count} pairs at 0.8 or more: recall {recall:F3}, precision {precision:F3}");
        Assert.True(recall >= 0.95 && precision >= 0.95);

        // Without the comparison, as FineWeb did it, precision falls; with one band, recall does.
        var unseen = Found(new NearDedup { Similarity = 0 }, "unseen");
        output.WriteLine($"unseen candidates: recall {(double)unseen.Count(near.Contains) / near.Count:F3}, precision {(double)unseen.Count(near.Contains) / unseen.Count:F3}");
        Assert.True((double)unseen.Count(near.Contains) / unseen.Count < 0.95);
        Assert.True((double)Found(new NearDedup { Bands = 1 }, "one").Count(near.Contains) / near.Count < 0.9);
    }

    [Fact]
    [Row("B3")]
    public void The_first_of_a_cluster_stays_and_chains_are_one_cluster()
    {
        var text = Steps.StepRun.Prose(200, 9);
        // Each a little further from the first; the last is near only to the one before.
        var chain = Enumerable.Range(0, 4).Aggregate(new List<string> { text }, (list, i) => [.. list, Changed(list[^1], 2, (ulong)i + 1)]);
        _folder.Write("a.jsonl", Steps.StepRun.Prose(200, 1), chain[2], chain[0]);
        _folder.Write("b.jsonl", chain[1], chain[3], chain[4], Steps.StepRun.Prose(200, 2), "", "§§§ !!!");
        var dataset = _folder.Prepare(_folder.Options(new NearDedup { Bands = 40, Rows = 4 }));
        Assert.Equal([Steps.StepRun.Prose(200, 1), chain[2], Steps.StepRun.Prose(200, 2), "§§§ !!!"], PipelineFolder.Texts(dataset));
        Assert.All(PipelineFolder.Dropped(dataset), d => Assert.EndsWith("a.jsonl:2", d.GetProperty("detail").GetString(), StringComparison.Ordinal));
        Assert.Equal(1, dataset.Report().Notes["1 near-dedup"]["clusters"]);
    }

    [Fact]
    [Row("B3")]
    public void Case_punctuation_and_spacing_do_not_count_and_short_texts_are_compared_whole()
    {
        _folder.Write("a.jsonl", "Hello, World!", "hello   world", "hello there", "我喜歡吃蘋果和香蕉。", "我喜歡吃蘋果和香蕉");
        Assert.Equal(["Hello, World!", "hello there", "我喜歡吃蘋果和香蕉。"], PipelineFolder.Texts(_folder.Prepare(_folder.Options(new NearDedup()))));
        var shingles = new Shingles(2);
        Assert.Equal(8, shingles.SetOf("我喜歡吃蘋果和香蕉"u8).Length); // a character is a word
    }

    [Fact]
    [Row("B6")]
    public void A_split_never_separates_near_duplicates_and_a_naive_one_does()
    {
        var texts = Enumerable.Range(0, 150).Select(i => Steps.StepRun.Prose(120, (ulong)i + 1)).ToList();
        var copies = texts.Select((t, i) => Changed(t, 2, (ulong)i)).ToList();
        _folder.Write("a.jsonl", texts);
        _folder.Write("b.jsonl", copies);
        var together = new NearDedup { Similarity = 0.5, Action = NearAction.KeepTogether, Bands = 40, Rows = 3 };
        var options = _folder.Options(together) with { Split = new SplitOptions { Validation = 0.2, Test = 0.2 } };
        int Separated(TextDataset dataset)
        {
            var of = new[] { "train", "validation", "test" }.SelectMany(s => PipelineFolder.Texts(dataset, s).Select(t => (t, s))).ToDictionary(x => x.t, x => x.s, StringComparer.Ordinal);
            Assert.Equal(300, of.Count);
            return texts.Zip(copies).Count(pair => of[pair.First] != of[pair.Second]);
        }

        var kept = _folder.Prepare(options);
        Assert.Equal(0, Separated(kept));
        Assert.Equal(150, kept.Report().Steps[0].Rules["kept-together"].Edits);
        var naive = Separated(_folder.Prepare(options with { Steps = [] }, "naive"));
        output.WriteLine($"a naive split separates {naive} of 150 pairs");
        Assert.True(naive > 40);

        // Appending moves nobody, not even with near-duplicates of what was there.
        string[] Names(TextDataset d, string s) => [.. PipelineFolder.Texts(d, s).Where(t => texts.Contains(t) || copies.Contains(t)).Order(StringComparer.Ordinal)];
        _folder.Write("c.jsonl", texts.Select((t, i) => Changed(t, 2, (ulong)i + 999)).Concat(Enumerable.Range(0, 100).Select(i => Steps.StepRun.Prose(120, (ulong)i + 5000))));
        var grown = _folder.Prepare(options, "grown");
        foreach (var split in new[] { "train", "validation", "test" })
            Assert.Equal(Names(kept, split), Names(grown, split));
    }
}

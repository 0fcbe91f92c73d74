using Gradus.Foundation.Files;
using Gradus.Text.Data;
using Gradus.Text.Data.Dedup;
using Gradus.Text.Data.Steps;
using Gradus.Tests.Text.Data.Pipeline;

namespace Gradus.Tests.Text.Data.Dedup;

public sealed class SemanticDedupTests(ITestOutputHelper output) : IDisposable
{
    private readonly PipelineFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>The same words in another order, one in sixteen left out.</summary>
    private static string InOtherWords(string text, ulong seed)
    {
        var (draws, words) = (new Counter(seed, "order"), text.Split(' '));
        return string.Join(' ', words.Select((w, i) => (Word: w, Draw: draws.Unit((ulong)i))).Where((_, i) => i % 16 != 7).OrderBy(x => x.Draw).Select(x => x.Word));
    }

    private (int Found, int Wrong) Dropped(GlobalStep step, string name)
    {
        var dropped = PipelineFolder.Dropped(_folder.Prepare(_folder.Options(step), name)).Select(d => (Origin: d.GetProperty("origin").GetString()!, Kept: d.GetProperty("detail").GetString()!)).ToList();
        static string Number(string place) => place[(place.LastIndexOf(':') + 1)..];
        var right = dropped.Count(d => d.Origin.Contains("b.jsonl", StringComparison.Ordinal) && d.Kept.Contains("a.jsonl", StringComparison.Ordinal) && Number(d.Origin) == Number(d.Kept));
        return (right, dropped.Count - right);
    }

    [Fact]
    [Row("B3")]
    public void Texts_of_the_same_words_in_another_order_are_found_where_n_grams_find_nothing()
    {
        // 200 texts of their own, and each again in other words; 100 more that are like none.
        var originals = Enumerable.Range(0, 200).Select(i => Steps.StepRun.Prose(120 + i, (ulong)i + 1)).ToList();
        _folder.Write("a.jsonl", originals);
        _folder.Write("b.jsonl", [.. originals.Select((t, i) => InOtherWords(t, (ulong)i)), .. Enumerable.Range(0, 100).Select(i => Steps.StepRun.Prose(150, (ulong)i + 1000))]);
        var (found, wrong) = Dropped(new SemanticDedup { Similarity = 0.9 }, "out");
        output.WriteLine($"{found} of 200 found, {wrong} others dropped");
        Assert.InRange(found, 190, 200);
        Assert.InRange(wrong, 0, 5);
        // The controls: n-grams see nothing alike, and too high a bar lets all through.
        Assert.Equal((0, 0), Dropped(new NearDedup(), "near"));
        Assert.Equal((0, 0), Dropped(new SemanticDedup { Similarity = 1 }, "high"));
    }

    [Fact]
    [Row("B3")]
    public void Texts_of_one_pattern_with_other_names_stay_and_texts_without_words_are_like_nothing()
    {
        _folder.Write("a.jsonl", [.. Enumerable.Range(0, 60).Select(i => $"The town of Name{i} lies on the river Stream{i} and was founded by Person{i} in the year {1200 + i}."), "", "!!!", "???"]);
        Assert.DoesNotContain(PipelineFolder.Dropped(_folder.Prepare(_folder.Options(new SemanticDedup()), "out")), d => d.GetProperty("rule").GetString() == "semantic-duplicate");
    }

    [Fact]
    [Row("B3")]
    public void With_vectors_of_a_file_synonyms_are_one_meaning_and_a_file_that_is_none_is_one_line()
    {
        // Every word of the prose, and a synonym of each with the same vector.
        string[] words = [.. Enumerable.Range(0, 20).SelectMany(i => Steps.StepRun.Prose(200, (ulong)i).ToLowerInvariant().Split(' ').Select(w => w.TrimEnd('.'))).Distinct().Order(StringComparer.Ordinal)];
        var draws = new Counter(5, "vectors");
        File.WriteAllLines(_folder.File("vectors.txt"), words.Select((w, i) => (w, i)).SelectMany(x => new[] { x.w, x.w + "ish" }.Select(name => name + " " + string.Join(' ', Enumerable.Range(0, 50).Select(d => (draws.Unit((ulong)(x.i * 50 + d)) - 0.5).ToString("F4", System.Globalization.CultureInfo.InvariantCulture))))));
        var originals = Enumerable.Range(0, 40).Select(i => Steps.StepRun.Prose(100, (ulong)i + 1)).ToList();
        _folder.Write("a.jsonl", originals);
        _folder.Write("b.jsonl", originals.Select(t => string.Join(' ', t.Split(' ').Select(w => w.EndsWith('.') ? w[..^1] + "ish." : w + "ish"))));
        Assert.Equal((40, 0), Dropped(new SemanticDedup { Vectors = _folder.File("vectors.txt") }, "out"));
        Assert.Equal((0, 0), Dropped(new SemanticDedup(), "own")); // the control: their own vectors know nothing of synonyms
        File.WriteAllText(_folder.File("vectors.txt"), "the 0.1 x 0.3\n");
        Assert.Contains("vectors.txt:1: 'x' is not a number", Assert.Throws<UserException>(() => Dropped(new SemanticDedup { Vectors = _folder.File("vectors.txt") }, "bad")).Message, StringComparison.Ordinal);
        File.WriteAllBytes(_folder.File("vectors.txt"), [0xff, 0xfe, 0x20, 0xff]);
        Assert.Contains("vectors.txt", Assert.Throws<UserException>(() => Dropped(new SemanticDedup { Vectors = _folder.File("vectors.txt") }, "binary")).Message, StringComparison.Ordinal);
        Assert.Contains("none.txt", Assert.Throws<UserException>(() => Dropped(new SemanticDedup { Vectors = _folder.File("none.txt") }, "none")).Message, StringComparison.Ordinal);
    }

    [Fact]
    [Row("B3")]
    public void One_and_four_workers_decide_alike()
    {
        var texts = Enumerable.Range(0, 50).Select(i => Steps.StepRun.Prose(100, (ulong)i + 1)).ToList();
        _folder.Write("a.jsonl", [.. texts, .. texts.Select((t, i) => InOtherWords(t, (ulong)i))]);
        var step = new SemanticDedup { Similarity = 0.9 };
        Assert.Equal(PipelineFolder.Texts(_folder.Prepare(_folder.Options(step), "one", new PrepareRun { Workers = 1 })), PipelineFolder.Texts(_folder.Prepare(_folder.Options(step), "four", new PrepareRun { Workers = 4 })));
    }
}

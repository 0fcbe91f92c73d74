using Gradus.Foundation.Files;
using Gradus.Text.Data.Dedup;
using Gradus.Text.Data.Sources;
using Gradus.Tests.Text.Data.Pipeline;

namespace Gradus.Tests.Text.Data.Dedup;

public sealed class DecontaminateTests(ITestOutputHelper output) : IDisposable
{
    private readonly PipelineFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private Decontaminate Against(params string[] items)
    {
        File.WriteAllLines(_folder.File("eval.txt"), items);
        return new Decontaminate { Against = [new TextSource { Path = _folder.File("eval.txt"), Documents = TextUnit.Line }] };
    }

    [Fact]
    [Row("B3")]
    public void Every_planted_item_of_real_benchmarks_is_found_and_clean_text_stays()
    {
        var items = new JsonlSource { Path = Repo.SharedData("eval-gsm8k/train.jsonl.xz"), Field = "question" };
        var questions = items.Read(new SourceReport()).Take(400).Select(d => System.Text.Encoding.UTF8.GetString(d.Utf8.Span)).ToList();
        // Planted in the middle of other text; every second one in other case and spacing.
        var planted = questions.Select((q, i) => Steps.StepRun.Prose(80, (ulong)i + 1) + "\n\n" + (i % 2 == 0 ? q : q.ToUpperInvariant().Replace(" ", "\n ", StringComparison.Ordinal)) + "\n\n" + Steps.StepRun.Prose(80, (ulong)i + 5000)).ToList();
        _folder.Write("a.jsonl", planted);
        _folder.Write("b.jsonl", Enumerable.Range(0, 400).Select(i => Steps.StepRun.Prose(300, (ulong)i + 20_000)));
        var dataset = _folder.Prepare(_folder.Options(new Decontaminate { Against = [items] }));
        var found = PipelineFolder.Dropped(dataset);
        output.WriteLine($"{found.Count(d => d.GetProperty("origin").GetString()!.Contains("a.jsonl", StringComparison.Ordinal))} of {planted.Count} planted items found; {found.Count(d => d.GetProperty("origin").GetString()!.Contains("b.jsonl", StringComparison.Ordinal))} of 400 clean documents dropped");
        Assert.Equal(planted.Count, found.Count);
        Assert.All(found, d => Assert.Contains("a.jsonl", d.GetProperty("origin").GetString()!));
        // Which item, and where.
        var first = found[0].GetProperty("detail").GetString()!;
        Assert.Contains("train.jsonl.xz:1 at byte ", first);
        Assert.InRange(int.Parse(first[(first.LastIndexOf(' ') + 1)..], System.Globalization.CultureInfo.InvariantCulture), Steps.StepRun.Prose(80, 1).Length, planted[0].Length);
        Assert.Equal(400, dataset.Report().Kept);
        Assert.Equal(7473, dataset.Report().Notes["1 decontaminate"]["items"]);
    }

    [Fact]
    [Row("B3")]
    public void Real_books_do_not_hold_the_benchmark()
    {
        // The negative control on real text: the novel is not in a set of school mathematics.
        var step = new Decontaminate { Against = [new JsonlSource { Path = Repo.SharedData("eval-gsm8k/train.jsonl.xz"), Field = "question" }] };
        var options = _folder.Options(step) with { Sources = [new TextSource { Path = Repo.SharedData("moby-dick/moby-dick.txt"), Documents = TextUnit.Passage }] };
        Assert.Empty(PipelineFolder.Dropped(_folder.Prepare(options)));
    }

    [Theory]
    [InlineData("w01 w02 w03 w04 w05 w06 w07 w08 w09 w10 w11 w12 w13", "13-gram")]
    [InlineData("W01, w02... w03 w04 w05 W06 w07 w08 (w09) w10 w11 w12: w13", "13-gram")]
    [InlineData("w01 w02 w03 w04 w05 w06 w07 w08 w09 w10 w11 w12", null)] // twelve
    [InlineData("w01 w02 w03 w04 w05 w06 other w07 w08 w09 w10 w11 w12 w13 w14", null)]
    [InlineData("w02 w03 w04 w05 w06 w07 w08 w09 w10 w11 w12 w13 w14", "13-gram")]
    [Row("B3")]
    public void Thirteen_words_in_a_row_are_a_find_and_twelve_are_not(string text, string? rule) =>
        Assert.Equal(rule, Steps.StepRun.Of(Against("w01 w02 w03 w04 w05 w06 w07 w08 w09 w10 w11 w12 w13 w14") with { Substring = 0 }, "before it " + text + " after it").Rule);

    [Fact]
    [Row("B3")]
    public void Fifty_letters_in_a_row_are_a_find_and_forty_nine_are_not()
    {
        var item = string.Concat(Enumerable.Range(0, 10).Select(i => $"abc{i}xyz{9 - i}"));
        var step = Against(item) with { NGram = 0 };
        Assert.Equal("substring", Steps.StepRun.Of(step, "Say " + item[7..57] + " now").Rule);
        Assert.Equal("substring", Steps.StepRun.Of(step, "Say " + item[7..30].ToUpperInvariant() + ", - " + item[30..57] + " now").Rule);
        Assert.Null(Steps.StepRun.Of(step, "Say " + item[7..56] + "!q").Rule);
        Assert.Equal($"{_folder.File("eval.txt")}:1 at byte 4", Steps.StepRun.Of(step, "Say " + item[7..57]).Detail);
    }

    [Fact]
    [Row("B3")]
    public void Short_items_are_looked_for_whole_and_the_shortest_are_counted()
    {
        var step = Against("What is the capital city of Peru today?", "Yes", "Who wrote it?") with { Substring = 0 };
        Assert.Equal("whole-item", Steps.StepRun.Of(step, "He asked: what is the capital city of Peru today, and left.").Rule);
        Assert.Null(Steps.StepRun.Of(step, "He asked what is the capital city of Chile today. Yes. Who wrote it?").Rule);
        _folder.Write("a.jsonl", "text");
        Assert.Equal(2, _folder.Prepare(_folder.Options(step)).Report().Notes["1 decontaminate"]["items-too-short-to-look-for"]);
    }

    [Fact]
    public void Counting_drops_nothing_and_other_items_make_the_cache_stale()
    {
        var step = Against("w01 w02 w03 w04 w05 w06 w07 w08 w09 w10 w11 w12 w13") with { Action = ContaminationAction.Count };
        _folder.Write("a.jsonl", "w01 w02 w03 w04 w05 w06 w07 w08 w09 w10 w11 w12 w13", "clean");
        var counted = _folder.Prepare(_folder.Options(step)).Report();
        Assert.Equal((2, 1), (counted.Kept, counted.Steps[0].Rules["13-gram"].Edits));
        Assert.Throws<UserException>(() => _folder.Prepare(_folder.Options(Against("nothing of the kind is in there at all") with { Action = ContaminationAction.Count })));
    }
}

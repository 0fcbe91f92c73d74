using System.Text.Json.Nodes;
using Gradus.Foundation.Files;
using Gradus.Text.Data;
using Gradus.Text.Data.Dedup;
using Gradus.Text.Data.Pipeline;
using Gradus.Text.Data.Sources;
using Gradus.Text.Data.Steps;

namespace Gradus.Tests.Text.Data.Pipeline;

public sealed class PipelineTests : IDisposable
{
    private readonly PipelineFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static DataStep[] AllSorts => [new UnicodeRepair(), new Whitespace(), new GopherQuality { MinStopWords = 0 }, new ExactDedup(), new PiiStep(), new ExactDedup { By = DedupUnit.Paragraph }, new NearDedup { Similarity = 0.7 }, new Length { MinWords = 20 }];

    private DataOptions Options => _folder.Options(AllSorts) with { Split = new SplitOptions { Validation = 0.1, Test = 0.1 }, Output = new TextOutputOptions { ShardBytes = 20_000 } };

    private void Prepare(string name, PrepareRun? run = null) => TextDataset.Prepare(Options, _folder.File(name), run);

    [Fact]
    [Row("B8")]
    public void The_dataset_is_the_same_bytes_whatever_the_number_of_workers()
    {
        _folder.WriteMixed();
        var prints = new[] { 1, 2, 4 }.Select(workers =>
        {
            Prepare($"out-{workers}", new PrepareRun { Workers = workers });
            return PipelineFolder.Fingerprint(_folder.File($"out-{workers}"));
        }).Distinct().ToList();
        Assert.Contains("train/shard-00001.jsonl.zst", Assert.Single(prints));
    }

    [Fact]
    [Row("B8")]
    public void The_size_of_partitions_decides_when_work_is_saved_not_what_comes_out()
    {
        _folder.WriteMixed();
        var options = _folder.Options(AllSorts);
        var texts = new[] { 1L, 20_000, 1L << 30 }.Select((bytes, i) => PipelineFolder.Texts(_folder.Prepare(options with { PartitionBytes = bytes }, $"out-{i}"))).ToList();
        Assert.Equal(texts[0], texts[1]);
        Assert.Equal(texts[0], texts[2]);
    }

    [Fact]
    [Row("B8")]
    public void Shards_that_work_apart_and_a_merge_make_the_bytes_of_one_process()
    {
        _folder.WriteMixed();
        Prepare("alone");
        var run = new PrepareRun { Work = _folder.File("shared") };
        // In any order; and the merge refuses while a part of the first stage is missing.
        foreach (var i in new[] { 3, 1, 4 })
            Assert.False(TextDataset.PrepareShard(Options, _folder.File("merged"), new Shard(i, 4), run).Done);
        var missing = Assert.Throws<UserException>(() => TextDataset.Merge(Options, _folder.File("merged"), run)).Message;
        Assert.Contains("partition 2 of 6", missing);
        Assert.Contains("part-1.jsonl", missing);
        TextDataset.PrepareShard(Options, _folder.File("merged"), new Shard(2, 4), run);
        // The second round: every shard finds the first decision and goes on.
        Assert.False(TextDataset.PrepareShard(Options, _folder.File("merged"), new Shard(1, 4), run).Done);
        TextDataset.Merge(Options, _folder.File("merged"), run);
        Assert.Equal(PipelineFolder.Fingerprint(_folder.File("alone")), PipelineFolder.Fingerprint(_folder.File("merged")));
    }

    [Fact]
    [Row("B8")]
    public void Shards_that_wait_for_each_other_finish_without_a_merge()
    {
        _folder.WriteMixed();
        var run = new PrepareRun { Work = _folder.File("shared") };
        for (var round = 0; round < 8; round++)
        {
            var states = new[] { 1, 2 }.Select(i => TextDataset.PrepareShard(Options, _folder.File("out"), new Shard(i, 2), run)).ToList();
            if (!states[1].Done)
                continue;
            Prepare("alone");
            TextDataset.Merge(Options, _folder.File("out"), run);
            Assert.Equal(PipelineFolder.Fingerprint(_folder.File("alone")), PipelineFolder.Fingerprint(_folder.File("out")));
            return;
        }

        Assert.Fail("never done");
    }

    [Theory]
    [InlineData("pipeline.batch#2")]
    [InlineData("pipeline.batch#9")]
    [InlineData("pipeline.part")]
    [InlineData("pipeline.part#4")]
    [InlineData("pipeline.part-done#7")]
    [InlineData("pipeline.decision")]
    [InlineData("pipeline.decision#2")]
    [InlineData("pipeline.decision-done#3")]
    [InlineData("pipeline.output")]
    [InlineData("durable.publish#3")]
    [InlineData("durable.fsync#11")]
    [Row("B8")]
    public void A_run_that_dies_anywhere_and_starts_again_makes_the_same_bytes(string place)
    {
        _folder.WriteMixed();
        Prepare("whole");
        using (var child = Children.Start("prepare-pipeline", new Dictionary<string, string> { ["GRADUS_FAILPOINT"] = place + ":kill" }, _folder.Path))
        {
            child.WaitForExit();
            Assert.Equal(128 + 9, child.ExitCode);
        }

        Assert.False(Directory.Exists(_folder.File("killed")));
        Prepare("killed");
        Assert.Equal(PipelineFolder.Fingerprint(_folder.File("whole")), PipelineFolder.Fingerprint(_folder.File("killed")));
        Assert.False(Directory.Exists(_folder.File("killed.building")));
        Assert.Empty(Directory.GetDirectories(_folder.File("killed.work"), "tmp-*"));
    }

    /// <summary>The process that is killed.</summary>
    internal static int Child(string[] args)
    {
        var options = new DataOptions { Sources = [new JsonlSource { Path = Path.Combine(args[0], "*.jsonl") }], Steps = AllSorts, PartitionBytes = 1, Split = new SplitOptions { Validation = 0.1, Test = 0.1 }, Output = new TextOutputOptions { ShardBytes = 20_000 } };
        TextDataset.Prepare(options, Path.Combine(args[0], "killed"), new PrepareRun { Workers = 2 });
        return 0;
    }

    [Fact]
    [Row("B8")]
    public void What_was_finished_is_not_done_again_and_other_options_redo_only_what_follows()
    {
        _folder.WriteMixed();
        var seen = new List<string>();
        PrepareRun Run() => new() { Work = _folder.File("work"), Workers = 1, Progress = p => { if (p.Stage.StartsWith("stage", StringComparison.Ordinal)) seen.Add(p.Stage); } };
        TextDataset.Prepare(Options, _folder.File("a"), Run());
        Assert.Equal(["stage 1 of 4", "stage 2 of 4", "stage 3 of 4", "stage 4 of 4"], seen.Distinct());
        seen.Clear();
        TextDataset.Prepare(Options, _folder.File("b"), Run());
        Assert.Empty(seen);
        TextDataset.Prepare(Options with { Steps = [.. AllSorts[..^1], new Length { MinWords = 30 }] }, _folder.File("c"), Run());
        Assert.Equal(["stage 4 of 4"], seen.Distinct());
        seen.Clear();
        File.AppendAllText(_folder.File("part-5.jsonl"), "{\"text\": \"" + Steps.StepRun.Prose(80, 4242) + "\"}\n");
        TextDataset.Prepare(Options with { Steps = AllSorts[..4] }, _folder.File("d"), Run());
        Assert.Equal(1, seen.Count(s => s == "stage 1 of 2")); // one file of six
    }

    [Fact]
    [Row("B2")]
    public void Every_document_is_kept_or_counted_under_a_rule_with_examples()
    {
        _folder.WriteMixed();
        var dataset = _folder.Prepare(_folder.Options(AllSorts));
        var report = dataset.Report();
        Assert.Equal(240, report.Read);
        Assert.Equal(AllSorts.Select((s, i) => $"{i + 1} {Gradus.Foundation.Recipes.Components.KindOf(s.GetType())}"), report.Steps.Select(s => s.Step));
        var left = report.Read;
        foreach (var step in report.Steps)
        {
            Assert.Equal(left, step.In);
            left = step.In - step.Rules.Values.Sum(r => r.Documents);
            Assert.Equal(left, step.Kept);
        }

        Assert.Equal(left, report.Kept);
        Assert.Equal(PipelineFolder.Texts(dataset).Count, report.Kept);
        var dropped = PipelineFolder.Dropped(dataset);
        Assert.Equal(report.Read - report.Kept, dropped.Count);
        // The rows and the counts are two tellings of one thing.
        foreach (var step in report.Steps)
            foreach (var (rule, counts) in step.Rules.Where(r => r.Value.Documents > 0))
            {
                Assert.Equal(counts.Documents, dropped.Count(d => d.GetProperty("step").GetString() == step.Step && d.GetProperty("rule").GetString() == rule));
                Assert.Equal(Math.Min(3, counts.Documents), counts.Examples.Count);
            }

        Assert.True(report.Steps.Single(s => s.Step == "3 gopher-quality").Rules["too-few-words"].Documents > 5);
        Assert.True(report.Steps.Single(s => s.Step == "4 exact-dedup").Rules["duplicate"].Documents > 5);
        Assert.True(report.Steps.Single(s => s.Step == "7 near-dedup").Rules["near-duplicate"].Documents > 0);
        Assert.True(report.Steps.Single(s => s.Step == "5 pii").Rules["email"].Edits > 5);
        Assert.DoesNotContain("someone@example.org", File.ReadAllText(Path.Combine(dataset.Folder, "report.json")), StringComparison.Ordinal);
        Assert.Contains("part-", report.Steps[2].Rules["too-few-words"].Examples[0].Origin, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("kept")]
    [InlineData("in")]
    [InlineData("read")]
    [InlineData("documents")]
    [Row("B2")]
    public void Totals_that_do_not_add_up_are_a_fault(string what)
    {
        // The negative control of the proof: a part whose counts were tampered with is found.
        _folder.WriteMixed(60);
        var options = _folder.Options(new Length { MinWords = 20 });
        var run = new PrepareRun { Work = _folder.File("work") };
        TextDataset.Prepare(options, _folder.File("a"), run);
        var counts = Path.Combine(Directory.GetDirectories(_folder.File("work"), "stage-1-part-00002-*").Single(), "counts.json");
        var json = JsonNode.Parse(File.ReadAllText(counts))!;
        var node = what is "read" ? json : what == "documents" ? json["steps"]![0]!["rules"]!["too-few-words"] : json["steps"]![0];
        node![what] = node[what]!.GetValue<long>() + 1;
        File.WriteAllText(counts, json.ToJsonString());
        Assert.Contains("step 1 length", Assert.Throws<InvalidOperationException>(() => TextDataset.Prepare(options, _folder.File("b"), run)).Message);
    }

    [Fact]
    public void Damage_to_a_finished_part_is_found_when_it_is_read()
    {
        _folder.WriteMixed(60);
        var options = _folder.Options(new Length());
        var run = new PrepareRun { Work = _folder.File("work") };
        TextDataset.Prepare(options, _folder.File("a"), run);
        var path = Path.Combine(Directory.GetDirectories(_folder.File("work"), "stage-1-part-00001-*").Single(), "documents");
        var good = File.ReadAllBytes(path);
        foreach (var at in new[] { 3, 9, 13, good.Length / 2, good.Length - 30, good.Length - 12 })
        {
            var bad = good.ToArray();
            bad[at] ^= 4;
            File.WriteAllBytes(path, bad);
            Assert.Contains("is damaged", Assert.Throws<UserException>(() => TextDataset.Prepare(options, _folder.File("b"), run)).Message);
        }

        foreach (var cut in new[] { 8, good.Length / 2, good.Length - 1 })
        {
            File.WriteAllBytes(path, good[..cut]);
            Assert.Contains("is damaged", Assert.Throws<UserException>(() => TextDataset.Prepare(options, _folder.File("b"), run)).Message);
        }

        Assert.False(Directory.Exists(_folder.File("b")));
    }

    [Fact]
    public void Meta_data_split_and_origin_come_through_every_stage()
    {
        File.WriteAllText(_folder.File("a.jsonl"), "{\"text\": \"one\"}\n{\"text\": \"two\"}\n");
        File.WriteAllText(_folder.File("b.jsonl"), "{\"text\": \"three\"}\n");
        var options = _folder.Options(new Mark(), new ExactDedup(), new Limit { Documents = 2 }, new Length()) with { Sources = [new JsonlSource { Path = _folder.File("a.jsonl"), Split = DataSplit.Test }, new JsonlSource { Path = _folder.File("b.jsonl") }] };
        var rows = _folder.Prepare(options).Record.Shards.SelectMany(s => File.ReadLines(Path.Combine(_folder.File("out"), s.Name))).ToList();
        Assert.Equal([$"{{\"text\":\"one!\",\"mark\":\"3\",\"origin\":\"{_folder.File("a.jsonl")}:1\"}}", $"{{\"text\":\"two!\",\"mark\":\"3\",\"origin\":\"{_folder.File("a.jsonl")}:2\"}}"], rows);
        Assert.True(Directory.Exists(_folder.File("out/test")));
        Assert.False(Directory.Exists(_folder.File("out/train")));
    }

    private sealed record Mark : LocalStep, IDocumentStep
    {
        public override IDocumentStep Build() => this;

        public void Apply(Draft draft)
        {
            draft.SetMeta("mark", draft.Text.Length.ToString(System.Globalization.CultureInfo.InvariantCulture));
            draft.Replace([.. draft.Text, (byte)'!']);
        }
    }

    private sealed record Broken(string How) : LocalStep, IDocumentStep
    {
        public Broken() : this("")
        {
        }

        public override IDocumentStep Build() => this;

        public void Apply(Draft draft)
        {
            if (How == "utf8") draft.Replace([0xC3]);
            else if (How == "empty") draft.Replace([]);
            else throw new FormatException("oops");
        }
    }

    [Theory]
    [InlineData("utf8")]
    [InlineData("empty")]
    [InlineData("throws")]
    public void A_step_that_breaks_is_named_with_the_document(string how)
    {
        _folder.Write("a.jsonl", "text");
        var message = Assert.Throws<InvalidOperationException>(() => _folder.Prepare(_folder.Options(new Broken(how)))).Message;
        Assert.Contains("step 1 Broken", message);
        Assert.Contains("a.jsonl:1", message);
        Assert.False(Directory.Exists(_folder.File("out")));
    }

    [Fact]
    public void A_source_that_changes_while_it_is_read_stops_the_run()
    {
        _folder.Write("a.jsonl", "text");
        var run = new PrepareRun { Progress = _ => File.SetLastWriteTimeUtc(_folder.File("a.jsonl"), File.GetLastWriteTimeUtc(_folder.File("a.jsonl")).AddSeconds(1)) };
        Assert.Contains("changed while it was read", Assert.Throws<UserException>(() => _folder.Prepare(_folder.Options(new Length()), run: run)).Message);
    }

    [Fact]
    public void Nothing_left_no_records_and_missing_files_are_one_clear_line()
    {
        File.WriteAllText(_folder.File("a.jsonl"), "\n");
        Assert.Contains("no records", Assert.Throws<UserException>(() => _folder.Prepare(_folder.Options(new Length()))).Message);
        _folder.Write("a.jsonl", "text");
        Assert.Contains("absent.txt", Assert.Throws<UserException>(() => _folder.Prepare(_folder.Options(new WordList { Path = "absent.txt" }))).Message);
        var nothing = _folder.Prepare(_folder.Options(new Length { MinCharacters = 100 }));
        Assert.Equal((1, 0), (nothing.Report().Read, nothing.Report().Kept));
        Assert.Empty(nothing.Record.Shards);
    }

    [Fact]
    [Row("B8")]
    public void Steps_and_a_tokenizer_make_token_shards_of_the_kept_documents()
    {
        _folder.WriteMixed();
        var options = Options;
        var texts = TextDataset.Prepare(options with { Output = new TextOutputOptions { Compression = TextCompression.None } }, _folder.File("text"));
        using var data = PreparedData.Prepare(options, new ByteTokenizer(), _folder.File("tokens"), new PrepareRun { Workers = 2 });
        foreach (var split in Enum.GetValues<DataSplit>())
            Assert.Equal(PipelineFolder.Texts(texts, split.ToString().ToLowerInvariant()), Enumerable.Range(0, (int)data[split].Documents).Select(d => Decode(data[split], d)));
        Assert.True(File.Exists(_folder.File("tokens/report.json")));
        using (var again = PreparedData.Prepare(options, new ByteTokenizer(), _folder.File("tokens")))
            Assert.True(again.CacheHit);
        Assert.Contains("other files, options", Assert.Throws<UserException>(() => PreparedData.Prepare(options with { Steps = AllSorts[..2] }, new ByteTokenizer(), _folder.File("tokens"))).Message);
    }

    private static string Decode(TokenStream tokens, long document)
    {
        var ids = new int[tokens.DocumentStart(document + 1) - tokens.DocumentStart(document)];
        tokens.CopyTo(tokens.DocumentStart(document), ids);
        return System.Text.Encoding.UTF8.GetString(ids[..^1].Select(i => (byte)i).ToArray());
    }
}

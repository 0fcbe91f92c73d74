using System.Text;
using Gradus.Foundation.Files;
using Gradus.Text.Data;
using Gradus.Text.Data.Sources;

namespace Gradus.Tests.Text.Data;

public sealed class PreparedDataTests : IDisposable
{
    private readonly TempFolder _temp = Repo.Temp();

    public void Dispose()
    {
        Failpoint.Arm(null);
        _temp.Dispose();
    }

    private DataOptions Options(int documents = 400)
    {
        var path = _temp.File("in.jsonl");
        if (!File.Exists(path))
            File.WriteAllLines(path, Enumerable.Range(0, documents).Select(i => $"{{\"text\": \"Document {i}: {new string((char)('a' + i % 26), i * 13 % 5000)} é\"}}"));
        return new DataOptions { Sources = [new JsonlSource { Path = path }], TokensPerShard = 50_000 };
    }

    /// <summary>Every file below a folder with its hash; what a byte-for-byte comparison needs.</summary>
    private static string Fingerprint(string folder) => string.Join('\n', Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
        .Order(StringComparer.Ordinal).Select(f => $"{Path.GetRelativePath(folder, f)} {Hashing.Sha256File(f)}"));

    private static string Decode(TokenStream tokens, long document)
    {
        var ids = new int[tokens.DocumentStart(document + 1) - tokens.DocumentStart(document)];
        tokens.CopyTo(tokens.DocumentStart(document), ids);
        Assert.Equal(256, ids[^1]);
        return Encoding.UTF8.GetString(ids[..^1].Select(i => (byte)i).ToArray());
    }

    [Theory]
    [InlineData(257)]
    [InlineData(70_000)] // four bytes a token
    [Row("B4", "B6")]
    public void Shards_give_back_every_document_in_its_split_and_order(int vocabSize)
    {
        var options = Options();
        using var data = PreparedData.Prepare(options, new ByteTokenizer(vocabSize: vocabSize), _temp.File("out"));
        var (documents, bytes) = (0L, 0L);
        foreach (var split in Enum.GetValues<DataSplit>())
        {
            var expected = options.Read(split).Select(d => Encoding.UTF8.GetString(d.Utf8.Span)).ToList();
            var shards = data[split];
            Assert.Equal(expected, Enumerable.Range(0, (int)shards.Documents).Select(d => Decode(shards, d)));
            Assert.Equal(expected.Sum(Encoding.UTF8.GetByteCount), shards.TextBytes);
            Assert.Equal(shards.TextBytes + shards.Documents, shards.Tokens);
            for (var d = 0; d < shards.Documents; d++)
            {
                Assert.Equal(d, shards.DocumentAt(shards.DocumentStart(d)));
                Assert.Equal(d, shards.DocumentAt(shards.DocumentStart(d + 1) - 1));
            }

            documents += shards.Documents;
            bytes += shards.TextBytes;
        }

        Assert.Equal((400, bytes), (documents, data.Record.TextBytes));
        Assert.True(Directory.GetFiles(Path.Combine(data.Folder, "train"), "shard-*").Length > 10, "many shards, so documents and windows cross their borders");
        Assert.Equal(vocabSize, data.Train.VocabSize);
    }

    [Fact]
    public void Windows_over_mapped_shards_are_windows_over_memory()
    {
        using var data = PreparedData.Prepare(Options(), new ByteTokenizer(), _temp.File("out"));
        var documents = Enumerable.Range(0, (int)data.Train.Documents).Select(d => (IReadOnlyList<int>)Encoding.UTF8.GetBytes(Decode(data.Train, d)).Select(b => (int)b).ToArray());
        using var memory = TokenStream.Of(documents, 257, 256);
        var options = new WindowOptions { Length = 999, DocumentMask = true };
        var (mapped, plain) = (new PackedWindows(data.Train, options, 5), new PackedWindows(memory, options, 5));
        for (var i = 0; i < 20; i++)
        {
            var (a, b) = (mapped.Batch(i, 8), plain.Batch(i, 8));
            Assert.Equal(b.Ids, a.Ids);
            Assert.Equal(b.Targets, a.Targets);
            Assert.Equal(b.Documents, a.Documents);
        }
    }

    [Fact]
    [Row("B8")]
    public void Shards_are_the_same_bytes_whatever_the_number_of_workers()
    {
        var prints = new[] { 1, 2, 7 }.Select(workers =>
        {
            using var data = PreparedData.Prepare(Options(), new ByteTokenizer(), _temp.File($"out{workers}"), new PrepareRun { Workers = workers });
            return Fingerprint(data.Folder);
        }).ToList();
        Assert.Single(prints.Distinct());
    }

    [Fact]
    [Row("B8")]
    public void The_same_data_again_is_a_hit_and_other_data_options_or_tokenizers_are_not()
    {
        var cache = _temp.File("cache");
        using (var first = PreparedData.PrepareCached(Options(), new ByteTokenizer(), cache))
            Assert.False(first.CacheHit);
        using (var second = PreparedData.PrepareCached(Options(), new ByteTokenizer(), cache, new PrepareRun { Workers = 3 }))
            Assert.True(second.CacheHit);
        File.Copy(_temp.File("in.jsonl"), _temp.File("copy.jsonl"));
        using (var moved = PreparedData.PrepareCached(Options() with { Sources = [new JsonlSource { Path = _temp.File("copy.jsonl") }] }, new ByteTokenizer(), cache))
            Assert.True(moved.CacheHit, "the name of a file is not its content");
        foreach (var other in new[] { Options() with { Split = new SplitOptions { Seed = 1 } }, Options() with { TokensPerShard = 49_999 }, Options() with { Sources = [.. Options().Sources, .. Options().Sources] } })
        {
            using var data = PreparedData.PrepareCached(other, new ByteTokenizer(), cache);
            Assert.False(data.CacheHit);
        }

        using (var tokenizer = PreparedData.PrepareCached(Options(), new ByteTokenizer(vocabSize: 300), cache))
            Assert.False(tokenizer.CacheHit);
        File.AppendAllText(_temp.File("in.jsonl"), "{\"text\": \"one more\"}\n");
        using (var grown = PreparedData.PrepareCached(Options(), new ByteTokenizer(), cache))
            Assert.False(grown.CacheHit);
        Assert.Equal(6, Directory.GetDirectories(cache).Length); // and no leftovers
    }

    [Theory]
    [InlineData("data.batch#2")]
    [InlineData("durable.fsync#3")]
    [InlineData("durable.publish")]
    public void A_preparation_that_dies_leaves_nothing_and_the_next_one_makes_the_same_bytes(string place)
    {
        string expected;
        using (var undisturbed = PreparedData.Prepare(Options(), new ByteTokenizer(), _temp.File("a")))
            expected = Fingerprint(undisturbed.Folder);
        Failpoint.Arm(place + ":eio");
        Assert.Throws<IOException>(() => PreparedData.Prepare(Options(), new ByteTokenizer(), _temp.File("b")));
        Assert.Equal(1, Failpoint.Fired);
        Failpoint.Arm(null);
        Assert.False(Directory.Exists(_temp.File("b")));
        // What a killed process leaves besides: a half-written folder under the building name.
        Directory.CreateDirectory(_temp.File("b.building/data/train"));
        File.WriteAllText(_temp.File("b.building/data/train/shard-00000.tokens"), "half");
        using var restarted = PreparedData.Prepare(Options(), new ByteTokenizer(), _temp.File("b"));
        Assert.Equal(expected, Fingerprint(restarted.Folder));
        Assert.False(Directory.Exists(_temp.File("b.building")));
    }

    [Fact]
    [Row("B8")]
    public void Killed_at_any_point_and_restarted_it_makes_the_same_bytes()
    {
        var options = Options();
        string expected;
        using (var undisturbed = PreparedData.Prepare(options, new ByteTokenizer(), _temp.File("a")))
            expected = Fingerprint(undisturbed.Folder);
        foreach (var place in new[] { "data.batch#1", "data.batch#3", "durable.fsync#5", "durable.publish" })
        {
            using var child = Children.Start("prepare-data", new Dictionary<string, string> { ["GRADUS_FAILPOINT"] = place + ":kill" }, _temp.Path);
            child.WaitForExit();
            Assert.Equal(128 + 9, child.ExitCode); // SIGKILL
            Assert.False(Directory.Exists(_temp.File("b")), place);
            Assert.True(Directory.Exists(_temp.File("b.building/data")), place);
        }

        using var restarted = PreparedData.Prepare(options, new ByteTokenizer(), _temp.File("b"));
        Assert.False(restarted.CacheHit);
        Assert.Equal(expected, Fingerprint(restarted.Folder));
        Assert.False(Directory.Exists(_temp.File("b.building")));
    }

    /// <summary>The process that is killed.</summary>
    internal static int Child(string[] args)
    {
        var options = new DataOptions { Sources = [new JsonlSource { Path = Path.Combine(args[0], "in.jsonl") }], TokensPerShard = 50_000 };
        using var data = PreparedData.Prepare(options, new ByteTokenizer(), Path.Combine(args[0], "b"));
        return 0;
    }

    [Fact]
    public void Damage_to_any_file_is_found_and_the_file_named()
    {
        using (PreparedData.Prepare(Options(), new ByteTokenizer(), _temp.File("out")))
        {
        }

        foreach (var name in new[] { "train/shard-00001.tokens", "validation/documents.offsets", "test/shard-00000.tokens" })
        {
            var path = _temp.File("out/" + name);
            var good = File.ReadAllBytes(path);
            var flipped = good.ToArray();
            flipped[good.Length / 2] ^= 8;
            foreach (var bad in new[] { flipped, good[..^1], [.. good, 0], [] })
            {
                File.WriteAllBytes(path, bad);
                Assert.Contains(name, Assert.ThrowsAny<UserException>(() => PreparedData.Open(_temp.File("out"))).Message);
            }

            File.Delete(path);
            Assert.Contains(name, Assert.ThrowsAny<UserException>(() => PreparedData.Open(_temp.File("out"))).Message);
            File.WriteAllBytes(path, good);
        }

        using (PreparedData.Open(_temp.File("out")))
        {
        }

        var manifest = _temp.File("out/train/manifest.json");
        var text = File.ReadAllText(manifest);
        foreach (var (from, to) in new[] { ("\"version\": 1", "\"version\": 9"), ("\"u16\"", "\"u8\""), ("shard-00000.tokens", "../../etc/passwd"), ("\"documents\": ", "\"documents\": 1"), ("\"split\"", "\"splat\""), ("{\n", "") })
        {
            Assert.Contains(from, text);
            File.WriteAllText(manifest, text.Replace(from, to, StringComparison.Ordinal));
            Assert.Contains("manifest.json", Assert.ThrowsAny<UserException>(() => PreparedData.Open(_temp.File("out"), verify: false)).Message);
        }
    }

    [Fact]
    public void Checking_hashes_can_be_left_out_but_not_sizes()
    {
        using (PreparedData.Prepare(Options(), new ByteTokenizer(), _temp.File("out")))
        {
        }

        var path = _temp.File("out/train/shard-00000.tokens");
        var bytes = File.ReadAllBytes(path);
        bytes[0] ^= 1;
        File.WriteAllBytes(path, bytes);
        using (PreparedData.Open(_temp.File("out"), verify: false))
        {
        }

        File.WriteAllBytes(path, bytes[..^2]);
        Assert.ThrowsAny<UserException>(() => PreparedData.Open(_temp.File("out"), verify: false));
    }

    [Fact]
    public void A_folder_that_holds_something_else_is_never_overwritten()
    {
        Directory.CreateDirectory(_temp.File("mine"));
        File.WriteAllText(_temp.File("mine/thesis.txt"), "years");
        Assert.Contains("name another folder", Assert.ThrowsAny<UserException>(() => PreparedData.Prepare(Options(), new ByteTokenizer(), _temp.File("mine"))).Message);
        using (PreparedData.Prepare(Options(), new ByteTokenizer(), _temp.File("out")))
        {
        }

        Assert.Contains("other files, options or another tokenizer", Assert.ThrowsAny<UserException>(() =>
            PreparedData.Prepare(Options(), new ByteTokenizer(vocabSize: 300), _temp.File("out"))).Message);
        Assert.Equal("years", File.ReadAllText(_temp.File("mine/thesis.txt")));
    }

    [Fact]
    [Row("B6")]
    public void Too_few_documents_for_a_split_is_one_clear_line_before_training()
    {
        File.WriteAllText(_temp.File("one.txt"), "Only one document.");
        var options = new DataOptions { Sources = [new TextSource { Path = _temp.File("one.txt") }] };
        var e = Assert.ThrowsAny<UserException>(() => PreparedData.Prepare(options, new ByteTokenizer(), _temp.File("out")));
        Assert.Contains("split is empty: 1 documents are too few", e.Message);
        Assert.False(Directory.Exists(_temp.File("out")));
        using var all = PreparedData.Prepare(options with { Split = new SplitOptions { Validation = 0, Test = 0 } }, new ByteTokenizer(), _temp.File("out"));
        Assert.Contains("validation split is empty", Assert.ThrowsAny<UserException>(() => all[DataSplit.Validation]).Message);
    }

    [Fact]
    [Row("B6")]
    public void A_source_can_prescribe_its_split()
    {
        File.WriteAllText(_temp.File("train.txt"), "Learn this.");
        File.WriteAllText(_temp.File("valid.txt"), "Look at this.");
        var options = new DataOptions
        {
            Sources = [new TextSource { Path = _temp.File("train.txt"), Split = DataSplit.Train }, new TextSource { Path = _temp.File("valid.txt"), Split = DataSplit.Validation }],
            Split = new SplitOptions { Test = 0 },
        };
        using var data = PreparedData.Prepare(options, new ByteTokenizer(), _temp.File("out"));
        Assert.Equal("Learn this.", Decode(data.Train, 0));
        Assert.Equal("Look at this.", Decode(data[DataSplit.Validation], 0));
        Assert.False(data.Has(DataSplit.Test));
    }

    [Fact]
    public void A_source_that_changes_while_it_is_read_stops_the_preparation()
    {
        var options = Options();
        var path = _temp.File("in.jsonl");
        var run = new PrepareRun { Progress = _ => File.SetLastWriteTimeUtc(path, File.GetLastWriteTimeUtc(path).AddSeconds(1)) };
        Assert.Contains("changed while it was read", Assert.ThrowsAny<UserException>(() => PreparedData.Prepare(options, new ByteTokenizer(), _temp.File("out"), run)).Message);
        Assert.False(Directory.Exists(_temp.File("out")));
    }

    [Fact]
    public void A_cut_source_leaves_no_dataset()
    {
        var path = Repo.SharedData("sotu/sotu.jsonl.gz");
        var bytes = File.ReadAllBytes(path);
        File.WriteAllBytes(_temp.File("cut.jsonl.gz"), bytes[..(bytes.Length / 2)]);
        var options = new DataOptions { Sources = [SourceOptions.FromPath(_temp.File("cut.jsonl.gz"))] };
        Assert.Contains("cut off", Assert.ThrowsAny<UserException>(() => PreparedData.Prepare(options, new ByteTokenizer(), _temp.File("out"))).Message);
        Assert.False(Directory.Exists(_temp.File("out")));
    }
}

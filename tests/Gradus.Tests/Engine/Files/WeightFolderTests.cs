using Gradus.Engine.Files;
using Gradus.Engine.Tensors;
using Gradus.Foundation.Files;

namespace Gradus.Tests.Engine.Files;

/// <summary>One file or many shards, and every way an index can lie (RELIABILITY SF7).</summary>
public sealed class WeightFolderTests : IDisposable
{
    private readonly TempFolder _folder = Repo.Temp();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1_000_000, 1)]
    [InlineData(100, 3)]
    [InlineData(1, 5)]
    [Row("I24")]
    public void Weights_round_trip_in_one_file_or_in_shards(long maxShardBytes, int files)
    {
        WeightFolder.Write(_folder.Path, Five(), new Dictionary<string, string> { ["format"] = "pt" }, maxShardBytes);
        Assert.Equal(files, Directory.GetFiles(_folder.Path, "*.safetensors").Length);
        Assert.Equal(files > 1, File.Exists(_folder.File(WeightFolder.IndexName)));
        using var weights = WeightFolder.Open(_folder.Path);
        Assert.Equal(5, weights.Entries.Count);
        Assert.Equal("pt", weights.Metadata["format"]);
        for (var i = 0; i < 5; i++)
        {
            var data = new byte[40];
            weights.Read($"t{i}", data);
            Assert.All(data, b => Assert.Equal(i + 1, b));
            Assert.Equal(data, weights.Map($"t{i}"));
            Assert.Equal(10, weights.Census($"t{i}").Count);
        }

        weights.RefuseNonFinite();
    }

    [Fact]
    public void The_index_lists_names_in_order_with_the_size_of_all()
    {
        WeightFolder.Write(_folder.Path, Five(), null, 100);
        Assert.Equal("""
            {
              "metadata": {
                "total_size": 200
              },
              "weight_map": {
                "t0": "model-00001-of-00003.safetensors",
                "t1": "model-00001-of-00003.safetensors",
                "t2": "model-00002-of-00003.safetensors",
                "t3": "model-00002-of-00003.safetensors",
                "t4": "model-00003-of-00003.safetensors"
              }
            }

            """.ReplaceLineEndings("\n"), File.ReadAllText(_folder.File(WeightFolder.IndexName)));
    }

    [Fact]
    public void Writing_over_a_model_leaves_only_the_new_one_even_when_it_is_the_source()
    {
        foreach (var size in new long[] { 100, 1000, 50, 100 })
        {
            if (!Directory.EnumerateFiles(_folder.Path).Any())
                WeightFolder.Write(_folder.Path, Five(), null, size);
            using var source = WeightFolder.Open(_folder.Path);
            WeightFolder.Write(_folder.Path, source.Entries.Values.Select(entry => new TensorContent(entry.Name, entry.DType, entry.Shape, stream => stream.Write(source.Map(entry.Name)))), null, size);
            using var saved = WeightFolder.Open(_folder.Path);
            Assert.Equal(5, saved.Entries.Count);
            Assert.Equal(5, saved.Map("t4")[39]);
            var expected = size switch { 1000 => 1, 50 => 6, _ => 4 };
            Assert.Equal(expected, Directory.GetFileSystemEntries(_folder.Path).Length);
        }
    }

    [Fact]
    public void A_single_file_and_an_index_can_be_named_directly()
    {
        WeightFolder.Write(_folder.Path, Five(), null, 100);
        using (var byIndex = WeightFolder.Open(_folder.File(WeightFolder.IndexName)))
            Assert.Equal(5, byIndex.Entries.Count);
        using var shard = WeightFolder.Open(_folder.File("model-00001-of-00003.safetensors"));
        Assert.Equal(2, shard.Entries.Count);
    }

    public static TheoryData<string, string, string, string> Lies => new()
    {
        { "missing shard", "\"model-00002-of-00003.safetensors\"", "\"model-00009-of-00009.safetensors\"", "shard 'model-00009-of-00009.safetensors' is missing" },
        { "shard above the folder", "\"model-00001-of-00003.safetensors\"", "\"../model.safetensors\"", "tensor 't0': shard '../model.safetensors' is outside the folder" },
        { "absolute shard", "\"model-00001-of-00003.safetensors\"", "\"/etc/passwd\"", "is outside the folder" },
        { "shard with a NUL", "\"model-00001-of-00003.safetensors\"", "\"a\\u0000.safetensors\"", "shard 'a\\u0000.safetensors' is outside" },
        { "the index as its own shard", "\"model-00001-of-00003.safetensors\"", "\"model.safetensors.index.json\"", "is not a .safetensors file" },
        { "a pickle as a shard", "\"model-00001-of-00003.safetensors\"", "\"pytorch_model.bin\"", "is not a .safetensors file" },
        { "a shard that is a number", "\"model-00001-of-00003.safetensors\"", "1", "its shard is not a file name" },
        { "wrong total size", "200", "199", "total_size is 199, but the tensors hold 200 bytes" },
        { "total size as text", "200", "\"200\"", "total_size is not a number" },
        { "one name twice", "\"t1\"", "\"t0\"", "duplicate key 't0'" },
        { "a tensor in another shard", "\"t4\": \"model-00003-of-00003.safetensors\"", "\"t4\": \"model-00001-of-00003.safetensors\"", "tensor 't4': is not in model-00001-of-00003.safetensors" },
        { "a tensor that is nowhere", "\"t4\"", "\"t4\": \"model-00003-of-00003.safetensors\", \"t5\"", "tensor 't5': is not in model-00003-of-00003.safetensors, nor in any other" },
        { "a tensor left out", "\"t1\": \"model-00001-of-00003.safetensors\",", "", "tensor 't1': is not in the weight_map" },
        { "no map", "weight_map", "weights", "no 'weight_map'" },
        { "not JSON", "{", "", "model.safetensors.index.json:" },
    };

    [Theory]
    [MemberData(nameof(Lies))]
    [Row("I24")]
    public void An_index_that_lies_is_refused_in_one_clear_line(string lie, string find, string replace, string says)
    {
        WeightFolder.Write(_folder.Path, Five(), null, 100);
        var path = _folder.File(WeightFolder.IndexName);
        var text = File.ReadAllText(path);
        var at = text.IndexOf(find, StringComparison.Ordinal);
        Assert.True(at >= 0, lie);
        File.WriteAllText(path, string.Concat(text.AsSpan(0, at), replace, text.AsSpan(at + find.Length)));
        var refusal = Assert.Throws<UserException>(() => WeightFolder.Open(_folder.Path));
        Assert.Contains(says, refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(refusal.Message, char.IsControl);
    }

    [Fact]
    public void A_tensor_in_two_shards_is_refused()
    {
        WeightFolder.Write(_folder.Path, Five(), null, 100);
        SafetensorsWriter.Write(_folder.File("model-00003-of-00003.safetensors"), Five().Where(t => t.Name is "t4" or "t0"));
        Assert.Contains("tensor 't0': is also in model-00001-of-00003.safetensors", Assert.Throws<UserException>(() => WeightFolder.Open(_folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_without_weights_says_what_it_holds_instead()
    {
        Assert.Contains("holds neither", Assert.Throws<UserException>(() => WeightFolder.Open(_folder.Path)).Message, StringComparison.Ordinal);
        File.WriteAllBytes(_folder.File("pytorch_model.bin"), [0x80, 2]);
        Assert.Contains("pytorch_model.bin is a pickle", Assert.Throws<UserException>(() => WeightFolder.Open(_folder.Path)).Message, StringComparison.Ordinal);
        SafetensorsWriter.Write(_folder.File("adapter_model.safetensors"), []);
        Assert.Contains("name the file itself", Assert.Throws<UserException>(() => WeightFolder.Open(_folder.Path)).Message, StringComparison.Ordinal);
    }

    private static IEnumerable<TensorContent> Five() => Enumerable.Range(0, 5).Select(i =>
        new TensorContent($"t{i}", DType.Float32, [2, 5], Enumerable.Repeat((byte)(i + 1), 40).ToArray()));
}

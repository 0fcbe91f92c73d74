using System.Buffers.Binary;
using Gradus.Engine.Tensors;
using Gradus.Foundation.Files;
using Gradus.Models.Families;
using Gradus.Models.Families.Llama;
using Gradus.Models.Nn;
using Gradus.Text.Tokenizers;

namespace Gradus.Tests.Models.Families;

[Row("I24", "E20")]
public class Llama2cFileTests
{
    [Fact]
    public void Stories260K_tells_its_published_story_greedily_with_and_without_a_cache()
    {
        var folder = Repo.SharedData("ckpt-stories260K");
        var (options, model) = ModelFolder.Load(Path.Combine(folder, "stories260K.bin"));
        using (model)
        {
            Assert.Equal(260_032, model.ParameterCount);
            Assert.Equal(ModelPresets.Find("stories260k").CountParameters(), options.CountParameters());
            var ids = Greedy.Cached(model, [1], 200);
            var text = Tokenizer.Load(Path.Combine(folder, "tok512.bin")).Decode([.. ids.Select(id => (int)id)]);
            Assert.Equal(File.ReadAllText(Path.Combine(folder, "expected_greedy_200.txt")).TrimEnd('\n'), text.TrimStart(' ').TrimEnd('\n'));
            Assert.Equal(ids[..12], Greedy.Whole(model, [1], 12)); // the logits of all 200 follow
            AssertCachedIsWhole(model, ids);
        }
    }

    [Fact]
    public void Stories260K_through_a_Hugging_Face_folder_is_the_same_model()
    {
        var (options, model) = ModelFolder.Load(Path.Combine(Repo.SharedData("ckpt-stories260K"), "stories260K.bin"));
        using var folder = Repo.Temp();
        using (model)
        {
            ModelFolder.Save(model, options, folder.Path);
            var (_, loaded) = ModelFolder.Load(folder.Path);
            using (loaded) Assert.Equal(Greedy.Cached(model, [1], 20), Greedy.Cached(loaded, [1], 20));
        }
    }

    [Fact]
    public void The_sign_of_vocab_size_says_whether_the_head_is_its_own()
    {
        using var folder = Repo.Temp();
        File.WriteAllBytes(folder.File("m.bin"), Bytes(vocab: -10, own: true));
        var (options, model) = ModelFolder.Load(folder.File("m.bin"));
        using (model)
        {
            Assert.False(((LlamaOptions)options).TieWordEmbeddings);
            var head = model.Parameters.Single(p => p.Name == "lm_head.weight");
            Assert.Equal(Numbers(vocab: -10, own: true)[^80..], head.Value.ToArray<float>());
        }
    }

    [Fact]
    public void Query_rows_go_from_neighbours_to_halves_and_value_rows_stay()
    {
        using var folder = Repo.Temp();
        File.WriteAllBytes(folder.File("m.bin"), Bytes());
        var (_, model) = ModelFolder.Load(folder.File("m.bin"));
        using (model)
        {
            var numbers = Numbers();
            var (q, v) = (80 + 8, 80 + 8 + 64 + 32); // after the embedding and the norm; after q and k too
            var read = model.Parameters.Single(p => p.Name == "model.layers.0.self_attn.q_proj.weight").Value.ToArray<float>();
            // Heads of width 4: rows 0 1 2 3 of the file are the pairs (0, 1) and (2, 3), ours are (0, 2) and (1, 3).
            foreach (var (ours, theirs) in new[] { (0, 0), (1, 2), (2, 1), (3, 3), (4, 4), (5, 6), (6, 5), (7, 7) })
                Assert.Equal(numbers[(q + 8 * theirs)..(q + 8 * theirs + 8)], read[(8 * ours)..(8 * ours + 8)]);
            Assert.Equal(numbers[v..(v + 32)], model.Parameters.Single(p => p.Name == "model.layers.0.self_attn.v_proj.weight").Value.ToArray<float>());
        }
    }

    [Theory]
    [InlineData(0, 0, "dim 0")]
    [InlineData(0, int.MaxValue, "dim 2147483647")]
    [InlineData(0, 7, "hidden_size: 7 is not a multiple of num_attention_heads 2")]
    [InlineData(2, 1_000_000_000, "n_layers 1000000000")]
    [InlineData(3, 3, "hidden_size: 8 is not a multiple of num_attention_heads 3")]
    [InlineData(4, -1, "n_kv_heads -1")]
    [InlineData(5, int.MinValue, "vocab_size -2147483648")]
    [InlineData(5, 11, "the file has")]
    [InlineData(2, 4096, "takes")]
    [InlineData(0, 0x616b3432, "llama2.c format version")]
    public void A_header_that_cannot_be_is_refused_in_one_line(int index, int value, string message)
    {
        using var folder = Repo.Temp();
        var bytes = Bytes();
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4 * index), value);
        File.WriteAllBytes(folder.File("m.bin"), bytes);
        AssertRefused(folder.File("m.bin"), message);
    }

    [Theory]
    [InlineData(0), InlineData(27), InlineData(28), InlineData(-1), InlineData(+1)]
    public void A_file_of_another_length_is_refused(int length)
    {
        using var folder = Repo.Temp();
        var bytes = Bytes();
        if (length is -1 or 1) length += bytes.Length;
        Array.Resize(ref bytes, length);
        File.WriteAllBytes(folder.File("m.bin"), bytes);
        AssertRefused(folder.File("m.bin"), $"{length}");
    }

    private static void AssertRefused(string path, string message)
    {
        var live = Tensor.Live;
        var e = Assert.Throws<UserException>(() => ModelFolder.Load(path));
        Assert.StartsWith(path, e.Message, StringComparison.Ordinal);
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
        Assert.Equal(live, Tensor.Live);
    }

    private static void AssertCachedIsWhole(ILanguageModel model, long[] ids) => Grad.Off(() =>
    {
        using var scope = Tensor.Scope();
        using var cache = model.NewCache(1, ids.Length);
        var all = Tensor.From(ids, 1, ids.Length);
        var cached = Tensor.Cat([.. Enumerable.Range(0, ids.Length).Select(t => model.Logits(all.Narrow(1, t, 1), new Step { Cache = cache }))], 1);
        ModelContractTests.AssertNear(model.Logits(all, new Step()), cached, 1e-5);
    });

    // dim 8, hidden_dim 12, one layer, 2 heads, 1 key/value head, vocabulary 10, 6 positions; weights 0.01, 0.02 …
    private static float[] Numbers(int vocab = 10, bool own = false) =>
        [.. Enumerable.Range(1, 80 + 8 + 64 + 32 + 32 + 64 + 8 + 3 * 96 + 8 + 6 * 4 + (own ? Math.Abs(vocab) * 8 : 0)).Select(i => i * 0.01f)];

    private static byte[] Bytes(int vocab = 10, bool own = false)
    {
        var bytes = new List<byte>();
        foreach (var n in new[] { 8, 12, 1, 2, 1, vocab, 6 }) bytes.AddRange(BitConverter.GetBytes(n));
        foreach (var x in Numbers(vocab, own)) bytes.AddRange(BitConverter.GetBytes(x));
        return [.. bytes];
    }
}

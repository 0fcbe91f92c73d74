using System.Text;
using System.Text.Json;
using Gradus.Text.Tokenizers;

namespace Gradus.Tests.Text.Tokenizers;

/// <summary>Ids that other libraries gave for the published vocabularies.</summary>
[Row("C1")]
public class PublishedIdsTests
{
    [Theory]
    [InlineData("tok-gpt2/tokenizer.json")]
    [InlineData("tok-gpt2/encoder.json")]
    [InlineData("tok-gpt2")]
    public void Gpt2_encodes_as_the_reference_does_and_decodes_back(string path)
    {
        var tokenizer = Tokenizer.Load(Repo.SharedData(path));
        using var expected = Json("tok-gpt2/expected_ids.json");
        var cases = 0;
        foreach (var item in expected.RootElement.GetProperty("cases").EnumerateArray())
        {
            var text = item.GetProperty("text").GetString()!;
            var ids = Ids(item.GetProperty("ids"));
            Assert.Equal(ids, tokenizer.Encode(text, addSpecialTokens: false));
            Assert.Equal(Ids(item.GetProperty("ids_special")), tokenizer.Encode(text, addSpecialTokens: true));
            Assert.Equal(text, tokenizer.Decode(ids));
            cases++;
        }

        Assert.Equal(76, cases);
        Assert.Equal(50257, tokenizer.VocabSize);
        Assert.Equal((50256, 50256, 50256), (tokenizer.BosId, tokenizer.EosId, tokenizer.UnkId));
    }

    [Theory]
    [InlineData("tok-tiktoken/cl100k_base.tiktoken", "cl100k_base", 100277)]
    [InlineData("tok-tiktoken/r50k_base.tiktoken", "r50k_base", 50257)]
    [InlineData("tok-gpt2/tokenizer.json", "gpt2", 50257)]
    public void Rank_files_encode_as_tiktoken_does_and_decode_back(string path, string name, int size)
    {
        var tokenizer = Tokenizer.Load(Repo.SharedData(path));
        using var expected = Json("tok-tiktoken/expected_ids.json");
        var cases = 0;
        foreach (var item in expected.RootElement.GetProperty("cases").EnumerateArray())
        {
            var text = item.GetProperty("text").GetString()!;
            var ids = Ids(item.GetProperty(name));
            Assert.Equal(ids, tokenizer.Encode(text));
            Assert.Equal(text, tokenizer.Decode(ids));
            cases++;
        }

        Assert.Equal(76, cases);
        Assert.Equal(size, tokenizer.VocabSize);
    }

    [Theory]
    [InlineData("tok-gpt2/tokenizer.json", "tokens_gpt2.json")]
    [InlineData("tok-tiktoken/r50k_base.tiktoken", "tokens_r50k_base.json")]
    [InlineData("tok-tiktoken/cl100k_base.tiktoken", "tokens.json")]
    public void A_source_file_encodes_as_other_dotnet_libraries_test(string path, string idsFile)
    {
        var tokenizer = Tokenizer.Load(Repo.SharedData(path));
        var text = File.ReadAllText(Repo.SharedData("tok-dotnet-expected/lib.rs.txt"));
        using var expected = Json("tok-dotnet-expected/" + idsFile);
        var ids = Ids(expected.RootElement);
        Assert.Equal(ids, tokenizer.Encode(text));
        Assert.Equal(text, tokenizer.Decode(ids));
    }

    [Theory]
    [InlineData("tok-tiktoken/cl100k_base.tiktoken")]
    [InlineData("tok-tiktoken/r50k_base.tiktoken")]
    public void Merges_found_in_the_order_of_ranks_are_those_of_every_way_to_halve_a_token(string path)
    {
        var ranks = TiktokenFormat.ReadRanks(Repo.SharedData(path));
        var merges = TiktokenFormat.MergesOf(ranks).ByRank();
        Assert.Equal(ranks.Count - 256, merges.Count);
        Assert.Equal(TiktokenFormat.MergesInAnyOrder(ranks).ByRank(), merges);
    }

    [Fact]
    public void A_token_may_be_made_of_one_of_higher_rank()
    {
        using var folder = Repo.Temp();
        string Line(string token, int rank) => $"{Convert.ToBase64String(Encoding.UTF8.GetBytes(token))} {rank}\n";
        File.WriteAllText(folder.File("r50k_base.tiktoken"), string.Concat(Enumerable.Range(0, 256).Select(b => $"{Convert.ToBase64String([(byte)b])} {b}\n")) + Line("abc", 256) + Line("ab", 257));
        var tokenizer = Tokenizer.Load(folder.File("r50k_base.tiktoken"));
        Assert.Equal([256, 257], tokenizer.Encode("abc ab").Where(id => id > 255)); // a b → ab, the only pair there is, → abc
        Assert.Equal([256, 'x'], tokenizer.Encode("abcx"));
    }

    [Theory]
    [InlineData("p50k_base")]
    [InlineData("p50k_edit")]
    public void Codex_vocabularies_are_that_of_gpt3_and_runs_of_spaces(string name)
    {
        // r50k_base with the runs of 2 to 25 spaces behind <|endoftext|>. The control: without them the ids are others.
        using var folder = Repo.Temp();
        var ranks = File.ReadAllText(Repo.SharedData("tok-tiktoken/r50k_base.tiktoken"));
        var text = File.ReadAllText(Repo.SharedData("tok-dotnet-expected/lib.rs.txt"));
        using var expected = Json($"tok-dotnet-expected/tokens_{name}.json");
        File.WriteAllText(folder.File($"{name}.tiktoken"), ranks + string.Concat(Enumerable.Range(2, 24).Select(n => $"{Convert.ToBase64String(Encoding.UTF8.GetBytes(new string(' ', n)))} {50255 + n}\n")));
        var tokenizer = Tokenizer.Load(folder.File($"{name}.tiktoken"));
        Assert.Equal(Ids(expected.RootElement), tokenizer.Encode(text));
        Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text)));
        Assert.Equal(name == "p50k_edit" ? 50284 : 50281, tokenizer.VocabSize);
        Assert.NotEqual(Ids(expected.RootElement), Tokenizer.Load(Repo.SharedData("tok-tiktoken/r50k_base.tiktoken")).Encode(text));
    }

    [Theory]
    [InlineData("o200k_base", "tokens_gpt4o.json", 200019)]
    [InlineData("p50k_base", "tokens_p50k_base.json", 50281)]
    [InlineData("p50k_edit", "tokens_p50k_edit.json", 50284)]
    public void A_source_file_encodes_as_other_dotnet_libraries_test_with_vocabularies_from_npm(string name, string idsFile, int size)
    {
        var text = File.ReadAllText(Repo.SharedData("tok-dotnet-expected/lib.rs.txt"));
        using var expected = Json("tok-dotnet-expected/" + idsFile);
        var cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } named ? named : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
        var folder = Environment.GetEnvironmentVariable("GRADUS_VOCABULARIES") is { Length: > 0 } given ? given : Path.Combine(cache, "gradus", "vocabularies-1");
        var file = Path.Combine(folder, name + ".tiktoken");
        Assert.SkipUnless(File.Exists(file), $"needs {name}.tiktoken, which tests/fixtures/vocabularies/check.sh fetches");
        var tokenizer = Tokenizer.Load(file);
        Assert.Equal(Ids(expected.RootElement), tokenizer.Encode(text));
        Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text)));
        Assert.Equal(size, tokenizer.VocabSize);
    }

    [Theory]
    [InlineData("tok-gpt2", "gpt-2")]
    [InlineData("tok-gguf-vocabs/ggml-vocab-gpt-2.gguf", "gpt-2")]
    [InlineData("tok-gguf-vocabs/ggml-vocab-bert-bge.gguf", "bert-bge")]
    [InlineData("tok-bert/tokenizer.json", "bert-bge")]
    [InlineData("tok-bert/bert-base-uncased-vocab.txt", "bert-bge")]
    public void The_strings_of_llama_cpp_encode_as_there(string path, string name)
    {
        var tokenizer = Tokenizer.Load(Repo.SharedData(path));
        var inputs = File.ReadAllText(Repo.SharedData($"tok-gguf-vocabs/ggml-vocab-{name}.gguf.inp")).Split("\n__ggml_vocab_test__\n");
        var outputs = File.ReadAllLines(Repo.SharedData($"tok-gguf-vocabs/ggml-vocab-{name}.gguf.out"));
        Assert.True(outputs.Length >= 46);
        for (var i = 0; i < outputs.Length; i++)
        {
            int[] ids = [.. outputs[i].Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse)];
            Assert.Equal(ids, tokenizer.Encode(inputs[i], addSpecialTokens: false));
        }
    }

    [Theory]
    [Row("C4")]
    [InlineData("tok-bert/tokenizer.json")]
    [InlineData("tok-bert/bert-base-uncased-vocab.txt")]
    public void Bert_encodes_as_the_reference_does_with_offsets_types_and_pairs(string path)
    {
        var tokenizer = Tokenizer.Load(Repo.SharedData(path));
        using var expected = Json("tok-bert/expected_ids.json");
        var cases = 0;
        foreach (var item in expected.RootElement.GetProperty("cases").EnumerateArray())
        {
            cases++;
            var got = tokenizer.Tokenize(item.GetProperty("text").GetString()!);
            Assert.Equal(Ids(item.GetProperty("ids")), got.Ids);
            Assert.Equal(Ids(item.GetProperty("ids")), tokenizer.Encode(item.GetProperty("text").GetString()!));
            Assert.Equal(item.GetProperty("tokens").EnumerateArray().Select(t => t.GetString()), got.Tokens);
            Assert.Equal(item.GetProperty("offsets").EnumerateArray().Select(o => new TextSpan(o[0].GetInt32(), o[1].GetInt32())), got.CharOffsets);
        }

        foreach (var item in expected.RootElement.GetProperty("pairs").EnumerateArray())
        {
            cases++;
            var got = tokenizer.Tokenize(item.GetProperty("a").GetString()!, item.GetProperty("b").GetString());
            Assert.Equal(Ids(item.GetProperty("ids")), got.Ids);
            Assert.Equal(Ids(item.GetProperty("type_ids")), got.TypeIds);
            Assert.Equal(Ids(item.GetProperty("mask")), got.AttentionMask);
        }

        Assert.Equal(73, cases);
    }

    [Fact]
    public void Stories260K_decodes_and_encodes_its_own_story()
    {
        var tokenizer = Tokenizer.Load(Repo.SharedData("ckpt-stories260K/tok512.bin"));
        var story = File.ReadAllText(Repo.SharedData("ckpt-stories260K/expected_greedy_200.txt")).TrimEnd('\n');
        var ids = tokenizer.Encode(story);
        Assert.Equal(512, tokenizer.VocabSize);
        Assert.Equal(1, ids[0]);
        Assert.Equal(story, tokenizer.Decode(ids));
        // "▁Once", "▁upon", "▁a", "▁time": the ids that run.c prints for the first words.
        Assert.Equal([1, 403, 407, 261, 378], ids[..5]);
    }

    [Fact]
    public void Stories260K_merges_as_the_plain_loop_of_llama2c_does()
    {
        var tokenizer = Tokenizer.Load(Repo.SharedData("ckpt-stories260K/tok512.bin"));
        var plain = new PlainLlama2c(Repo.SharedData("ckpt-stories260K/tok512.bin"));
        var random = new Random(5);
        string[] words = ["Once", " upon", " a", "time", ",", " ", "  ", "Lily", "\n", "é", "日本", "🤗", "xyzzy", "<s>", "aaaaaaa", "'s", "little", "\t"];
        for (var i = 0; i < 300; i++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(0, 12)).Select(_ => words[random.Next(words.Length)]));
            Assert.Equal(plain.Encode(text), tokenizer.Encode(text));
            Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text)));
        }
    }

    private static JsonDocument Json(string path) => JsonDocument.Parse(File.ReadAllBytes(Repo.SharedData(path)));

    private static int[] Ids(JsonElement array) => [.. array.EnumerateArray().Select(e => e.GetInt32())];

    /// <summary>What run.c of llama2.c does, literally: one character at a time, then the best-scored neighbours until none join.</summary>
    private sealed class PlainLlama2c
    {
        private readonly List<float> _scores = [];
        private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);
        private readonly List<string> _pieces = [];

        public PlainLlama2c(string file)
        {
            using var reader = new BinaryReader(File.OpenRead(file));
            reader.ReadInt32();
            while (reader.BaseStream.Position < reader.BaseStream.Length)
            {
                _scores.Add(reader.ReadSingle());
                _pieces.Add(Encoding.UTF8.GetString(reader.ReadBytes(reader.ReadInt32())));
                _ids.TryAdd(_pieces[^1], _pieces.Count - 1);
            }
        }

        public int[] Encode(string text)
        {
            List<int> ids = [1];
            if (text.Length > 0)
                ids.Add(_ids[" "]);
            foreach (var rune in text.EnumerateRunes())
                if (_ids.TryGetValue(rune.ToString(), out var id))
                    ids.Add(id);
                else
                    ids.AddRange(Encoding.UTF8.GetBytes(rune.ToString()).Select(b => b + 3));
            while (true)
            {
                var (best, at, joined) = (-1e10f, -1, -1);
                for (var i = 0; i + 1 < ids.Count; i++)
                    if (_ids.TryGetValue(_pieces[ids[i]] + _pieces[ids[i + 1]], out var id) && _scores[id] > best)
                        (best, at, joined) = (_scores[id], i, id);
                if (at < 0)
                    return [.. ids];
                ids[at] = joined;
                ids.RemoveAt(at + 1);
            }
        }
    }
}

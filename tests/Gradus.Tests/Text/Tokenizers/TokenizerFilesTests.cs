using System.Text;
using Gradus.Foundation.Files;
using Gradus.Text.Tokenizers;

namespace Gradus.Tests.Text.Tokenizers;

/// <summary>Saving and loading, and what malformed files say (RELIABILITY TK1 and TK2).</summary>
[Row("C1")]
public class TokenizerFilesTests
{
    private static readonly string[] s_texts =
        ["Hello world! How are you?", "  two  spaces\n\n x", "Ünïcödé 日本語 🤗", "don't I'LL we've", "1234567890", "for (int i = 0; i < n; i++) {\n\t}", "", "a\n  "];

    [Theory]
    [InlineData("tok-gpt2")]
    [InlineData("tok-tiktoken/cl100k_base.tiktoken")]
    [InlineData("ckpt-stories260K/tok512.bin")]
    public void Saved_and_loaded_it_is_the_same(string path)
    {
        using var folder = Repo.Temp();
        var first = Tokenizer.Load(Repo.SharedData(path));
        first.Save(folder.Path);
        var second = Tokenizer.Load(folder.Path);
        Assert.Equal(first.VocabSize, second.VocabSize);
        Assert.Equal((first.BosId, first.EosId, first.PadId, first.UnkId), (second.BosId, second.EosId, second.PadId, second.UnkId));
        for (var id = 0; id < first.VocabSize; id++)
        {
            if (first.NameOf(id) != second.NameOf(id) || first.IsSpecial(id) != second.IsSpecial(id) || !first.TokenBytes(id).SequenceEqual(second.TokenBytes(id)))
                Assert.Fail($"id {id}: '{first.NameOf(id)}' became '{second.NameOf(id)}'");
        }

        foreach (var text in s_texts)
        {
            Assert.Equal(first.Encode(text), second.Encode(text));
            Assert.Equal(first.EncodeParsed(text + "<|endoftext|>"), second.EncodeParsed(text + "<|endoftext|>"));
            Assert.Equal(first.Decode(first.Encode(text)), second.Decode(second.Encode(text)));
        }

        var written = File.ReadAllBytes(folder.File("tokenizer.json"));
        second.Save(folder.Path);
        Assert.Equal(written, File.ReadAllBytes(folder.File("tokenizer.json")));
    }

    [Fact]
    public void Names_of_either_half_of_a_gpt2_pair_load()
    {
        Assert.Equal(50257, Tokenizer.Load(Repo.SharedData("tok-cs336-bpe-reference/gpt2_merges.txt")).VocabSize);
        Assert.Equal(50257, Tokenizer.Load(Repo.SharedData("tok-cs336-bpe-reference/gpt2_vocab.json")).VocabSize);
    }

    [Fact]
    public void Templates_patterns_and_added_tokens_are_honoured()
    {
        var tokenizer = Parse(Json(
            preTokenizer: """{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"[a-z]+|[^a-z]"},"behavior":"Isolated","invert":false},{"type":"ByteLevel","add_prefix_space":false,"use_regex":false}]}""",
            postProcessor: """{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],"pair":[],"special_tokens":{"<s>":{"id":"<s>","ids":[4],"tokens":["<s>"]}}}""",
            added: """[{"id":4,"content":"<s>","special":true},{"id":5,"content":"<tool>","special":false,"lstrip":true}]"""));
        Assert.Equal([4, 3], tokenizer.Encode("ab"));
        Assert.Equal([3], tokenizer.Encode("ab", addSpecialTokens: false));
        Assert.Equal([3, 5, 0], tokenizer.Encode("ab<tool>a", addSpecialTokens: false));
        Assert.Equal([4, 0], tokenizer.EncodeParsed("<s>a", addSpecialTokens: false));
        Assert.Equal(4, tokenizer.BosId);
    }

    public static TheoryData<string, string, string> BadTokenizers => new()
    {
        { "unknown left part", Json(merges: """["x b"]"""), "model.merges[0]: 'x' is not in the vocabulary" },
        { "unknown right part", Json(merges: """["a x"]"""), "model.merges[0]: 'x' is not in the vocabulary" },
        { "unknown result", Json(merges: """["a b","ab c"]"""), "model.merges[1]: 'ab' and 'c' join to 'abc', which is not in the vocabulary" },
        { "joined with nothing", Json(merges: """["ab "]"""), "model.merges[0]: a merge joins two tokens" },
        { "twice", Json(merges: """["a b","a b"]"""), "model.merges[1]: 'a b' is merged a second time" },
        { "three parts", Json(merges: """["a b c"]"""), "model.merges[0]: a merge has two parts, this one has 3" },
        { "a number", Json(merges: "[7]"), "model.merges[0]: expected an array, found a number" },
        { "three parts in an array", Json(merges: """[["a","b","c"]]"""), "a merge has two parts, this one has 3" },
        { "no merges", Json(merges: "null"), "model.merges: missing" },
        { "same id", Json(vocab: """{"a":0,"b":0}""", merges: "[]"), "'a' and 'b' both have id 0" },
        { "same name", Json(vocab: """{"a":0,"a":1}""", merges: "[]"), "duplicate key 'a'" },
        { "negative", Json(vocab: """{"a":-1}""", merges: "[]"), "model.vocab.a: -1 is no id" },
        { "too large", Json(vocab: """{"a":2147483648}""", merges: "[]"), "model.vocab.a: 2147483648 is no id" },
        { "huge hole", Json(vocab: """{"a":0,"b":2000000000}""", merges: "[]"), "the first id without a token is 1" },
        { "hole", Json(vocab: """{"a":0,"b":1,"c":3}""", merges: "[]"), "ids go up to 3 but there are only 3 tokens; the first id without a token is 2" },
        { "fraction", Json(vocab: """{"a":0.5}""", merges: "[]"), "0.5 is no id" },
        { "a string for an id", Json(vocab: """{"a":"0"}""", merges: "[]"), "model.vocab.a: expected an id (a whole number), found a string" },
        { "empty token", Json(vocab: """{"a":0,"":1}""", merges: "[]"), "the token with id 1 is empty" },
        { "empty vocabulary", Json(vocab: "{}", merges: "[]"), "the vocabulary is empty" },
        { "unknown token missing", Json(extra: "\"unk_token\":\"<unk>\","), "model.unk_token: '<unk>' is not in the vocabulary" },
        { "added token under another id", Json(added: """[{"id":9,"content":"ab","special":true}]"""), "the added token 'ab' has id 9, but 3 in the vocabulary" },
        { "added token on a taken id", Json(added: """[{"id":1,"content":"<s>","special":true}]"""), "the added token '<s>' has id 1, which belongs to 'b'" },
        { "added twice", Json(added: """[{"id":8,"content":"<s>"},{"id":9,"content":"<s>"}]"""), "the token '<s>' is added twice" },
        { "empty added token", Json(added: """[{"id":8,"content":""}]"""), "the added token with id 8 is empty" },
        { "other model", Json().Replace("\"BPE\"", "\"WordPeace\""), "model.type: 'WordPeace' is unknown; did you mean 'WordPiece'?" },
        { "unknown pre-tokenizer", Json(preTokenizer: """{"type":"Whirl"}"""), "pre_tokenizer.type: 'Whirl' is unknown; known: BertPreTokenizer, ByteLevel" },
        { "unreadable pattern", Json(preTokenizer: """{"type":"Split","pattern":{"Regex":"a++(?<x"},"behavior":"Isolated","invert":false}"""), "pre_tokenizer.pattern.Regex: cannot read the pattern a++(?<x: a group's name does not end at character 7" },
        { "dropout", Json(extra: "\"dropout\":1.5,"), "model.dropout: expected a number from 0 to 1" },
        { "nested 100,000 deep", Json(preTokenizer: string.Concat(Enumerable.Repeat("""{"type":"Sequence","pretokenizers":[""", 100_000)) + "null" + string.Concat(Enumerable.Repeat("]}", 100_000))), "maximum configured depth" },
        { "a null step", Json(preTokenizer: """{"type":"Sequence","pretokenizers":[null]}"""), "pre_tokenizer.pretokenizers[0]: expected a step, found null" },
        { "a null setting", Json(preTokenizer: """{"type":"Digits","individual_digits":null}"""), "pre_tokenizer.individual_digits: missing; expected true or false" },
        { "a missing setting", Json(preTokenizer: """{"type":"Split","pattern":{"Regex":"a"},"behavior":"Isolated"}"""), "pre_tokenizer.invert: missing; expected true or false" },
        { "an unknown behaviour", Json(preTokenizer: """{"type":"Split","pattern":{"Regex":"a"},"behavior":"Isolate","invert":false}"""), "pre_tokenizer.behavior: 'Isolate' is unknown; did you mean 'Isolated'?" },
        { "two characters", Json(preTokenizer: """{"type":"Metaspace","replacement":"ab"}"""), "pre_tokenizer.replacement: expected one character, found 'ab'" },
        { "no pattern", Json(preTokenizer: """{"type":"Split","pattern":{},"behavior":"Isolated","invert":false}"""), "pre_tokenizer.pattern.String: missing; expected a string" },
        { "a step without type", Json(preTokenizer: "{}"), "pre_tokenizer.type: missing; expected a string" },
        { "a step that is text", Json(preTokenizer: "\"ByteLevel\""), "pre_tokenizer: expected an object, found a string" },
        { "length nought", Json(preTokenizer: """{"type":"FixedLength","length":0}"""), "pre_tokenizer.length: 0 is no whole number from 1" },
        { "an unknown normalizer", Json().Replace("\"normalizer\":null", "\"normalizer\":{\"type\":\"NFX\"}"), "normalizer.type: 'NFX' is unknown; did you mean 'NFC'?" },
        { "a template of nothing", Json(postProcessor: """{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}}],"pair":[],"special_tokens":{}}"""), "post_processor.single[0]: the special token '<s>' is not among special_tokens" },
        { "a second text alone", Json(postProcessor: """{"type":"TemplateProcessing","single":[{"Sequence":{"id":"B","type_id":0}}],"pair":[],"special_tokens":{}}"""), "post_processor.single[0].Sequence.id: a template for single texts has no second text" },
        { "a token without id", Json(postProcessor: """{"type":"BertProcessing","sep":["a"],"cls":["a",0]}"""), "post_processor.sep: expected a token and its id" },
        { "an unknown decoder", Json().Replace("\"model\":", "\"decoder\":{\"type\":\"Bytelevel\"},\"model\":"), "decoder.type: 'Bytelevel' is unknown; did you mean 'ByteLevel'?" },
        { "truncation by text", Json().Replace("\"normalizer\":", "\"truncation\":{\"max_length\":\"9\",\"stride\":0,\"strategy\":\"LongestFirst\"},\"normalizer\":"), "truncation.max_length: expected a whole number, found a string" },
        { "WordPiece without its unknown", Json().Replace("\"BPE\",", "\"WordPiece\",\"unk_token\":\"[UNK]\",\"continuing_subword_prefix\":\"##\",\"max_input_chars_per_word\":100,"), "model.unk_token: '[UNK]' is not in the vocabulary" },
        { "WordPiece without a prefix", Json().Replace("\"BPE\",", "\"WordPiece\",\"unk_token\":\"a\",\"max_input_chars_per_word\":100,"), "model.continuing_subword_prefix: missing; expected a string" },
        { "a merge without the prefix", Json(extra: "\"continuing_subword_prefix\":\"##\","), "model.merges[0]: the second part of 'a b' does not start with '##'" },
        { "cut short", Json()[..60], ":1:" },
        { "no model", "{}", "model: missing; expected an object" },
        { "an array", "[]", "the file: expected an object, found an array" },
    };

    [Theory]
    [MemberData(nameof(BadTokenizers))]
    public void A_malformed_tokenizer_json_is_one_clear_line(string what, string json, string expected)
    {
        using var folder = Repo.Temp();
        File.WriteAllText(folder.File("tokenizer.json"), json);
        var error = Assert.Throws<UserException>(() => Tokenizer.Load(folder.Path));
        Assert.True(error.Message.Contains(expected), $"{what}: {error.Message}");
        Assert.StartsWith(folder.File("tokenizer.json"), error.Message);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void A_pattern_that_backtracks_for_ever_ends_in_an_error()
    {
        var tokenizer = Parse(Json(preTokenizer: """{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"(a+)+$|(.*a){20}b"},"behavior":"Isolated","invert":false},{"type":"ByteLevel","add_prefix_space":false,"use_regex":false}]}"""));
        Assert.Contains("took more than 3 s on one text", Assert.Throws<UserException>(() => tokenizer.Encode(new string('a', 5000) + "c")).Message);
    }

    [Fact]
    public void A_damaged_gguf_file_is_one_clear_line()
    {
        using var folder = Repo.Temp();
        var file = folder.File("v.gguf");
        string Says(byte[] content)
        {
            File.WriteAllBytes(file, content);
            var message = Assert.Throws<UserException>(() => Tokenizer.Load(file)).Message;
            Assert.DoesNotContain('\n', message);
            Assert.StartsWith(file, message);
            return message;
        }

        Assert.Contains("does not start with 'GGUF'", Says([1, 2, 3]));
        Assert.Contains("GGUF version 9 is not supported", Says(Gguf(9)));
        Assert.Contains("tokenizer.ggml.model: missing; this file holds no tokenizer", Says(Gguf(3)));
        Assert.Contains("'rwkv' is not supported; supported are gpt2, bert, llama and t5", Says(Gguf(3, ("tokenizer.ggml.model", "rwkv"), ("tokenizer.ggml.tokens", new[] { "a" }))));
        Assert.Contains("tokenizer.ggml.tokens: missing", Says(Gguf(3, ("tokenizer.ggml.model", "gpt2"))));
        Assert.Contains("tokenizer.ggml.tokens: expected an array of strings", Says(Gguf(3, ("tokenizer.ggml.model", "gpt2"), ("tokenizer.ggml.tokens", "a"))));
        Assert.Contains("tokens 0 and 1 are both 'a'", Says(Gguf(3, ("tokenizer.ggml.model", "gpt2"), ("tokenizer.ggml.tokens", new[] { "a", "a" }), ("tokenizer.ggml.merges", Array.Empty<string>()))));
        Assert.Contains("tokenizer.ggml.merges[0]: 'x' is not in the vocabulary", Says(Gguf(3, ("tokenizer.ggml.model", "gpt2"), ("tokenizer.ggml.tokens", new[] { "a" }), ("tokenizer.ggml.merges", new[] { "a x" }))));
        Assert.Contains("the pre-tokenizer 'strange' is not known", Says(Gguf(3, ("tokenizer.ggml.model", "gpt2"), ("tokenizer.ggml.pre", "strange"), ("tokenizer.ggml.tokens", new[] { "a" }), ("tokenizer.ggml.merges", Array.Empty<string>()))));
        Assert.Contains("tokenizer.ggml.scores: missing", Says(Gguf(3, ("tokenizer.ggml.model", "llama"), ("tokenizer.ggml.tokens", new[] { "a" }))));
        var good = Gguf(3, ("tokenizer.ggml.model", "gpt2"), ("tokenizer.ggml.pre", "gpt-2"), ("tokenizer.ggml.tokens", new[] { "a", "b", "ab" }), ("tokenizer.ggml.merges", new[] { "a b" }));
        File.WriteAllBytes(file, good);
        Assert.Equal([2], Tokenizer.Load(file).Encode("ab"));
        for (var length = 0; length < good.Length; length++)
            Says(good[..length]);
    }

    private static byte[] Gguf(int version, params (string Key, object Value)[] entries)
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write("GGUF"u8);
        writer.Write(version);
        writer.Write(0L);
        writer.Write((long)entries.Length);
        void Text(string text)
        {
            writer.Write((long)Encoding.UTF8.GetByteCount(text));
            writer.Write(Encoding.UTF8.GetBytes(text));
        }

        foreach (var (key, value) in entries)
        {
            Text(key);
            writer.Write(value is string ? 8 : 9);
            if (value is string one)
            {
                Text(one);
                continue;
            }

            var many = (string[])value;
            writer.Write(8);
            writer.Write((long)many.Length);
            foreach (var text in many)
                Text(text);
        }

        return stream.ToArray();
    }

    [Theory]
    [InlineData("[PAD]\n[UNK]\n[CLS]\n[SEP]\na\na\n", ":6: the token 'a' stands on line 5 too")]
    [InlineData("[PAD]\n[UNK]\n[CLS]\n", "the token '[SEP]' is not in the vocabulary")]
    [InlineData("", "the vocabulary is empty")]
    [InlineData("[UNK]\n\n[CLS]\n[SEP]\n", "the token with id 1 is empty")]
    public void A_malformed_vocab_txt_is_one_clear_line(string content, string expected)
    {
        using var folder = Repo.Temp();
        File.WriteAllText(folder.File("vocab.txt"), content);
        Assert.Contains(expected, Assert.Throws<UserException>(() => Tokenizer.Load(folder.Path)).Message);
    }

    [Fact]
    public void The_configuration_beside_a_tokenizer_is_used_and_survives_saving()
    {
        using var folder = Repo.Temp();
        File.WriteAllText(folder.File("vocab.txt"), "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nAb\nab\n##c\n");
        File.WriteAllText(folder.File("tokenizer_config.json"), """{"do_lower_case":false,"model_max_length":512,"chat_template":"{{ x }}","pad_token":{"content":"[PAD]","special":true}}""");
        File.WriteAllText(folder.File("special_tokens_map.json"), """{"mask_token":"[MASK]"}""");
        var cased = Tokenizer.Load(folder.Path);
        Assert.Equal([2, 5, 7, 3], cased.Encode("Abc"));
        Assert.Equal((0, 1), (cased.PadId, cased.UnkId));
        using var saved = Repo.Temp();
        cased.Save(saved.Path);
        Assert.Equal([2, 5, 7, 3], Tokenizer.Load(saved.Path).Encode("Abc"));
        using var config = System.Text.Json.JsonDocument.Parse(File.ReadAllBytes(saved.File("tokenizer_config.json")));
        Assert.Equal("{{ x }}", config.RootElement.GetProperty("chat_template").GetString());
        Assert.Equal(512, config.RootElement.GetProperty("model_max_length").GetInt32());
        Assert.True(config.RootElement.GetProperty("pad_token").GetProperty("special").GetBoolean());
        Assert.Contains("[MASK]", File.ReadAllText(saved.File("special_tokens_map.json")));
        File.WriteAllText(folder.File("tokenizer_config.json"), "{}");
        Assert.Equal([2, 6, 7, 3], Tokenizer.Load(folder.Path).Encode("ABC"));
    }

    [Theory]
    [InlineData("IQ== 0\nIg==\n", ":2: expected a token in base64")]
    [InlineData("IQ== 0\n!!!! 1\n", ":2: expected a token in base64")]
    [InlineData("IQ== 0\nIg== -1\n", ":2: the rank is no whole number")]
    [InlineData("IQ== 0\nIg== 2147483648\n", ":2: the rank is no whole number")]
    [InlineData("IQ== 0\nIg== 0\n", "both have id 0")]
    [InlineData("IQ== 0\nIQ== 1\n", ":2: the token '!' stands here a second time")]
    [InlineData("IQ== 0\nIg== 1\n", "has no rank")]
    [InlineData("IQ== 0\nIg== 2\n", "the first id without a token is 1")]
    [InlineData("", "the vocabulary is empty")]
    public void A_malformed_rank_file_is_one_clear_line(string content, string expected)
    {
        using var folder = Repo.Temp();
        File.WriteAllText(folder.File("gpt2.tiktoken"), content);
        Assert.Contains(expected, Assert.Throws<UserException>(() => Tokenizer.Load(folder.Path)).Message);
    }

    [Theory]
    [InlineData("#version: 0.2\na b\n", null)]
    [InlineData("#version: 0.2\na b c\n", "merges.txt:2: a merge is two tokens with one space between, found 3")]
    [InlineData("a x\n", "merges.txt:1: 'x' is not in the vocabulary")]
    [InlineData("a b\n\na b\n", "merges.txt:3: 'a b' is merged a second time")]
    public void A_malformed_merges_file_is_one_clear_line(string merges, string? expected)
    {
        using var folder = Repo.Temp();
        File.WriteAllText(folder.File("vocab.json"), """{"a":0,"b":1,"ab":2}""");
        File.WriteAllText(folder.File("merges.txt"), merges);
        if (expected is null)
            Assert.Equal([2], Tokenizer.Load(folder.Path).Encode("ab"));
        else
            Assert.Contains(expected, Assert.Throws<UserException>(() => Tokenizer.Load(folder.Path)).Message);
    }

    [Fact]
    public void A_damaged_llama2c_file_is_one_clear_line()
    {
        var good = File.ReadAllBytes(Repo.SharedData("ckpt-stories260K/tok512.bin"));
        using var folder = Repo.Temp();
        var random = new Random(8);
        for (var i = 0; i < 300; i++)
        {
            var bad = good[..random.Next(good.Length)];
            for (var k = 0; k < 3 && bad.Length > 0; k++)
                bad[random.Next(bad.Length)] ^= (byte)(1 << random.Next(8));
            File.WriteAllBytes(folder.File("tok512.bin"), bad);
            try
            {
                Tokenizer.Load(folder.Path); // a changed letter may still be a tokenizer
            }
            catch (UserException e)
            {
                Assert.DoesNotContain('\n', e.Message);
            }
        }

        File.WriteAllBytes(folder.File("tok512.bin"), good[..^1]);
        Assert.Contains("but the file ends after", Assert.Throws<UserException>(() => Tokenizer.Load(folder.Path)).Message);
    }

    [Fact]
    public void What_is_no_tokenizer_says_what_was_looked_for()
    {
        using var folder = Repo.Temp();
        Assert.Contains("no tokenizer in this folder; looked for tokenizer.json, vocab.json + merges.txt", Assert.Throws<UserException>(() => Tokenizer.Load(folder.Path)).Message);
        Assert.Contains("no such file", Assert.Throws<UserException>(() => Tokenizer.Load(folder.File("x.json"))).Message);
        File.WriteAllText(folder.File("notes.txt"), "");
        Assert.Contains("not a tokenizer file by its name", Assert.Throws<UserException>(() => Tokenizer.Load(folder.File("notes.txt"))).Message);
        File.WriteAllText(folder.File("cl100k_bas.tiktoken"), "");
        Assert.Contains("did you mean 'cl100k_base'?", Assert.Throws<UserException>(() => Tokenizer.Load(folder.File("cl100k_bas.tiktoken"))).Message);
        File.WriteAllText(folder.File("vocab.json"), "{}");
        Assert.Contains("its other half is not beside it", Assert.Throws<UserException>(() => Tokenizer.Load(folder.File("vocab.json"))).Message);
    }

    [Fact]
    public void A_hundred_thousand_merges_load_in_seconds()
    {
        // TK1: finite load time. Every merge of two of 320 letters.
        var letters = Enumerable.Range(0, 320).Select(i => ((char)(0x4E00 + i)).ToString()).ToArray();
        var vocab = new StringBuilder("{");
        var merges = new StringBuilder("[");
        var id = 0;
        foreach (var letter in letters)
            vocab.Append($"\"{letter}\":{id++},");
        foreach (var left in letters)
            foreach (var right in letters)
            {
                vocab.Append($"\"{left}{right}\":{id++},");
                merges.Append($"\"{left} {right}\",");
            }

        var json = Json(vocab: vocab.ToString()[..^1] + "}", merges: merges.ToString()[..^1] + "]");
        var start = System.Diagnostics.Stopwatch.GetTimestamp();
        Assert.Equal(320 * 321, Parse(json).VocabSize);
        Assert.True(System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalSeconds < 5);
    }

    private static Tokenizer Parse(string json)
    {
        using var folder = Repo.Temp();
        File.WriteAllText(folder.File("tokenizer.json"), json);
        return Tokenizer.Load(folder.Path);
    }

    private static string Json(
        string vocab = """{"a":0,"b":1,"c":2,"ab":3}""", string merges = """["a b"]""", string added = "[]", string extra = "",
        string preTokenizer = """{"type":"ByteLevel","add_prefix_space":false}""", string postProcessor = "null") =>
        $$$"""{"added_tokens":{{{added}}},"normalizer":null,"pre_tokenizer":{{{preTokenizer}}},"post_processor":{{{postProcessor}}},"model":{"type":"BPE",{{{extra}}}"vocab":{{{vocab}}},"merges":{{{merges}}}}}""";
}

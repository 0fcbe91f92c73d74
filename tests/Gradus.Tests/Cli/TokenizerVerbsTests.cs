using System.Text;
using Gradus.Cli;
using Gradus.Engine.Files;
using Gradus.Engine.Tensors;
using Gradus.Foundation.Files;
using Gradus.Models.Families;
using Gradus.Text.Tokenizers;
using Gradus.Text.Tokenizers.Trainers;

namespace Gradus.Tests.Cli;

/// <summary><c>gradus tokenizer</c>: encode with dropout, chat's options, add and glitch tokens on models that were trained, convert.</summary>
public sealed class TokenizerVerbsTests
{
    [Fact]
    [Row("C1")]
    public void Encode_draws_spellings_by_seed()
    {
        using var folder = Repo.Temp();
        var here = CommandLine.Settings.In(folder.Path);
        Trained().Save(folder.File("t"));
        File.WriteAllText(folder.File("in.txt"), "the captain feared the whale\nthe captain feared the whale\n");
        string[] Lines(params string[] more) => CommandLine.Run(here, ["tokenizer", "encode", "t", "--file", "in.txt", .. more]).Done().Lines;
        var best = Lines();
        Assert.Equal(best, Lines("--dropout", "0", "--seed", "3"));
        var bytes = Encoding.UTF8.GetByteCount("the captain feared the whale");
        Assert.All(Lines("--dropout", "1"), line => Assert.Equal(bytes, line.Split(' ').Length));
        var drawn = Lines("--dropout", "0.3", "--seed", "3");
        Assert.Equal(drawn, Lines("--dropout", "0.3", "--seed", "3"));
        Assert.NotEqual(drawn, Lines("--dropout", "0.3", "--seed", "4"));
        Assert.NotEqual(drawn[0], drawn[1]); // the same line draws anew
        Assert.Equal(CommandLine.Run(here with { Input = Encoding.UTF8.GetBytes(string.Join('\n', drawn)) }, "tokenizer", "decode", "t", "--file", "-").Done().Lines, File.ReadAllLines(folder.File("in.txt")));
        Assert.Contains("from 0 to 1", CommandLine.Run(here, "tokenizer", "encode", "t", "--file", "in.txt", "--dropout", "1.5").Refusal(), StringComparison.Ordinal);
        new UnigramTrainerOptions { VocabSize = 60 }.Train([Encoding.UTF8.GetBytes(ToyRun.Text())]).Save(folder.File("u"));
        Assert.Contains("leaves out merges of BPE", CommandLine.Run(here, "tokenizer", "encode", "u", "--file", "in.txt", "--dropout", "0.5").Refusal(), StringComparison.Ordinal);
        CommandLine.Run(here, "tokenizer", "encode", "u", "--file", "in.txt", "--seed", "5").Done();
    }

    [Fact]
    [Row("L16", "C9")]
    public void Chat_goes_on_with_a_message_takes_arguments_and_chooses_a_template()
    {
        using var folder = Repo.Temp();
        var here = CommandLine.Settings.In(folder.Path);
        Trained().Save(folder.File("t"));
        File.WriteAllText(folder.File("t/chat_template.json"), """
            {"chat_template": [
              {"name": "default", "template": "{% for m in messages %}{{ m.role }}: {{ m.content }}<|end|>{% endfor %}{% if add_generation_prompt %}assistant: {% if enable_thinking is defined and not enable_thinking %}(no thoughts) {% endif %}{% endif %}"},
              {"name": "short", "template": "{% for m in messages %}{{ m.content }}|{% endfor %}"}]}
            """);
        File.WriteAllText(folder.File("m.json"), """[{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}]""");
        string Text(params string[] more) => CommandLine.Run(here, ["tokenizer", "chat", "t", "--messages", "m.json", "--json", .. more]).Done().Json.GetProperty("text").GetString()!;
        string Refusal(params string[] more) => CommandLine.Run(here, ["tokenizer", "chat", "t", "--messages", "m.json", .. more]).Refusal();

        Assert.Equal("user: Hi<|end|>assistant: Ho<|end|>", Text());
        Assert.Equal("user: Hi<|end|>assistant: Ho", Text("--continue-final-message"));
        Assert.Contains("cannot both begin", Refusal("--continue-final-message", "--add-generation-prompt"), StringComparison.Ordinal);
        Assert.Equal("user: Hi<|end|>assistant: Ho<|end|>assistant: ", Text("--add-generation-prompt"));
        Assert.Equal("user: Hi<|end|>assistant: Ho<|end|>assistant: (no thoughts) ", Text("--add-generation-prompt", "--arguments", """{"enable_thinking": false}"""));
        Assert.Equal("user: Hi<|end|>assistant: Ho<|end|>assistant: ", Text("--add-generation-prompt", "--arguments", """{"enable_thinking": true}"""));
        Assert.Contains("enable_thinking", Refusal("--arguments", """{"enable_thinkin": false}"""), StringComparison.Ordinal); // the name that the template does read
        Assert.Contains("--arguments", Refusal("--arguments", "{"), StringComparison.Ordinal);
        Assert.Equal("Hi|Ho|", Text("--template", "short"));
        Assert.Contains("short", Refusal("--template", "shot"), StringComparison.Ordinal);
    }

    [Theory]
    [Row("C9")]
    [InlineData("{ kind: gpt2, n_embd: 32, n_layer: 1, n_head: 2, n_positions: 32 }", "transformer.wte.weight", false)]
    [InlineData("{ kind: gpt2, n_embd: 32, n_layer: 1, n_head: 2, n_positions: 32, tie_word_embeddings: false }", "transformer.wte.weight", true)]
    [InlineData("{ kind: llama, hidden_size: 32, intermediate_size: 64, num_hidden_layers: 1, num_attention_heads: 2, num_key_value_heads: 1, max_position_embeddings: 32, tie_word_embeddings: true }", "model.embed_tokens.weight", false)]
    public void Tokens_are_added_to_models_of_other_shapes(string model, string embedding, bool head)
    {
        using var toy = new ToyRun(steps: 4, saveEvery: 4);
        var recipe = File.ReadAllLines(toy.Recipe);
        recipe[Array.FindIndex(recipe, l => l.StartsWith("model:", StringComparison.Ordinal))] = "model: " + model;
        File.WriteAllLines(toy.Recipe, recipe);
        toy.Train("run").Done();
        var before = Tokenizer.Load(toy.InFolder("run/model")).VocabSize;
        CommandLine.Run(toy.Here, "tokenizer", "add", "run/model", "--tokens", "<|a|>,<|b|>,<|c|>", "--special", "--pad-to-multiple", "32", "--out", "grown").Done();
        using var old = WeightFolder.Open(toy.InFolder("run/model"));
        using var grown = WeightFolder.Open(toy.InFolder("grown"));
        Assert.Equal(old.Entries.Keys.Order(StringComparer.Ordinal), grown.Entries.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(head, grown.Entries.ContainsKey("lm_head.weight"));
        foreach (var entry in old.Entries.Values)
        {
            var (a, b) = (new byte[entry.ByteCount], new byte[grown.Entry(entry.Name).ByteCount]);
            old.Read(entry.Name, a);
            grown.Read(entry.Name, b);
            Assert.True(a.AsSpan().SequenceEqual(b.AsSpan(0, a.Length)), entry.Name);
            var grows = entry.Name == embedding || entry.Name == "lm_head.weight";
            Assert.Equal(grows ? (before + 3 + 31) / 32 * 32 : entry.Shape[0], grown.Entry(entry.Name).Shape[0]);
            if (!grows)
                continue;
            var (rows, width) = (GlitchTokens.Floats(DType.Float32, b, entry.Name), (int)entry.Shape[1]);
            foreach (var added in (int[])[before, before + 2])
                for (var j = 0; j < width; j++)
                    Assert.Equal(Enumerable.Range(0, before).Average(i => (double)rows[(i * width) + j]), rows[(added * width) + j], 1e-6);
        }

        using (var loaded = ModelFolder.Load(toy.InFolder("grown")).Model)
            Assert.Equal(0, loaded.VocabSize % 32);
        CommandLine.Run(toy.Here, "generate", "grown", "--prompt", "the whale <|b|>", "--max-new-tokens", "4").Done();
    }

    [Fact]
    [Row("C8")]
    public void Words_that_a_model_was_never_trained_on_are_found_by_their_embeddings()
    {
        // Really trained: 300 words in random order, and 6 that are in the vocabulary only.
        using var toy = new ToyRun(steps: 60, saveEvery: 60);
        var draws = new Counter(8, "words");
        string[] words = [.. Enumerable.Range(0, 300).Select(i => $"{(char)('a' + (i % 26))}{(char)('a' + (i / 26))}word")];
        string[] planted = ["zzplanteda", "zzplantedb", "zzplantedc", "zzplantedd", "zzplantede", "zzplantedf"];
        var at = 0UL;
        var rows = Enumerable.Range(0, 400).Select(_ => string.Join(' ', Enumerable.Range(0, 40).Select(_ => words[draws.Below(at++, words.Length)]))).ToArray();
        File.WriteAllLines(toy.InFolder("text.jsonl"), rows.Select(r => $"{{\"text\": \"{r}\"}}"));
        new WordTrainerOptions { VocabSize = 400 }.Train([.. rows.Append(string.Join(' ', planted)).Select(r => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(r))]).Save(toy.InFolder("words"));
        var recipe = File.ReadAllText(toy.Recipe).Replace("{ train: { kind: bpe, vocab_size: 300 } }", "{ path: words }", StringComparison.Ordinal).Replace("learning_rate: 3e-3", "learning_rate: 2e-2", StringComparison.Ordinal)
            .Replace("samples: { max_new_tokens: 8 }", "", StringComparison.Ordinal).Replace("sample_every: 6", "", StringComparison.Ordinal); // words have no beginning of a text to sample from
        File.WriteAllText(toy.Recipe, recipe);
        toy.Train("run").Done();
        var tokenizer = Tokenizer.Load(toy.InFolder("run/model"));
        string[] Found(params string[] more) => [.. CommandLine.Run(toy.Here, ["tokenizer", "inspect", "run/model", "--glitch", "run/model", "--json", .. more]).Done().Lines
            .Select(l => System.Text.Json.JsonDocument.Parse(l).RootElement.GetProperty("name").GetString()!)];
        var ids = planted.Select(p => tokenizer.IdOf(p)).ToArray();
        Assert.DoesNotContain(null, ids);
        var found = Found();
        Assert.Superset(planted.ToHashSet(), found.ToHashSet());
        Assert.Superset(planted.ToHashSet(), Found("--counts", "text.jsonl").ToHashSet());
        Assert.Equal([], Found("--counts", "text.jsonl").Intersect(words)); // what the corpus shows is no glitch
        Assert.True(found.Intersect(words).Count() <= 15, $"{found.Length} found: {string.Join(' ', found)}");

        // The control: a model that saw them all has none of them.
        File.WriteAllLines(toy.InFolder("text.jsonl"), rows.Select((r, i) => $"{{\"text\": \"{r} {planted[i % 6]} {string.Join(' ', planted)}\"}}"));
        toy.Train("seen").Done();
        var seen = CommandLine.Run(toy.Here, "tokenizer", "inspect", "seen/model", "--glitch", "seen/model", "--counts", "text.jsonl", "--json").Done().Out;
        Assert.All(planted, p => Assert.DoesNotContain(p, seen, StringComparison.Ordinal));
    }

    [Theory]
    [Row("C3")]
    [InlineData("unigram")]
    [InlineData("sentencepiece-bpe")]
    [InlineData("sentencepiece-bpe with bytes")]
    [InlineData("t5")]
    public void A_tokenizer_json_becomes_the_sentencepiece_model_that_it_came_from(string kind)
    {
        using var folder = Repo.Temp();
        var here = CommandLine.Settings.In(folder.Path);
        var text = File.ReadAllBytes(Repo.SharedData("moby-dick/moby-dick.txt")).AsMemory(0, 300_000);
        var original = kind switch
        {
            "unigram" => new UnigramTrainerOptions { VocabSize = 800 }.Train([text]),
            "t5" => Tokenizer.Load(Repo.SharedData("tok-t5/spiece.model")),
            _ => new SentencePieceBpeTrainerOptions { VocabSize = 1000, ByteFallback = kind.EndsWith("bytes", StringComparison.Ordinal), SpecialTokens = ["<|end|>"] }.Train([text]),
        };
        original.Save(folder.File("both"));
        Directory.CreateDirectory(folder.File("json"));
        File.Move(folder.File("both/tokenizer.json"), folder.File("json/tokenizer.json"));
        CommandLine.Run(here, "tokenizer", "convert", "json/tokenizer.json", "made/spiece.model").Done();
        Assert.Contains("is there already", CommandLine.Run(here, "tokenizer", "convert", "json/tokenizer.json", "made/spiece.model").Refusal(), StringComparison.Ordinal);
        var made = Tokenizer.Load(folder.File("made/spiece.model"));
        Assert.Equal(original.VocabSize, made.VocabSize);
        for (var id = 0; id < original.VocabSize; id++)
            Assert.Equal((original.NameOf(id), original.IsSpecial(id)), (made.NameOf(id), made.IsSpecial(id)));
        var lines = Encoding.UTF8.GetString(File.ReadAllBytes(Repo.SharedData("moby-dick/moby-dick.txt")).AsSpan(400_000, 200_000)).Split('\n');
        foreach (var line in lines.Concat(["", " ", "  two  spaces ", "日本 é e\u0301 ① 🤗", "<s></s><unk><|end|>", "a\tb"]))
            Assert.Equal(original.Encode(line, addSpecialTokens: false), made.Encode(line, addSpecialTokens: false));
    }

    [Fact]
    [Row("C3")]
    public void What_sentencepiece_cannot_say_is_refused_in_one_line()
    {
        using var folder = Repo.Temp();
        var here = CommandLine.Settings.In(folder.Path);
        Trained().Save(folder.File("bpe"));
        string Refusal(string from) => CommandLine.Run(here, "tokenizer", "convert", from, "x.model").Refusal();
        Assert.Contains("no counterpart among SentencePiece models: it joins bytes", Refusal("bpe"), StringComparison.Ordinal);
        Assert.Contains("normaliser BertNormalizer", Refusal(Repo.Fixture("tokenizers/shapes/distilbert.json")), StringComparison.Ordinal);
        var json = File.ReadAllText(Repo.Fixture("tokenizers/shapes/llama-2.json"));
        File.WriteAllText(folder.File("tokenizer.json"), json.Replace("\"prepend\": \"▁\"", "\"prepend\": \"_\"", StringComparison.Ordinal).Replace("\"prepend\":\"▁\"", "\"prepend\":\"_\"", StringComparison.Ordinal));
        Assert.Contains("normaliser Prepend", Refusal("tokenizer.json"), StringComparison.Ordinal);
        Assert.False(File.Exists(folder.File("x.model")));
        CommandLine.Run(here, "tokenizer", "convert", "bpe", "again").Done(); // to the other format, all can
        Assert.Equal(File.ReadAllText(folder.File("bpe/tokenizer.json")), File.ReadAllText(folder.File("again/tokenizer.json")));
    }

    private static Tokenizer Trained() => new BpeTrainerOptions { VocabSize = 300, SpecialTokens = ["<|end|>"] }.Train([Encoding.UTF8.GetBytes(ToyRun.Text())]);
}

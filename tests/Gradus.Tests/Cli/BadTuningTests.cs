using System.Text.Json;

namespace Gradus.Tests.Cli;

/// <summary>A base model, an adapter over it and conversations, made once for the tests that only read them.</summary>
public sealed class TunedToy : IDisposable
{
    public const string Template = "{% for m in messages %}{{ m.role }}: {{ m.content }}{% if m.role == 'assistant' %}{{ eos_token }}{% endif %}\n{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}";

    internal ToyRun Toy { get; } = new(steps: 4, saveEvery: 0);

    public TunedToy()
    {
        Toy.Train("base").Done();
        Toy.Train("other", "--set", "trainer.seed=2").Done();
        File.WriteAllText(Toy.InFolder("t.jinja"), Template);
        Write("talks.jsonl", Enumerable.Range(0, 20).Select(Talk));
        Write("held.jsonl", Enumerable.Range(100, 5).Select(Talk));
        File.WriteAllText(Toy.InFolder("tune.yaml"), """
            name: tune
            model: { kind: llama, from: base/model }
            records:
              train: { path: talks.jsonl }
              validation: { path: held.jsonl }
            chat: { max_length: 32, template: t.jinja }
            adapter: { kind: lora, rank: 4 }
            optimizer: { kind: adamw, learning_rate: 1e-2 }
            trainer: { steps: 2, batch: 2, threads: 1 }

            """);
        CommandLine.Run(Toy.Here, "train", "tune.yaml", "--out", "tuned").Done();
    }

    public void Dispose() => Toy.Dispose();

    internal static object Talk(int i) => new { messages = new[] { new { role = "user", content = $"the sea {i}" }, new { role = "assistant", content = "a whale" } } };

    internal void Write(string name, IEnumerable<object> rows) => File.WriteAllLines(Toy.InFolder(name), rows.Select(row => JsonSerializer.Serialize(row)));
}

/// <summary>What people get wrong when they tune a model: each ends with exit code 2 and one line that says what and where, and nothing is left behind.</summary>
[Row("I1", "I13")]
public sealed class BadTuningTests(TunedToy tuned) : IClassFixture<TunedToy>
{
    private readonly ToyRun _toy = tuned.Toy;

    /// <summary>What → (text to replace in the recipe, its replacement, what the line must say).</summary>
    private static readonly Dictionary<string, (string Old, string New, string[] Says)> s_recipes = new()
    {
        ["a column that is not there"] = ("path: talks.jsonl", "path: talks.jsonl, format: { kind: messages, columns: { messages: turns } }", ["talks.jsonl:1", "turns"]),
        ["a field that the format has not"] = ("path: talks.jsonl", "path: talks.jsonl, format: { kind: messages, columns: { mesages: messages } }", ["tune-bad.yaml:4", "mesages", "did you mean 'messages'"]),
        ["records that are not there"] = ("path: held.jsonl", "path: hled.jsonl", ["hled.jsonl"]),
        ["an empty split"] = ("path: held.jsonl", "path: empty.jsonl", ["empty.jsonl", "no records"]),
        ["a split that is among the others"] = ("path: held.jsonl", "path: talks.jsonl", ["talks.jsonl:1", "among the training records"]),
        ["a row that is not JSON"] = ("path: talks.jsonl", "path: broken.jsonl", ["broken.jsonl:2", "not valid JSON"]),
        ["rows with nothing to learn"] = ("path: talks.jsonl", "path: silent.jsonl", ["records.train", "nothing can be learned"]),
        ["a template that never ends a turn"] = ("template: t.jinja", "template: endless.jinja", ["chat.template", "no row teaches the model to stop"]),
        ["a template with a fault"] = ("template: t.jinja", "template: faulty.jinja", ["faulty.jinja", ":1"]),
        ["a template that is not there"] = ("template: t.jinja", "template: absent.jinja", ["absent.jinja"]),
        ["a base that is not there"] = ("from: base/model", "from: bsae/model", ["bsae/model"]),
        ["a base without a template"] = (", template: t.jinja", "", ["base/model", "template"]),
        ["an unknown method"] = ("kind: lora", "kind: lorra", ["tune-bad.yaml:7", "lorra", "did you mean 'lora'"]),
        ["rank 0"] = ("rank: 4", "rank: 0", ["tune-bad.yaml:7", "rank", "at least 1"]),
        ["a module that the model has not"] = ("rank: 4", "rank: 4, targets: [q_porj]", ["q_porj", "did you mean 'q_proj'"]),
        ["an adapter over nothing"] = (", from: base/model", "", ["tune-bad.yaml", "adapter", "model.from"]),
        ["rows longer than the model"] = ("max_length: 32", "max_length: 64", ["chat.max_length", "32 positions"]),
    };

    public static TheoryData<string> Recipes => [.. s_recipes.Keys];

    [Theory]
    [MemberData(nameof(Recipes))]
    public void A_run_that_cannot_be_is_one_clear_line_and_nothing_is_left(string fault)
    {
        File.WriteAllText(_toy.InFolder("empty.jsonl"), "");
        File.WriteAllText(_toy.InFolder("broken.jsonl"), File.ReadLines(_toy.InFolder("talks.jsonl")).First() + "\n{\"messages\": [\n");
        tuned.Write("silent.jsonl", Enumerable.Range(0, 5).Select(i => (object)new { messages = new object[] { new { role = "user", content = $"hello {i}" }, new { role = "assistant", content = "there", weight = 0 } } }));
        File.WriteAllText(_toy.InFolder("endless.jinja"), TunedToy.Template.Replace("{{ eos_token }}", "", StringComparison.Ordinal));
        File.WriteAllText(_toy.InFolder("faulty.jinja"), "{% for m in messages %}{{ m.content }");
        var (old, replacement, says) = s_recipes[fault];
        var text = File.ReadAllText(_toy.InFolder("tune.yaml"));
        Assert.Contains(old, text, StringComparison.Ordinal);
        File.WriteAllText(_toy.InFolder("tune-bad.yaml"), text.Replace(old, replacement, StringComparison.Ordinal));
        Refused(says, "train", "tune-bad.yaml", "--out", "refused");
        Assert.False(Directory.Exists(_toy.InFolder("refused")));
    }

    [Fact]
    [Row("I13")]
    public void An_adapter_that_does_not_fit_is_one_clear_line()
    {
        string[] With(string adapter, string model = "base") => ["generate", model, "--adapter", adapter, "--prompt", "x"];
        Refused(["tuned", "another base"], With("tuned", "other"));
        Refused(["nowhere"], With("nowhere"));
        var weights = File.ReadAllBytes(_toy.InFolder("tuned/adapter/adapter_model.safetensors"));
        void Copy(string name, byte[]? tensors)
        {
            Directory.CreateDirectory(_toy.InFolder(name));
            foreach (var file in Directory.GetFiles(_toy.InFolder("tuned/adapter"))) File.Copy(file, Path.Combine(_toy.InFolder(name), Path.GetFileName(file)), true);
            File.Delete(_toy.InFolder($"{name}/adapter_model.safetensors"));
            if (tensors is not null) File.WriteAllBytes(_toy.InFolder($"{name}/adapter_model.safetensors"), tensors);
        }
        Copy("cut", weights[..^9]);
        Refused(["cut", "adapter_model.safetensors"], With("cut"));
        Copy("none", null);
        Refused(["none", "adapter_model.safetensors"], With("none"));
        File.WriteAllBytes(_toy.InFolder("none/adapter_model.bin"), [0x80, 2]);
        Refused(["adapter_model.bin", "pickle"], With("none"));
        Copy("method", weights);
        File.WriteAllText(_toy.InFolder("method/adapter_config.json"), File.ReadAllText(_toy.InFolder("tuned/adapter/adapter_config.json")).Replace("\"LORA\"", "\"LOHA\"", StringComparison.Ordinal));
        Refused(["adapter_config.json", "LOHA"], With("method"));
        Copy("rank", weights);
        File.WriteAllText(_toy.InFolder("rank/adapter_config.json"), File.ReadAllText(_toy.InFolder("tuned/adapter/adapter_config.json")).Replace("\"r\": 4", "\"r\": 8", StringComparison.Ordinal));
        Refused(["r is 8", "has rank 4"], With("rank"));
        // The control: what was tuned here is taken.
        CommandLine.Run(_toy.Here, [.. With("tuned"), "--max-new-tokens", "2"]).Done();
    }

    [Fact]
    [Row("I1")]
    [Row("Y14")]
    public void Peek_shows_the_very_rows_of_the_run()
    {
        var rows = CommandLine.Run(_toy.Here, "data", "peek", "tune.yaml", "--count", "99", "--json", "--html", "peek.html").Done().Lines.Select(l => JsonDocument.Parse(l).RootElement).ToList();
        // Twenty conversations, each begun by a border or a row, each with an answer and its end learned.
        Assert.Equal(20, rows.Sum(row => 1 + row.GetProperty("borders").GetArrayLength()));
        foreach (var row in rows)
        {
            Assert.InRange(row.GetProperty("ids").GetArrayLength(), 1, 32 + 1 + row.GetProperty("borders").GetArrayLength());
            var (ids, learned) = (row.GetProperty("ids").EnumerateArray().Select(i => i.GetInt32()).ToList(), row.GetProperty("learned").EnumerateArray().Select(i => i.GetInt32()).ToList());
            var tokenizer = Gradus.Text.Tokenizers.Tokenizer.Load(_toy.InFolder("base/model"));
            var answers = tokenizer.Decode([.. ids.Where((_, i) => learned[i] == 1)], skipSpecialTokens: false);
            Assert.Equal(string.Concat(Enumerable.Repeat(" a whale" + tokenizer.NameOf(tokenizer.EosId!.Value), 1 + row.GetProperty("borders").GetArrayLength())), answers);
        }
        Assert.Contains("class=\"t l", File.ReadAllText(_toy.InFolder("peek.html")), StringComparison.Ordinal);
    }

    [Fact]
    [Row("I11", "I13")]
    public void A_tuned_adapter_is_talked_with_by_the_template_it_learned()
    {
        string Answer(params string[] model) => CommandLine.Run(_toy.Here with { Input = "the sea 3\n"u8.ToArray() }, ["chat", .. model, "--temperature", "0", "--max-new-tokens", "6", "--json"]).Done().Json.GetProperty("content").GetString()!;
        Assert.Equal(Answer("tuned"), Answer("base", "--adapter", "tuned"));
        Assert.Equal(Answer("tuned"), Answer("base", "--adapter", "tuned", "--template", "t.jinja"));
        CommandLine.Run(_toy.Here, "adapter", "merge", "tuned", "--out", "merged").Done();
        Assert.Equal(Answer("tuned"), Answer("merged"));
        File.WriteAllText(_toy.InFolder("merged/notes.txt"), "mine");
        Refused(["merged", "notes.txt"], "adapter", "merge", "tuned", "--out", "merged", "--force");
        // The control: the base has no template of its own.
        Refused(["base/model", "template"], "chat", "base");
    }

    private void Refused(string[] says, params string[] arguments)
    {
        var line = CommandLine.Run(_toy.Here, arguments).Refusal();
        foreach (var part in says) Assert.Contains(part, line, StringComparison.Ordinal);
    }
}

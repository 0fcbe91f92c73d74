using System.Globalization;
using System.Text.Json;
using Gradus.Foundation.Files;
using Gradus.Inference.Generation;
using Gradus.Models.Families;
using Gradus.Models.Families.Llama;
using Gradus.Text.Data.Records;
using Gradus.Text.Data.Rows;
using Gradus.Text.Tokenizers;
using Gradus.Text.Tokenizers.Chat;
using Gradus.Training.Loop;
using Gradus.Training.Optim;
using Gradus.Tests.Cli;

namespace Gradus.Tests.Training.Loop;

/// <summary>Whole runs on conversations: from a recipe to a model that answers, and stops.</summary>
[Row("I1", "I11")]
public sealed class ChatRunTests : IDisposable
{
    private const string Template = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

    private readonly TempFolder _folder = Repo.Temp();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_model_learns_to_answer_and_to_stop_by_itself()
    {
        Talks("talks.jsonl", 700);
        var said = new List<string>();
        var result = TrainingRun.Execute(Recipe("talks.jsonl", steps: 250), _folder.File("run"), resume: false, [], said.Add, stop: TestContext.Current.CancellationToken);
        var report = JsonDocument.Parse(File.ReadAllText(_folder.File("run/evaluation.json"))).RootElement;
        var (before, after) = (report.GetProperty("before"), report.GetProperty("after"));
        Assert.True(after.GetProperty("loss").GetDouble() < 0.5 * before.GetProperty("loss").GetDouble(), report.ToString());
        // The control: the untrained model runs on; the tuned one ends 99 of 100 answers.
        Assert.Equal(100, after.GetProperty("asked").GetInt32());
        Assert.InRange(after.GetProperty("stopped").GetInt32(), 99, 100);
        Assert.InRange(after.GetProperty("stopped_drawn").GetInt32(), 99, 100);
        Assert.True(before.GetProperty("stopped").GetInt32() < 50 && before.GetProperty("stopped_drawn").GetInt32() < 50, report.ToString());
        Assert.Contains(said, line => line.StartsWith("records: ", StringComparison.Ordinal) && line.Contains("learned", StringComparison.Ordinal));
        Assert.Contains("answers ended by the model itself", File.ReadAllText(_folder.File("run/report.md")), StringComparison.Ordinal);

        // From its folder, with its own template: what was trained is what is served.
        var tokenizer = Tokenizer.Load(result.ModelFolder!);
        var chat = ChatTemplate.Load(result.ModelFolder!, tokenizer);
        var (_, model) = ModelFolder.Load(result.ModelFolder!);
        using var owned = model;
        var prompt = chat.Apply([new("user", "what colour is the sky?")], new() { AddGenerationPrompt = true });
        var (text, _, finish) = new TextGenerator(model, tokenizer, [chat.EndOfTurn()!.Value]).Complete(prompt.Ids, new Sampling { Temperature = 0, MaxNewTokens = 40 }, TestContext.Current.CancellationToken);
        Assert.Equal(FinishReason.EndOfText, finish);
        Assert.StartsWith("the sky is ", text, StringComparison.Ordinal);
        // And by the command line: two messages, two answers, each ended by the model.
        var answers = CommandLine.Run(CommandLine.Settings.In(_folder.Path) with { Input = "what colour is the sea?\nwhat colour is the hat?\n"u8.ToArray() }, "chat", "run", "--temperature", "0", "--json").Done().Lines.Select(l => JsonDocument.Parse(l).RootElement).ToList();
        Assert.Equal(["end_of_text", "end_of_text"], answers.Select(a => a.GetProperty("finish").GetString()));
        // What was said can be saved and trained on; /clear forgets it; a wrong knob is one line.
        CommandLine.Run(CommandLine.Settings.In(_folder.Path) with { Input = "/system Be brief.\n/set temperature 0\nwhat colour \\\nis the sea?\n/save one.jsonl\n/clear\n/save two.jsonl\n"u8.ToArray() }, "chat", "run").Done();
        var saved = Assert.IsType<Conversation>(Assert.Single(From("one.jsonl").Read(new Gradus.Text.Data.Sources.SourceReport())));
        Assert.Equal(["system", "user", "assistant"], saved.Messages.Select(m => m.Role));
        Assert.Equal(("Be brief.", "what colour \nis the sea?"), (saved.Messages[0].Content, saved.Messages[1].Content));
        Assert.DoesNotContain("sea", File.ReadAllText(_folder.File("two.jsonl")), StringComparison.Ordinal);
        Assert.Contains("'temperatur' is no knob; did you mean 'temperature'?", CommandLine.Run(CommandLine.Settings.In(_folder.Path) with { Input = "/set temperatur 1\n"u8.ToArray() }, "chat", "run").Refusal(), StringComparison.Ordinal);
        Assert.Contains("the model's context holds 128", CommandLine.Run(CommandLine.Settings.In(_folder.Path) with { Input = System.Text.Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("sea ", 200)) + "\n") }, "chat", "run").Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void Packed_and_stopped_half_way_the_run_ends_with_the_same_bytes()
    {
        Talks("talks.jsonl", 120);
        var recipe = Recipe("talks.jsonl", steps: 30);
        var whole = TrainingRun.Execute(recipe, _folder.File("whole"), resume: false, [], stop: TestContext.Current.CancellationToken);
        using (var stop = new CancellationTokenSource())
            Assert.Equal(RunEnd.Interrupted, TrainingRun.Execute(recipe, _folder.File("parts"), resume: false, [new AtStep(13, stop.Cancel)], stop: stop.Token).End);
        var resumed = TrainingRun.Execute(recipe, _folder.File("parts"), resume: true, [], stop: TestContext.Current.CancellationToken);
        Assert.Equal(Hashing.Sha256File(Path.Combine(whole.ModelFolder!, "model.safetensors")), Hashing.Sha256File(Path.Combine(resumed.ModelFolder!, "model.safetensors")));
        Assert.Equal(File.ReadAllText(_folder.File("whole/evaluation.json")), File.ReadAllText(_folder.File("parts/evaluation.json")));
    }

    [Fact]
    public void What_would_make_a_run_worthless_is_refused_in_one_line_before_it_begins()
    {
        Talks("talks.jsonl", 40);
        Refused("nothing can be learned from any of", () => { Rows("silent.jsonl", new { messages = new[] { new { role = "user", content = "hello", weight = 1 }, new { role = "assistant", content = "there", weight = 0 } } }); return Recipe("silent.jsonl"); });
        Refused("no row teaches the model to stop", () => Recipe("talks.jsonl", template: "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"));
        Refused("among the training records as well", () => Recipe("talks.jsonl") with { Records = new RecordSets { Train = From("talks.jsonl"), Validation = From("talks.jsonl") } });
        Refused("has more than 8 tokens (chat.max_length, chat.too_long)", () => Recipe("talks.jsonl") is var r ? r with { Chat = r.Chat! with { MaxLength = 8, TooLong = LongRows.Stop } } : r);
        Refused("not before chat.max_length", () => Recipe("talks.jsonl") is var r ? r with { Chat = r.Chat! with { MaxLength = 8 } } : r);
        Refused("chat learns from conversations", () => { Rows("labels.jsonl", [.. Enumerable.Range(0, 20).Select(i => (object)new { text = $"good film {i}", label = "positive" })]); return Recipe("labels.jsonl"); });
        Refused("none.jsonl", () => Recipe("none.jsonl"));
    }

    private void Refused(string says, Func<TrainRecipe> make)
    {
        var error = Assert.Throws<UserException>(() => TrainingRun.Execute(make(), _folder.File("run"), resume: false, [], stop: TestContext.Current.CancellationToken));
        Assert.Contains(says, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
        Assert.False(Directory.Exists(_folder.File("run")));
    }

    private RecordOptions From(string file) => new() { Path = _folder.File(file) };

    private TrainRecipe Recipe(string file, long steps = 5, string template = Template)
    {
        File.WriteAllText(_folder.File("t.jinja"), template);
        return new TrainRecipe
        {
            Model = new LlamaOptions { HiddenSize = 64, IntermediateSize = 128, NumHiddenLayers = 2, NumAttentionHeads = 4, NumKeyValueHeads = 2, MaxPositionEmbeddings = 128, TieWordEmbeddings = true },
            Tokenizer = new TokenizerChoice { Train = new BpeTrainerOptions { VocabSize = 320, SpecialTokens = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"] } },
            Records = new RecordSets { Train = From(file), ValidationShare = 0.2 },
            Chat = new ChatRowOptions { MaxLength = 96, Template = _folder.File("t.jinja") },
            Optimizer = new AdamWOptions { LearningRate = 3e-3 },
            Trainer = new TrainerOptions { Steps = steps, Batch = 8, ValidateEvery = 50, SaveEvery = 10 },
        };
    }

    private void Talks(string file, int count)
    {
        string[] things = ["sea", "sky", "hat", "ship", "whale", "house", "door", "road", "tree", "stone", "coat", "boat"], colours = ["red", "blue", "green", "grey"];
        Rows(file, [.. Enumerable.Range(0, count).Select(i => (object)new
        {
            messages = new[]
            {
                new { role = "user", content = string.Create(CultureInfo.InvariantCulture, $"what colour is the {things[i % things.Length]}{(i < things.Length ? "" : $" {i}")}?") },
                new { role = "assistant", content = $"the {things[i % things.Length]} is {colours[i % things.Length % colours.Length]}." },
            },
        })]);
    }

    private void Rows(string file, params object[] rows) => File.WriteAllLines(_folder.File(file), rows.Select(row => JsonSerializer.Serialize(row)));
}

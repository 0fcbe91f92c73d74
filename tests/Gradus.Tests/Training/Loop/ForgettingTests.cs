using System.Text;
using System.Text.Json;
using Gradus.Engine.Tensors;
using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;
using Gradus.Inference.Evaluation;
using Gradus.Models.Families;
using Gradus.Models.Families.Bert;
using Gradus.Text.Data;
using Gradus.Text.Tokenizers;
using Gradus.Training.Loop;

namespace Gradus.Tests.Training.Loop;

/// <summary>General text before and after a tuning run: before is the base as <c>gradus eval</c> measures it, after is what was exported.</summary>
[Row("X.4", "L1")]
public sealed class ForgettingTests(TunedBase tuned) : IClassFixture<TunedBase>, IDisposable
{
    private readonly TempFolder _folder = Repo.Temp();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("")]
    [InlineData("adapter: { kind: lora, rank: 4 }")]
    [InlineData("adapter: { kind: prefix, length: 4 }")] // not the base at the start: before must be the base all the same
    public void Another_domain_is_learned_and_the_first_one_forgotten(string adapter)
    {
        Other();
        var events = new Seen();
        TrainingRun.Execute(Recipe(adapter, "optimizer.learning_rate=2e-2"), _folder.File("run"), resume: false, [events], stop: TestContext.Current.CancellationToken);
        var report = GeneralText.Read(_folder.File("run"))!;
        Assert.Equal(Bits(tuned.Model, report.Window), report.Before!.Value, 12);
        Assert.True(report.After > report.Before * 1.01, report.ToString());
        if (adapter.Length == 0) Assert.Equal(Bits(_folder.File("run/model"), report.Window), report.After!.Value, 12);
        Assert.InRange(report.Targets, 350, 402);
        Assert.Contains($"| general text | {report} |", File.ReadAllText(_folder.File("run/report.md")), StringComparison.Ordinal);
        Assert.Equal([null, report.After], events.All.Select(e => e.After));
        // Resumed after its end it is measured again, against the same before.
        TrainingRun.Execute(Recipe(adapter, "optimizer.learning_rate=2e-2"), _folder.File("run"), resume: true, [], stop: TestContext.Current.CancellationToken);
        Assert.Equal(report, GeneralText.Read(_folder.File("run")));
    }

    [Fact]
    public void The_control_a_run_that_learns_nothing_forgets_nothing()
    {
        Other();
        TrainingRun.Execute(Recipe("", "optimizer.learning_rate=1e-12"), _folder.File("run"), resume: false, [], force: ["overfit", "moved"], stop: TestContext.Current.CancellationToken);
        var report = GeneralText.Read(_folder.File("run"))!;
        Assert.Equal(report.Before!.Value, report.After!.Value, 6);
    }

    [Fact]
    [Row("I2")]
    public void A_classifiers_body_is_judged_under_the_layer_for_tokens_it_came_with()
    {
        Labels();
        GeneralText Of(string name, string rate, params string[] force)
        {
            TrainingRun.Execute(Task("gpt2", tuned.Model, rate), _folder.File(name), resume: false, [], force: force, stop: TestContext.Current.CancellationToken);
            return GeneralText.Read(_folder.File(name))!;
        }
        var (still, moved) = (Of("still", "1e-12", "overfit", "moved"), Of("moved", "1e-2"));
        Assert.Equal(Bits(tuned.Model, still.Window), still.Before!.Value, 12);
        Assert.Equal(still.Before!.Value, still.After!.Value, 6);
        Assert.Equal(still.Before, moved.Before);
        Assert.True(moved.After > moved.Before * 1.05, moved.ToString());
        // A folder whose output layer is for labels already has none for tokens left.
        TrainingRun.Execute(Task("gpt2", _folder.File("moved/model"), "1e-2"), _folder.File("again"), resume: false, [], stop: TestContext.Current.CancellationToken);
        Assert.Contains("not measured: model.from has an output layer for labels", File.ReadAllText(_folder.File("again/report.md")), StringComparison.Ordinal);
    }

    [Fact]
    public void An_encoder_is_skipped_with_the_reason()
    {
        Labels();
        var tokenizer = Tokenizer.Load(tuned.Model);
        var options = new BertOptions { VocabSize = tokenizer.VocabSize, HiddenSize = 32, NumHiddenLayers = 1, NumAttentionHeads = 2, IntermediateSize = 64, MaxPositionEmbeddings = 64 };
        using (var model = options.BuildFresh(3)) ModelFolder.Save(model, options, _folder.File("bert"));
        tokenizer.Save(_folder.File("bert"));
        TrainingRun.Execute(Task("bert", _folder.File("bert"), "3e-3"), _folder.File("run"), resume: false, [], force: ["overfit"], stop: TestContext.Current.CancellationToken);
        Assert.Contains("an encoder sees the words", GeneralText.Read(_folder.File("run"))!.Skipped, StringComparison.Ordinal);
    }

    [Fact]
    public void A_text_that_is_not_there_or_a_model_from_nothing_is_one_line_and_nothing_is_written()
    {
        Other();
        Assert.Contains("absent.txt", Assert.Throws<UserException>(() => TrainingRun.Execute(Recipe("", "forgetting.text=absent.txt"), _folder.File("run"), resume: false, [], stop: TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder.File("run")));
        Assert.Contains("has nothing to forget; set model.from", Assert.Throws<RecipeException>(() => Recipe("", "model={kind: gpt2}")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_text_that_changes_on_the_way_is_said_and_costs_no_run()
    {
        Other();
        File.Copy(tuned.Text, _folder.File("general.jsonl"));
        var run = TrainingRun.Execute(Recipe("", $"forgetting.text={_folder.File("general.jsonl")}", "forgetting.tokens=100000"), _folder.File("run"), resume: false,
            [new AtStep(3, () => File.AppendAllText(_folder.File("general.jsonl"), "{\"text\": \"one more\"}\n"))], stop: TestContext.Current.CancellationToken);
        Assert.Equal(RunEnd.Finished, run.End);
        Assert.Contains("| general text | not measured: ", File.ReadAllText(_folder.File("run/report.md")), StringComparison.Ordinal);
        Assert.EndsWith("has changed since before the run", GeneralText.Read(_folder.File("run"))!.Skipped, StringComparison.Ordinal);
    }

    [Fact]
    public void The_first_so_many_tokens_end_between_words_and_their_bytes_are_counted()
    {
        var tokenizer = Tokenizer.Load(tuned.Model);
        var text = string.Join(' ', Enumerable.Range(0, 400).Select(i => i % 3 == 0 ? "the captain" : "saw a whale"));
        File.WriteAllText(_folder.File("one.txt"), text);
        using var some = HeldOutText.Read(_folder.File("one.txt"), tokenizer, 100);
        Assert.InRange(some.Tokens, 90, 103);
        var kept = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)[..(int)some.TextBytes]);
        Assert.Equal(' ', text[kept.Length]);
        var ids = new List<int>();
        tokenizer.Encode(Encoding.UTF8.GetBytes(kept), ids, addSpecialTokens: false);
        Assert.Equal(ids, some.ToArray()[..ids.Count]);
        using var all = HeldOutText.Read(_folder.File("one.txt"), tokenizer);
        Assert.Equal(text.Length, all.TextBytes);
        // In a script without spaces the cut is between two characters.
        File.WriteAllText(_folder.File("two.txt"), string.Concat(Enumerable.Repeat("海は青い", 500)));
        using var characters = HeldOutText.Read(_folder.File("two.txt"), tokenizer, 50);
        Assert.InRange(characters.Tokens, 40, 53);
        Assert.Equal(0, characters.TextBytes % 3);
    }

    // The text the base was made of, and one of other words.
    private void Other() => File.WriteAllLines(_folder.File("other.jsonl"), Enumerable.Range(0, 40).Select(i => $"{{\"text\": \"{string.Join(' ', Enumerable.Range(0, 30).Select(w => $"{(i * 7 + w * w) % 10}{(i + w * 3) % 10}"))}\"}}"));

    private void Labels() => File.WriteAllLines(_folder.File("labels.jsonl"), Enumerable.Range(0, 60).Select(i => JsonSerializer.Serialize(new { text = $"{(i % 2 == 0 ? "the captain loved" : "a whale feared")} the sea {i}", label = i % 2 == 0 ? "good" : "bad" })));

    private TrainRecipe Recipe(string section, params string[] overrides) => RecipeFile.Parse<TrainRecipe>($$"""
        name: tuned
        model: { kind: gpt2, from: "{{tuned.Model}}" }
        {{section}}
        data: { sources: [ { kind: jsonl, path: "{{_folder.File("other.jsonl")}}" } ], split: { validation: 0, test: 0 } }
        windows: { length: 16 }
        forgetting: { text: "{{tuned.Text}}", tokens: 400 }
        optimizer: { kind: adamw, learning_rate: 5e-3 }
        trainer: { steps: 30, batch: 8, validate_every: 0, save_every: 0 }
        """, "recipe.yaml", overrides);

    private TrainRecipe Task(string kind, string from, string rate) => RecipeFile.Parse<TrainRecipe>($$"""
        name: classes
        model: { kind: {{kind}}, from: "{{from}}" }
        task: { kind: sequence-classification, max_length: 24 }
        records: { train: { path: "{{_folder.File("labels.jsonl")}}" } }
        forgetting: { text: "{{tuned.Text}}", tokens: 400 }
        optimizer: { kind: adamw, learning_rate: {{rate}} }
        trainer: { steps: 20, batch: 8, validate_every: 0, save_every: 0 }
        """, "recipe.yaml", []);

    private double Bits(string folder, int window)
    {
        var (_, model) = ModelFolder.Load(folder);
        using var owned = model;
        using var scope = Tensor.Scope();
        using var tokens = HeldOutText.Read(tuned.Text, Tokenizer.Load(folder), 400);
        return Perplexity.Of(model, new SequentialWindows(tokens, new WindowOptions { Length = window }), tokens.TextBytes).BitsPerByte;
    }

    private sealed class Seen : IRunHook
    {
        public List<GeneralText> All { get; } = [];
        public void Measured(GeneralText report) => All.Add(report);
    }
}

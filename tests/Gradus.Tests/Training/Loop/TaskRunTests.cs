using System.Globalization;
using System.Text;
using System.Text.Json;
using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;
using Gradus.Inference.Tasks;
using Gradus.Models.Families;
using Gradus.Models.Families.Bert;
using Gradus.Models.Families.Gpt2;
using Gradus.Models.Peft;
using Gradus.Tests.Cli;
using Gradus.Text.Data.Records;
using Gradus.Text.Tokenizers.Trainers;
using Gradus.Training.Loop;
using Gradus.Training.Optim;

namespace Gradus.Tests.Training.Loop;

/// <summary>Whole runs on records: a classifier, a tagger, an answerer and a regression from a recipe to an exported model, each against its baseline and with a control.</summary>
[Row("I2")]
public sealed class TaskRunTests : IDisposable
{
    private readonly TempFolder _folder = Repo.Temp();

    public void Dispose() => _folder.Dispose();

    [Theory, InlineData("bert"), InlineData("gpt2")]
    public void A_classifier_learns_is_judged_before_and_after_and_answers_from_its_folder(string family)
    {
        Labelled(shuffled: false);
        var said = new List<string>();
        var result = Train(Classifier(family), "run", say: said.Add);
        var (before, after, baseline) = Scores("accuracy");
        Assert.True(after > 0.9 && after > baseline + 0.2, $"{baseline} {before} {after}");
        var report = File.ReadAllText(_folder.File("run/report.md"));
        Assert.Contains("| accuracy |", report, StringComparison.Ordinal);
        Assert.Contains("| expected \\ said | bad | good |", report, StringComparison.Ordinal);
        Assert.Contains(said, line => line.StartsWith("records: ", StringComparison.Ordinal));

        var (_, model) = ModelFolder.Load(result.ModelFolder!);
        using var owned = model;
        Assert.Equal(["bad", "good"], model.Task!.Labels);
        var work = TaskOptions.For(model.Task, 48).Bind(Gradus.Text.Tokenizers.Tokenizer.Load(result.ModelFolder!), model.Task, model.IsCausal);
        var answers = TaskEvaluation.Answers(model, work, [work.Ask("the sailor loved the sea", null, "1"), work.Ask("the captain feared a whale", null, "2")], cancel: TestContext.Current.CancellationToken);
        Assert.Equal(["good", "bad"], answers.Select(a => a.Said[0]));
        // The exported weights are those of the best validation, not of the last step.
        Assert.True(result.State.BestScore >= after - 1e-12);
    }

    [Fact]
    public void Labels_that_mean_nothing_teach_nothing()
    {
        Labelled(shuffled: true);
        Train(Classifier("bert"), "run");
        Assert.InRange(Scores("accuracy").After, 0.25, 0.75);
    }

    [Fact]
    public void A_run_that_was_stopped_ends_with_the_same_bytes()
    {
        Labelled(shuffled: false);
        var recipe = Classifier("bert");
        var whole = Train(recipe, "whole");
        using (var stop = new CancellationTokenSource())
            Assert.Equal(RunEnd.Interrupted, TrainingRun.Execute(recipe, _folder.File("parts"), resume: false, [new AtStep(37, stop.Cancel)], stop: stop.Token).End);
        var resumed = Train(recipe, "parts", resume: true);
        Assert.Equal(Hashing.Sha256File(Path.Combine(whole.ModelFolder!, "model.safetensors")), Hashing.Sha256File(Path.Combine(resumed.ModelFolder!, "model.safetensors")));
        Assert.Equal(File.ReadAllText(_folder.File("whole/evaluation.json")), File.ReadAllText(_folder.File("parts/evaluation.json")));
    }

    [Fact]
    public void A_tagger_finds_names_better_than_remembered_words()
    {
        var text = new StringBuilder();
        var draws = new Counter(4, "tags");
        for (var i = 0; i < 240; i++)
        {
            var (person, place) = (draws.Below((ulong)i * 4, 900), draws.Below((ulong)i * 4 + 1, 900));
            text.Append(CultureInfo.InvariantCulture, $"Mr\tO\n{Name(person)}\tB-person\nwent\tO\nto\tO\n{Name(place)}\tB-place\n{(i % 2 == 0 ? "city\tI-place\n" : "")}.\tO\n\n");
        }
        File.WriteAllText(_folder.File("train.conll"), text.ToString());
        var recipe = Recipe(Bert(), new TokenClassification { MaxLength = 48 }, "train.conll", steps: 150);
        Train(recipe, "run");
        var (_, after, baseline) = Scores("entity F1");
        Assert.True(after > 0.9 && after > baseline + 0.2, $"{baseline} {after}");

        static string Name(int i) => string.Create(CultureInfo.InvariantCulture, $"{(char)('A' + i % 26)}{(char)('a' + i / 26 % 26)}{"eiou"[i % 4]}n{i % 10}");
    }

    [Fact]
    public void An_answerer_finds_the_number_that_is_asked_for()
    {
        using (var rows = File.CreateText(_folder.File("train.jsonl")))
        {
            var draws = new Counter(4, "questions");
            for (var i = 0; i < 400; i++)
            {
                var (a, b) = (100 + draws.Below((ulong)i * 3, 900), 100 + draws.Below((ulong)i * 3 + 1, 900));
                var context = string.Create(CultureInfo.InvariantCulture, $"the ship has {a} men and the town has {b} men");
                var ship = i % 2 == 0;
                rows.WriteLine(JsonSerializer.Serialize(new { id = $"{i}", context, question = ship ? "how many on the ship" : "how many in the town", answers = new { text = new[] { $"{(ship ? a : b)}" }, answer_start = new[] { ship ? 13 : context.LastIndexOf("has", StringComparison.Ordinal) + 4 } } }));
            }
        }
        Train(Recipe(Bert(), new QuestionAnswering { MaxLength = 48, Stride = 8 }, "train.jsonl", steps: 200), "run");
        var (before, after, baseline) = Scores("exact match");
        Assert.True(after > 0.8 && after > Math.Max(before, baseline) + 0.3, $"{baseline} {before} {after}");
    }

    [Fact]
    public void A_regression_says_numbers_nearer_than_the_mean()
    {
        var draws = new Counter(4, "numbers");
        File.WriteAllLines(_folder.File("train.jsonl"), Enumerable.Range(0, 300).Select(i =>
        {
            var count = draws.Below((ulong)i, 6);
            return JsonSerializer.Serialize(new { text = string.Join(' ', Enumerable.Range(0, 6).Select(w => w < count ? "gull" : "whale")) + $" {i}", label = count / 5.0 });
        }));
        Train(Recipe(Bert(), new Gradus.Inference.Tasks.Regression { MaxLength = 24, Pooling = RowState.Mean }, "train.jsonl", steps: 120), "run");
        var (_, after, baseline) = Scores("squared error");
        Assert.True(after < baseline / 3, $"{baseline} {after}");
    }

    [Fact, Row("I4")]
    public void A_model_that_read_before_needs_fewer_labels_for_the_same()
    {
        Labelled(shuffled: false);
        var first = Train(Classifier("bert"), "first");
        // The same body for another question about the same texts: the labels' names are turned round and few.
        File.WriteAllLines(_folder.File("few.jsonl"), File.ReadLines(_folder.File("train.jsonl")).Take(40).Select(l => l.Replace("\"good\"", "\"warm\"", StringComparison.Ordinal).Replace("\"bad\"", "\"cold\"", StringComparison.Ordinal)));
        File.WriteAllLines(_folder.File("other.jsonl"), File.ReadLines(_folder.File("train.jsonl")).Skip(100).Select(l => l.Replace("\"good\"", "\"warm\"", StringComparison.Ordinal).Replace("\"bad\"", "\"cold\"", StringComparison.Ordinal)));
        var few = Classifier("bert") with { Records = new RecordSets { Train = new RecordOptions { Path = _folder.File("few.jsonl") }, Validation = new RecordOptions { Path = _folder.File("other.jsonl") } }, Trainer = Classifier("bert").Trainer with { Steps = 25 } };
        Train(few, "run");
        var scratch = Scores("accuracy").After;
        Directory.Delete(_folder.File("run"), recursive: true);
        Train(few with { Model = new BertOptions { From = first.ModelFolder }, Tokenizer = null }, "run");
        var tuned = Scores("accuracy").After;
        Assert.True(tuned > 0.9 && tuned > scratch + 0.05, $"{scratch} {tuned}");
    }

    [Theory]
    [InlineData("bert", "{ kind: lora, rank: 4 }", 5e-3)]
    [InlineData("bert", "{ kind: lora, rank: 4, base: { kind: nf4 } }", 5e-3)]
    [InlineData("bert", "{ kind: bitfit }", 1e-2)]
    [InlineData("gpt2", "{ kind: lora, rank: 4, dora: true }", 1e-2)]
    [InlineData("gpt2", "{ kind: ia3, base: { kind: int8 } }", 3e-2)]
    [InlineData("gpt2", "{ kind: bottleneck, size: 8 }", 1e-2)]
    [InlineData("gpt2", "{ kind: prefix, length: 4 }", 3e-2)]
    [InlineData("gpt2", "{ kind: prompt, length: 4 }", 3e-2)]
    [Row("I4"), Row("I5")]
    public void An_adapter_and_an_output_layer_are_learned_together_over_a_body_that_stays(string family, string adapter, double rate)
    {
        // The body has learned to tell the verbs apart, not what they have in common: another question with other labels.
        Labelled(shuffled: false);
        var rows = File.ReadAllLines(_folder.File("train.jsonl"));
        string[] verbs = ["loved", "remembered", "called", "feared", "struck", "forgot"];
        File.WriteAllLines(_folder.File("train.jsonl"), rows.Select(r => r.Replace(r.Contains("\"good\"", StringComparison.Ordinal) ? "\"good\"" : "\"bad\"", $"\"{verbs.First(v => r.Contains(v, StringComparison.Ordinal))}\"", StringComparison.Ordinal)));
        var first = Train(Classifier(family), "first").ModelFolder!;
        var before = Hashing.Sha256File(Path.Combine(first, "model.safetensors"));
        File.WriteAllLines(_folder.File("train.jsonl"), rows);
        var recipe = Classifier(family) with
        {
            Model = family == "bert" ? new BertOptions { From = first } : new Gpt2Options { From = first }, Tokenizer = null,
            Adapter = RecipeFile.Parse<AdapterOptions>(adapter, "adapter", []), Optimizer = new AdamWOptions { LearningRate = rate },
        };
        var run = Train(recipe, "run").ModelFolder!;
        var (untrained, after, baseline) = Scores("accuracy");
        // What comes before the text moves so small a body less in a hundred steps.
        Assert.True(after > (recipe.Adapter!.CanMerge || recipe.Adapter is BottleneckOptions ? 0.9 : 0.7) && after > Math.Max(untrained, baseline) + 0.2, $"{baseline} {untrained} {after}");
        Assert.Equal(before, Hashing.Sha256File(Path.Combine(first, "model.safetensors")));
        Assert.Equal((Path.Combine(_folder.Path, "run", "adapter"), "SEQ_CLS"), (run, JsonDocument.Parse(File.ReadAllText(Path.Combine(run, "adapter_config.json"))).RootElement.GetProperty("task_type").GetString()));
        Assert.Contains(AdapterFolder.Tensors(run).Keys, name => name.EndsWith(family == "bert" ? "classifier.weight" : "score.weight", StringComparison.Ordinal));
        Assert.Contains("SequenceClassification: bad, good", CommandLine.Run(CommandLine.Settings.In(_folder.Path), "adapter", "inspect", "run").Done().Out, StringComparison.Ordinal);
        // Read again it answers as it was judged, and merged as well where a method can be.
        Assert.Equal("good", Said("run"));
        if (recipe.Adapter.CanMerge)
        {
            var drift = CommandLine.Run(CommandLine.Settings.In(_folder.Path), "adapter", "merge", "run", "--out", "merged", "--json").Done().Json;
            Assert.True(!drift.TryGetProperty("perplexity_before", out var perplexity) || perplexity.ValueKind == JsonValueKind.Null, "labels are no next tokens");
            Assert.True(drift.GetProperty("top_agreement").GetDouble() > 0.99);
            Assert.Equal("good", Said("merged"));
            var (_, merged) = ModelFolder.Load(_folder.File("merged"));
            using var owned = merged;
            Assert.Equal(["bad", "good"], merged.Task!.Labels);
        }

        // The control: the body under the layer it came with answers the old question.
        Assert.Equal("loved", Said("first"));
        Assert.Equal("good", Said("first", "--adapter", "run"));
        string? Said(string folder, params string[] more) => CommandLine.Run(CommandLine.Settings.In(_folder.Path), ["predict", folder, "the sailor loved the sea", "--json", .. more]).Done().Json.GetProperty("label").GetString();
    }

    [Fact]
    [Row("I5")]
    public void Adapters_of_two_tasks_do_not_stack()
    {
        Labelled(shuffled: false);
        var recipe = Classifier("gpt2") with { Model = new Gpt2Options { From = Train(Classifier("gpt2"), "first").ModelFolder }, Tokenizer = null, Adapter = new LoraOptions { Rank = 2 } };
        Train(recipe, "one");
        File.WriteAllText(_folder.File("train.jsonl"), File.ReadAllText(_folder.File("train.jsonl")).Replace("\"good\"", "\"warm\"", StringComparison.Ordinal));
        Train(recipe, "two");
        var said = CommandLine.Run(CommandLine.Settings.In(_folder.Path), "predict", "first", "the sea", "--adapter", "one", "--adapter", "two").Refusal();
        Assert.Contains("was trained for another task than", said, StringComparison.Ordinal);
    }

    [Fact]
    [Row("I5")]
    public void A_classifier_with_an_adapter_that_was_stopped_ends_with_the_same_bytes()
    {
        Labelled(shuffled: false);
        var recipe = Classifier("gpt2") with { Model = new Gpt2Options { From = Train(Classifier("gpt2"), "first").ModelFolder }, Tokenizer = null, Task = new SequenceClassification { MaxLength = 48, Labels = ["good", "bad"] }, Adapter = new LoraOptions { Rank = 4 } };
        var whole = Train(recipe, "whole").ModelFolder!;
        using (var stop = new CancellationTokenSource())
            Assert.Equal(RunEnd.Interrupted, TrainingRun.Execute(recipe, _folder.File("parts"), resume: false, [new AtStep(37, stop.Cancel)], stop: stop.Token).End);
        var resumed = Train(recipe, "parts", resume: true).ModelFolder!;
        Assert.Equal(Hashing.Sha256File(Path.Combine(whole, AdapterFolder.WeightsName)), Hashing.Sha256File(Path.Combine(resumed, AdapterFolder.WeightsName)));
        Assert.Equal(File.ReadAllText(_folder.File("whole/evaluation.json")), File.ReadAllText(_folder.File("parts/evaluation.json")));
    }

    public static TheoryData<string, string, string> Bad => new()
    {
        { "train.jsonl", "{\"text\": \"a b\", \"label\": \"x\"}\n{\"text\": \"c\", \"label\": \"x\"}\n", "at least two" },
        { "train.jsonl", "{\"instruction\": \"a b\", \"output\": \"x\"}\n", "sequence-classification needs rows with a text and a label" },
        { "train.jsonl", "{\"text\": \"a b\"}\n", "fit no format" },
        { "train.jsonl", "", "no records" },
        { "absent.jsonl", "", "train.jsonl" },
    };

    [Theory, MemberData(nameof(Bad))]
    public void Bad_records_are_one_line_and_leave_nothing(string file, string content, string message)
    {
        File.WriteAllText(_folder.File(file), content);
        var e = Assert.Throws<UserException>(() => Train(Classifier("bert"), "run"));
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
        Assert.False(Directory.Exists(_folder.File("run")));
    }

    [Fact]
    public void Class_weights_of_classes_that_are_not_there_are_named()
    {
        Labelled(shuffled: false);
        var recipe = Classifier("bert") with { Task = new SequenceClassification { MaxLength = 48, ClassWeights = new Dictionary<string, double> { ["goood"] = 2 } } };
        var e = Assert.Throws<UserException>(() => Train(recipe, "run"));
        Assert.Contains("did you mean 'good'?", e.Message, StringComparison.Ordinal);
    }

    private RunResult Train(TrainRecipe recipe, string folder, bool resume = false, Action<string>? say = null) =>
        TrainingRun.Execute(recipe, _folder.File(folder), resume, [], say, stop: TestContext.Current.CancellationToken);

    private TrainRecipe Classifier(string family) => Recipe(family == "bert" ? Bert() : new Gpt2Options { NEmbd = 32, NLayer = 2, NHead = 2, NPositions = 64, EmbdPdrop = 0, AttnPdrop = 0, ResidPdrop = 0 },
        new SequenceClassification { MaxLength = 48 }, "train.jsonl", steps: 100);

    private TrainRecipe Recipe(ModelOptions model, TaskOptions task, string file, long steps) => new()
    {
        Model = model, Task = task, Tokenizer = new TokenizerChoice { Train = new WordPieceTrainerOptions { VocabSize = 400, MinFrequency = 2 } },
        Records = new RecordSets { Train = new RecordOptions { Path = _folder.File(file) }, ValidationShare = 0.2 },
        Optimizer = new AdamWOptions { LearningRate = 3e-3 },
        Trainer = new TrainerOptions { Steps = steps, Batch = 16, ValidateEvery = 25, SaveEvery = 0, ExportBest = true, Threads = 1, Schedule = new CosineOptions { WarmupSteps = 5 } },
    };

    private static BertOptions Bert() => new() { HiddenSize = 32, NumHiddenLayers = 2, NumAttentionHeads = 2, IntermediateSize = 64, MaxPositionEmbeddings = 64, HiddenDropoutProb = 0, AttentionProbsDropoutProb = 0, InitializerRange = 0.05 };

    private void Labelled(bool shuffled)
    {
        string[] warm = ["loved", "remembered", "called"], cold = ["feared", "struck", "forgot"];
        var draws = new Counter(2, "labelled");
        File.WriteAllLines(_folder.File("train.jsonl"), Enumerable.Range(0, 400).Select(i =>
        {
            var good = draws.Below((ulong)i * 4, 2) == 1;
            var text = $"{(i % 3 == 0 ? "the captain" : i % 3 == 1 ? "an old man" : "the sailor")} {(good ? warm : cold)[draws.Below((ulong)i * 4 + 1, 3)]} {(i % 2 == 0 ? "a whale" : "the sea")} number {i}";
            return JsonSerializer.Serialize(new { text, label = (shuffled ? draws.Below((ulong)i * 4 + 2, 2) == 1 : good) ? "good" : "bad" });
        }));
    }

    private (double Before, double After, double Baseline) Scores(string name)
    {
        using var json = JsonDocument.Parse(File.ReadAllBytes(_folder.File("run/evaluation.json")));
        var set = json.RootElement.GetProperty("sets")[0];
        double Of(string which) => set.GetProperty(which).EnumerateArray().Single(s => s.GetProperty("name").GetString() == name).GetProperty("value").GetDouble();
        return (Of("before"), Of("after"), Of("baseline"));
    }
}

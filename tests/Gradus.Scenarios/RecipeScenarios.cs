using System.Text.Json;
using Gradus.Foundation.Files;
using Gradus.Tests;
using Gradus.Tests.Cli;

namespace Gradus.Scenarios;

/// <summary>Every recipe of the repository that trains, for a few steps, and the quickstart from a file to its report.</summary>
public sealed class RecipeScenarios : IDisposable
{
    private readonly TempFolder _folder = Repo.Temp();

    public RecipeScenarios() => File.WriteAllText(_folder.File("text.txt"), SeededText.Paragraphs(9000));

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> Recipes => [.. Of(path => !path.Contains("/recipes/data/", StringComparison.Ordinal) && !path.Contains("/recipes/classify/", StringComparison.Ordinal) && !path.Contains("/recipes/sft/", StringComparison.Ordinal))];

    public static TheoryData<string> TaskRecipes => [.. Of(path => path.Contains("/recipes/classify/", StringComparison.Ordinal))];

    private static IEnumerable<string> Of(Func<string, bool> which) =>
        Directory.EnumerateFiles(Path.Combine(Repo.Root, "recipes"), "*.yaml", SearchOption.AllDirectories).Where(which).Select(path => Path.GetRelativePath(Repo.Root, path)).Order(StringComparer.Ordinal);

    [Theory]
    [MemberData(nameof(Recipes))]
    [Row("A2")]
    public void A_recipe_of_the_repository_trains_saves_and_leaves_a_model_that_generates(string recipe)
    {
        var here = CommandLine.Settings.In(_folder.Path);
        string[] small = ["--set", "trainer.steps=3", "--set", "trainer.schedule.warmup_steps=1", "--set", "trainer.validate_every=3", "--set", "trainer.validate_batches=1", "--set", "data.sources=[{kind: text, path: text.txt, documents: passage, passage_bytes: 2048}]"];
        if (recipe.StartsWith("recipes/sft/", StringComparison.Ordinal))
        {
            // These tune a model that exists.
            CommandLine.Run(here, ["train", Path.Combine(Repo.Root, "recipes/pretrain/tiny.yaml"), "--out", "base", .. small]).Done();
            small = [.. small, "--set", "model.from=base/model"];
        }
        var before = Directory.EnumerateFileSystemEntries(_folder.Path).Order(StringComparer.Ordinal).ToArray();
        var dry = CommandLine.Run(here, ["train", Path.Combine(Repo.Root, recipe), "--dry-run", "--json", .. small]).Done().Json;
        Assert.Equal(3, dry.GetProperty("steps").GetInt64());
        Assert.Equal(before, Directory.EnumerateFileSystemEntries(_folder.Path).Order(StringComparer.Ordinal));

        CommandLine.Run(here, ["train", Path.Combine(Repo.Root, recipe), "--out", "run", .. small]).Done();
        Assert.Equal(3, File.ReadLines(_folder.File("run/metrics.jsonl")).Count(l => l.Contains("\"loss\"", StringComparison.Ordinal)));
        if (File.ReadAllText(_folder.File("run/model/config.json")).Contains("MaskedLM", StringComparison.Ordinal))
        {
            Assert.Contains("cannot continue a text", CommandLine.Run(here, "generate", "run", "--prompt", "the captain").Refusal(), StringComparison.Ordinal);
            return;
        }
        var said = CommandLine.Run(here, "generate", "run", "--prompt", "the captain", "--max-new-tokens", "5", "--json").Done().Json;
        Assert.Equal(5, said.GetProperty("ids").GetArrayLength());
    }

    [Theory]
    [MemberData(nameof(TaskRecipes))]
    [Row("I2")]
    public void A_recipe_for_a_task_trains_on_a_few_records_and_its_model_answers_and_is_measured(string recipe)
    {
        var here = CommandLine.Settings.In(_folder.Path);
        var rows = Path.GetFileNameWithoutExtension(recipe) switch
        {
            "ner" => "rows.conll",
            "qa" => "rows.jsonl",
            _ => "rows.tsv",
        };
        File.WriteAllText(_folder.File(rows), string.Concat(Enumerable.Range(0, 40).Select(i => rows switch
        {
            "rows.conll" => $"Mr O\nAhab{i} B-person\nsailed O\n\n",
            "rows.jsonl" => $"{{\"context\": \"the ship has {i + 10} men\", \"question\": \"how many men\", \"answers\": {{\"text\": [\"{i + 10}\"], \"answer_start\": [13]}}}}\n",
            _ => $"the captain was {(i % 2 == 0 ? "kind" : "cruel")} on day {i}\t{i % 2}\n",
        })));
        string[] small = ["--set", "trainer.steps=3", "--set", "trainer.epochs=null", "--set", "trainer.schedule.warmup_steps=1", "--set", "trainer.validate_every=3", "--set", $"records={{train: {{path: {rows}}}, validation_share: 0.3}}", "--set", "tokenizer.train.vocab_size=300", "--set", "tokenizer.train.min_frequency=1"];
        CommandLine.Run(here, ["train", Path.Combine(Repo.Root, recipe), "--out", "run", .. small]).Done();
        Assert.Contains("| baseline | before | after |", File.ReadAllText(_folder.File("run/report.md")), StringComparison.Ordinal);
        var measured = CommandLine.Run(here, "evaluate", "run", "--data", rows, "--json").Done().Json;
        Assert.Equal(40, measured.GetProperty("records").GetInt32());
        string[] ask = rows == "rows.jsonl" ? ["predict", "run", "how many men", "--context", "the ship has 12 men", "--json"] : ["classify", "run", "Mr Ahab sailed", "--json"];
        Assert.Equal(JsonValueKind.Object, CommandLine.Run(here, ask).Done().Json.ValueKind);
        Assert.Contains("labels", CommandLine.Run(here, "generate", "run", "--prompt", "x").Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    [Row("I11")]
    public void The_assistant_recipe_tunes_a_base_model_on_a_few_answers_and_the_model_can_be_talked_with()
    {
        var here = CommandLine.Settings.In(_folder.Path);
        string[] brief = ["--set", "trainer.steps=3", "--set", "trainer.schedule.warmup_steps=1", "--set", "trainer.validate_every=3"];
        CommandLine.Run(here, ["train", Path.Combine(Repo.Root, "recipes/quickstart-small.yaml"), "--out", "runs/quickstart", .. brief, "--set", "data.sources=[{kind: text, path: text.txt, documents: passage, passage_bytes: 2048}]"]).Done();
        // Rows as those of the recipe's own file: the template's words, and an answer.
        File.WriteAllLines(_folder.File("rows.jsonl"), Enumerable.Range(0, 40).Select(i => JsonSerializer.Serialize(new { prompt = $"### Instruction:\nname number {i}\n\n### Response:\n", response = $"number {i}" })));
        CommandLine.Run(here, ["train", Path.Combine(Repo.Root, "recipes/sft/assistant.yaml"), "--out", "run", .. brief, "--set", "trainer.epochs=null", "--set", "records.train.path=rows.jsonl", "--set", $"chat.template={Path.Combine(Repo.Root, "recipes/sft/alpaca.jinja")}"]).Done();
        Assert.Contains("answers ended by the model itself", File.ReadAllText(_folder.File("run/report.md")), StringComparison.Ordinal);
        Assert.True(File.Exists(_folder.File("run/model/chat_template.jinja")));
        var answer = CommandLine.Run(here with { Input = "name a number\n"u8.ToArray() }, "chat", "run", "--max-new-tokens", "5", "--json").Done().Json;
        Assert.Equal("assistant", answer.GetProperty("role").GetString());
    }

    [Fact]
    [Row("A2"), Row("L1")]
    public void Quickstart_goes_from_a_file_to_a_report_and_a_second_one_moves_the_first_aside()
    {
        var here = CommandLine.Settings.In(_folder.Path);
        string[] small = ["quickstart", "--data", "text.txt", "--minutes", "0.05", "--out", "runs/quick", "--set", "tokenizer.train.vocab_size=512", "--set", "model.num_hidden_layers=2", "--set", "model.hidden_size=64", "--set", "model.intermediate_size=128", "--set", "windows.length=64"];
        var done = CommandLine.Run(here, small).Done();
        Assert.Contains("Held-out text, bits per byte", done.Out, StringComparison.Ordinal);
        using var report = JsonDocument.Parse(File.ReadAllBytes(_folder.File("runs/quick/report.json")));
        foreach (var field in new[] { "bits_per_byte", "kn3_bits_per_byte", "kn5_bits_per_byte", "tokens_per_second", "seconds_total" })
            Assert.True(report.RootElement.GetProperty(field).GetDouble() is > 0 and < 1e9, field);
        Assert.Equal(Path.Combine("runs/quick", "model"), report.RootElement.GetProperty("model").GetString());
        foreach (var file in new[] { "report.md", "loss.svg", "metrics.jsonl", "recipe.yaml", "run.json", "model/config.json", "model/model.safetensors", "model/tokenizer.json" })
            Assert.True(new FileInfo(_folder.File("runs/quick/" + file)).Length > 0, file);
        Assert.Single(Directory.GetFiles(_folder.File("runs/quick/tensorboard")));
        Assert.False(Directory.Exists(_folder.File("runs/quick.measuring")));
        // What the report says of the model is what eval says of it on other text of the same kind: not equal, but near.
        File.WriteAllText(_folder.File("more.txt"), SeededText.Paragraphs(400, seed: 6));
        var score = CommandLine.Run(here, "eval", "runs/quick", "--data", "more.txt", "--length", "64", "--stride", "32", "--json").Done().Json;
        Assert.InRange(score.GetProperty("bits_per_byte").GetDouble() / report.RootElement.GetProperty("bits_per_byte").GetDouble(), 0.9, 1.1);

        var weights = Hashing.Sha256File(_folder.File("runs/quick/model/model.safetensors"));
        var json = CommandLine.Run(here, [.. small, "--json"]).Done();
        Assert.Equal(weights, Hashing.Sha256File(_folder.File("runs/quick-1/model/model.safetensors")));
        Assert.True(json.Json.GetProperty("bits_per_byte").GetDouble() > 0);
        Assert.All(json.Lines, line => JsonDocument.Parse(line).Dispose());
        Assert.Equal(["quick", "quick-1"], Directory.GetDirectories(_folder.File("runs")).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }
}

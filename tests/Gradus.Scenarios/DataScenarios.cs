using System.Text;
using System.Text.Json;
using Gradus.Foundation.Files;
using Gradus.Tests;
using Gradus.Tests.Cli;

namespace Gradus.Scenarios;

/// <summary>RELIABILITY DA9 and DA11 with the real program: a data pipeline killed anywhere, on any number of workers, cut into shards, makes the same bytes.</summary>
public sealed class DataScenarios(ITestOutputHelper output) : IDisposable
{
    private const string Recipe = """
        sources: [{ kind: jsonl, path: "in/*.jsonl" }]
        partition_bytes: 1
        steps:
          - { kind: unicode-repair }
          - { kind: whitespace }
          - { kind: gopher-quality, min_words: 20, min_stop_words: 0 }
          - { kind: exact-dedup }
          - { kind: pii }
          - { kind: near-dedup, similarity: 0.7 }
          - { kind: substring-dedup, chunk_bytes: 100000 }
          - { kind: length, min_characters: 50 }
        split: { validation: 0.1, test: 0.1 }
        output: { shard_bytes: 100000 }
        """;

    private readonly TempFolder _folder = Made();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> Places =>
    [
        "pipeline.batch", "pipeline.batch#7", "pipeline.part", "pipeline.part#12", "pipeline.part-done#2", "pipeline.part-done#20", "pipeline.decision", "pipeline.decision#2", "pipeline.decision#3", "pipeline.decision-done",
        "pipeline.decision-done#3", "pipeline.output", "durable.publish", "durable.publish#9", "durable.publish#35", "durable.fsync#20", "durable.fsync-folder#50",
    ];

    [Theory]
    [MemberData(nameof(Places))]
    [Row("B8")]
    public void A_preparation_killed_at_any_place_and_started_again_makes_the_same_bytes(string place)
    {
        var whole = Prepare("whole");
        Assert.Equal(137, Run("killed", CommandLine.Settings.In(_folder.Path).With("GRADUS_FAILPOINT", place + ":kill")).Code);
        Assert.False(Directory.Exists(_folder.File("killed")));
        // And once more while it takes up where it was, if it gets that far.
        var second = Run("killed", CommandLine.Settings.In(_folder.Path).With("GRADUS_FAILPOINT", "pipeline.part-done#3:kill")).Code;
        Assert.True(second is 137 or 0, $"exit code {second}");
        Assert.Equal(whole, Prepare("killed"));
    }

    [Fact]
    [Row("B8")]
    public void One_two_and_four_workers_make_the_same_bytes() => Assert.Single(new[] { "1", "2", "4" }.Select(w => Prepare("out-" + w, "--workers", w)).Distinct());

    [Fact]
    [Row("B8")]
    public void Four_processes_with_a_shard_each_and_a_merge_make_the_bytes_of_one()
    {
        var alone = Prepare("alone");
        var here = CommandLine.Settings.In(_folder.Path);
        var shards = Enumerable.Range(1, 4).Select(i => CommandLine.Start(here, "data", "prepare", "recipe.yaml", "--out", "shared", "--shard", $"{i}/4", "--json")).ToArray();
        foreach (var shard in shards)
        {
            output.WriteLine(shard.End().Done().Lines[^1]);
            shard.Dispose();
        }

        CommandLine.Run(here, "data", "merge", "recipe.yaml", "--out", "shared").Done();
        Assert.Equal(alone, Fingerprint("shared"));

        // Waiting for each other, they do everything themselves.
        var waiting = Enumerable.Range(1, 4).Select(i => CommandLine.Start(here, "data", "prepare", "recipe.yaml", "--out", "waited", "--shard", $"{i}/4", "--wait", "120", "--json")).ToArray();
        foreach (var shard in waiting)
        {
            Assert.True(shard.End().Done().Json.GetProperty("all_done").GetBoolean());
            shard.Dispose();
        }

        CommandLine.Run(here, "data", "merge", "recipe.yaml", "--out", "waited").Done();
        Assert.Equal(alone, Fingerprint("waited"));
    }

    [Fact]
    [Row("B8")]
    public void A_run_whose_data_section_has_steps_trains_and_is_the_same_after_a_kill()
    {
        using var toy = new ToyRun();
        string[] steps = ["--set", "data.steps=[{ kind: unicode-repair }, { kind: exact-dedup }, { kind: length, min_words: 3 }]"];
        toy.Train("whole", steps).Done();
        Assert.Equal(137, CommandLine.Run(toy.Here.With("GRADUS_FAILPOINT", "pipeline.decision:kill"), ["train", "toy.yaml", "--out", "killed", "--resume", .. steps]).Code);
        toy.Train("killed", steps).Done();
        Assert.Equal(toy.Fingerprint("whole"), toy.Fingerprint("killed"));
    }

    [Fact]
    [Row("B2"), Row("B3")]
    public void The_web_recipe_makes_a_clean_dataset_whose_totals_add_up()
    {
        Repo.SharedData("web-samples/c4_demo.jsonl");
        var here = CommandLine.Settings.In(Repo.Root);
        var done = CommandLine.Run(here, "data", "prepare", "recipes/data/web.yaml", "--out", _folder.File("web"), "--json").Done().Json;
        var left = done.GetProperty("read").GetInt64();
        foreach (var step in done.GetProperty("steps").EnumerateArray())
        {
            Assert.Equal(left, step.GetProperty("in").GetInt64());
            left -= step.GetProperty("rules").EnumerateObject().Sum(r => r.Value.GetProperty("documents").GetInt64());
            Assert.Equal(left, step.GetProperty("kept").GetInt64());
        }

        Assert.Equal(left, done.GetProperty("kept").GetInt64());
        Assert.True(left > 300, $"only {left} documents are left");
        Assert.Equal(done.GetProperty("read").GetInt64() - left, File.ReadLines(_folder.File("web/dropped.jsonl")).Count());
    }

    private static TempFolder Made()
    {
        var folder = Repo.Temp();
        Directory.CreateDirectory(folder.File("in"));
        File.WriteAllText(folder.File("recipe.yaml"), Recipe);
        string[] words = ["river", "stone", "letter", "window", "harbour", "morning", "teacher", "garden", "winter", "story", "market", "silver", "forest", "engine", "kitchen", "doctor", "carried", "wrote", "found", "built", "painted", "followed", "opened", "small", "bright", "old", "quiet", "the", "and", "of"];
        var (draws, n) = (new Counter(8, "scenario"), 0UL);
        for (var file = 0; file < 9; file++)
        {
            var rows = new StringBuilder();
            for (var i = 0; i < 60; i++)
            {
                var text = draws.Below(n++, 10) == 0 ? "The same text stands here again and again, so that copies are found in all files, with twenty words and a few more of them." : string.Join(' ', Enumerable.Range(0, 30 + draws.Below(n++, 200)).Select(_ => words[draws.Below(n++, words.Length)]));
                rows.Append(JsonSerializer.Serialize(new { text = draws.Below(n++, 6) == 0 ? text + "\r\n\r\n\r\nMail me@example.org, or call +1 212 555 0123. cafÃ©" : text })).Append('\n');
            }

            File.WriteAllText(folder.File($"in/part-{file}.jsonl"), rows.ToString());
        }

        return folder;
    }

    private Outcome Run(string name, CommandLine.Settings settings, params string[] more) => CommandLine.Run(settings, ["data", "prepare", "recipe.yaml", "--out", name, .. more]);

    private string Prepare(string name, params string[] more)
    {
        Run(name, CommandLine.Settings.In(_folder.Path), more).Done();
        Assert.False(Directory.Exists(_folder.File(name + ".building")));
        return Fingerprint(name);
    }

    private string Fingerprint(string name) => string.Join('\n', Directory.EnumerateFiles(_folder.File(name), "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(f => $"{Path.GetRelativePath(_folder.File(name), f)} {Hashing.Sha256File(f)}"));
}

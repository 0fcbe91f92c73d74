using System.Text.Json;
using Gradus.Foundation.Files;
using Gradus.Text.Data;
using Gradus.Text.Data.Pipeline;
using Gradus.Text.Data.Sources;
using Gradus.Text.Data.Steps;

namespace Gradus.Tests.Text.Data.Pipeline;

/// <summary>Documents on disk, pipelines over them, and what came out.</summary>
internal sealed class PipelineFolder : IDisposable
{
    private readonly TempFolder _temp = Repo.Temp();

    public string Path => _temp.Path;

    public string File(string name) => _temp.File(name);

    /// <summary>Writes a JSON-lines file; the first value of a pair is the text, what follows is known of it.</summary>
    public void Write(string name, params IEnumerable<string> texts) => System.IO.File.WriteAllLines(_temp.File(name), texts.Select(t => JsonSerializer.Serialize(new { text = t })));

    public DataOptions Options(params DataStep[] steps) => new()
    {
        Sources = [new JsonlSource { Path = System.IO.Path.Combine(_temp.Path, "*.jsonl") }],
        Steps = steps,
        Split = new SplitOptions { Validation = 0, Test = 0 },
        PartitionBytes = 1, // a file, a partition
        Output = new TextOutputOptions { Compression = TextCompression.None },
    };

    public TextDataset Prepare(DataOptions options, string name = "out", PrepareRun? run = null) => TextDataset.Prepare(options, _temp.File(name), run);

    /// <summary>The texts of a dataset, split by split, shard by shard.</summary>
    public static List<string> Texts(TextDataset dataset, string? split = null) => [.. dataset.Record.Shards.Where(s => split is null || s.Name.StartsWith(split + "/", StringComparison.Ordinal))
        .SelectMany(s => System.IO.File.ReadLines(System.IO.Path.Combine(dataset.Folder, s.Name))).Select(row => JsonDocument.Parse(row).RootElement.GetProperty("text").GetString()!)];

    /// <summary>The rows that say what was dropped.</summary>
    public static List<JsonElement> Dropped(TextDataset dataset) => [.. System.IO.File.ReadLines(System.IO.Path.Combine(dataset.Folder, "dropped.jsonl")).Select(row => JsonDocument.Parse(row).RootElement)];

    public static string Fingerprint(string folder) => string.Join('\n', Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
        .Order(StringComparer.Ordinal).Select(f => $"{System.IO.Path.GetRelativePath(folder, f)} {Hashing.Sha256File(f)}"));

    public void Dispose()
    {
        Failpoint.Arm(null);
        _temp.Dispose();
    }

    /// <summary>Six files of documents that every kind of step has something to do with: copies, near-copies, short ones, bad characters, private data.</summary>
    public void WriteMixed(int documents = 240)
    {
        var draws = new Counter(3, "mixed");
        for (var file = 0; file < 6; file++)
        {
            Write($"part-{file}.jsonl", Enumerable.Range(0, documents / 6).Select(i =>
            {
                var n = (ulong)(file * 1000 + i);
                var prose = Steps.StepRun.Prose(60 + draws.Below(n, 80), draws.Below(n + 50_000, 8) == 0 ? 77 : n + 1); // some begin alike
                return draws.Below(n + 90_000, 8) switch
                {
                    0 => "too short",
                    1 => Steps.StepRun.Prose(90, 5), // an exact copy
                    2 => Steps.StepRun.Prose(90, 5) + " And a word more.",
                    3 => prose + "\nWrite to someone@example.org.\r\ncafÃ©",
                    4 => prose + "\n\nThis paragraph stands in many documents, word for word, and is long enough to be found.",
                    _ => prose,
                };
            }));
        }
    }
}

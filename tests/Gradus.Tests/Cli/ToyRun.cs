using Gradus.Foundation.Files;

namespace Gradus.Tests.Cli;

/// <summary>A folder with a small text and a recipe that trains on it in about a second, and what of a run must repeat to the bit.</summary>
internal sealed class ToyRun : IDisposable
{
    // What follows this in a line of metrics.jsonl is times and memory. Also clock-dependent, and so not compared: run.json (starts),
    // state.json (seconds; the length of metrics.jsonl), MANIFEST (hash of state.json), report.md (duration), tensorboard/ (times).
    private const string TimingMark = ",\"timing\":";

    private readonly TempFolder _folder = Repo.Temp();

    public ToyRun(int steps = 12, int saveEvery = 4, int threads = 1, string more = "")
    {
        File.WriteAllText(InFolder("text.jsonl"), Text());
        File.WriteAllText(InFolder("toy.yaml"), $$"""
            name: toy
            model: { kind: llama, hidden_size: 32, intermediate_size: 64, num_hidden_layers: 2, num_attention_heads: 2, num_key_value_heads: 1, max_position_embeddings: 32 }
            tokenizer: { train: { kind: bpe, vocab_size: 300 } }
            data: { sources: [ { kind: jsonl, path: text.jsonl } ], split: { validation: 0.2 } }
            windows: { length: 16, random_phase: true }
            samples: { max_new_tokens: 8 }
            optimizer: { kind: adamw, learning_rate: 3e-3 }
            trainer:
              steps: {{steps}}
              batch: 4
              accumulate: 2
              threads: {{threads}}
              validate_every: 5
              validate_batches: 2
              sample_every: 6
              save_every: {{saveEvery}}
              schedule: { kind: cosine, warmup_steps: 3 }
            {{more}}
            """);
    }

    public string Folder => _folder.Path;

    public string Recipe => InFolder("toy.yaml");

    public CommandLine.Settings Here => CommandLine.Settings.In(Folder);

    public string InFolder(string name) => _folder.File(name);

    public void Dispose() => _folder.Dispose();

    /// <summary>Trains into <c>name</c> to the end.</summary>
    public Outcome Train(string name, params IEnumerable<string> more) => CommandLine.Run(Here, ["train", "toy.yaml", "--out", name, "--resume", .. more]);

    public CommandLine Start(string name, string? failpoint = null, params IEnumerable<string> more) =>
        CommandLine.Start(failpoint is null ? Here : Here.With("GRADUS_FAILPOINT", failpoint), ["train", "toy.yaml", "--out", name, "--resume", "--json", .. more]);

    /// <summary>All of a finished run that the recipe decides, as name → hash; the loss log as its lines.</summary>
    public SortedDictionary<string, string> Fingerprint(string run)
    {
        var found = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var file in new[] { "model/model.safetensors", "model/config.json", "model/tokenizer.json", "recipe.yaml", "samples.jsonl" })
            found[file] = Hashing.Sha256File(Path.Combine(Folder, run, file));
        var last = Directory.GetDirectories(Path.Combine(Folder, run, "checkpoints"), "step-*").Where(p => !p.Contains(".damaged", StringComparison.Ordinal)).Order(StringComparer.Ordinal).Last();
        found["last checkpoint"] = Path.GetFileName(last);
        foreach (var file in new[] { "model.safetensors", "optimizer.safetensors" }) found["checkpoint/" + file] = Hashing.Sha256File(Path.Combine(last, file));
        found["metrics.jsonl"] = string.Join('\n', LossLog(run));
        return found;
    }

    /// <summary>metrics.jsonl without the times: step, loss and gradient norm in hex, rate, tokens.</summary>
    public string[] LossLog(string run) => [.. File.ReadLines(Path.Combine(Folder, run, "metrics.jsonl")).Select(line => line[..line.IndexOf(TimingMark, StringComparison.Ordinal)])];

    /// <summary>What must never be left: files and folders that are half made.</summary>
    public IEnumerable<string> Leftovers(string run) => Directory.EnumerateFileSystemEntries(Path.Combine(Folder, run), "*", SearchOption.AllDirectories)
        .Where(path => path.EndsWith(".tmp", StringComparison.Ordinal) || path.EndsWith(".old", StringComparison.Ordinal) || Path.GetFileName(path).Contains(".tmp-", StringComparison.Ordinal));

    /// <summary>English-like clauses from a seed: enough for a tokenizer and some windows.</summary>
    public static string Text(int documents = 80)
    {
        string[] who = ["the captain", "a whale", "the sailor", "an old man", "the sea"], does = ["saw", "followed", "feared", "loved", "called"], when = ["at night", "in the morning", "again", "for years", "twice"];
        var draws = new Counter(5, "story");
        var n = 0UL;
        string Pick(string[] of) => of[draws.Below(n++, of.Length)];
        var lines = Enumerable.Range(0, documents).Select(_ => $"{{\"text\": \"{string.Join(' ', Enumerable.Range(0, 8).Select(_ => $"{Pick(who)} {Pick(does)} {Pick(who)} {Pick(when)}."))}\"}}");
        return string.Join("\n", lines) + "\n";
    }
}

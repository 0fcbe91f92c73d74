using System.Globalization;
using System.Text;
using System.Text.Json;
using Gradus.Foundation.Files;
using Gradus.Training.Loop;

namespace Gradus.Cli;

/// <summary>A text the model wrote.</summary>
internal sealed record QuickstartSample(string Prompt, string Text);

/// <summary>What a quickstart found: <c>report.json</c> as it is, <c>report.md</c> for people.</summary>
internal sealed record QuickstartReport
{
    private static readonly JsonSerializerOptions s_json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true, NewLine = "\n", Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public required double BitsPerByte { get; init; }
    public required double Perplexity { get; init; }
    public required double Kn3BitsPerByte { get; init; }
    public required double Kn5BitsPerByte { get; init; }
    public required bool BeatsKn3 { get; init; }
    public required bool BeatsKn5 { get; init; }
    public required string Context { get; init; }
    public required long TestDocuments { get; init; }
    public required long TestTokens { get; init; }
    public required long TestBytes { get; init; }
    public required long TrainDocuments { get; init; }
    public required long TrainTokens { get; init; }
    public required string Model { get; init; }
    public required long Parameters { get; init; }
    public required int VocabSize { get; init; }
    public required long Steps { get; init; }
    public required double TokensPerSecond { get; init; }
    public required double SecondsTraining { get; init; }
    public required double SecondsTotal { get; init; }
    public required double Minutes { get; init; }
    public required string Precision { get; init; }
    public required int Threads { get; init; }
    public required string Libtorch { get; init; }
    public required IReadOnlyList<QuickstartSample> Samples { get; init; }

    public static void Write(string folder, QuickstartReport r)
    {
        Durable.WriteText(Path.Combine(folder, "report.json"), JsonSerializer.Serialize(r, s_json) + "\n");
        Chart(folder, r);
        var text = new StringBuilder("# Quickstart\n\n");
        text.Append(CultureInfo.InvariantCulture, $"""
            A language model of {r.Parameters:N0} parameters, trained from nothing on {r.TrainTokens:N0} tokens of {r.TrainDocuments:N0} documents in {r.SecondsTraining / 60:F1} minutes, judged on {r.TestDocuments:N0} documents it never saw.

            ![Loss by step](loss.svg)

            | model | bits per byte of held-out text |
            |---|--:|
            | **this one** | **{r.BitsPerByte:F4}** |
            | Kneser-Ney 3-gram, same training tokens | {r.Kn3BitsPerByte:F4} |
            | Kneser-Ney 5-gram, same training tokens | {r.Kn5BitsPerByte:F4} |

            Lower is better. Context: {r.Context}. The n-gram models see the same {r.TestTokens:N0} targets.

            | | |
            |---|--:|
            | perplexity per token | {r.Perplexity:F2} |
            | vocabulary | {r.VocabSize:N0} |
            | steps | {r.Steps:N0} |
            | tokens per second, all included | {r.TokensPerSecond:N0} |
            | precision, threads, libtorch | {r.Precision}, {r.Threads}, {r.Libtorch} |
            | whole time, set-up included | {r.SecondsTotal:F0} s |

            ## What it writes


            """);
        foreach (var sample in r.Samples) text.Append(CultureInfo.InvariantCulture, $"> **{sample.Prompt}**{Quoted(sample.Text)}\n\n");
        text.Append("Drawn at temperature 0.8, top-p 0.95, seeds 1 to 3. Everything that decided the run is in `recipe.yaml` and `run.json`; every step is in `metrics.jsonl`.\n");
        Durable.WriteText(Path.Combine(folder, "report.md"), text.ToString());
    }

    public static IEnumerable<string> Summary(string folder, QuickstartReport r)
    {
        yield return "";
        yield return string.Create(CultureInfo.InvariantCulture, $"Held-out text, bits per byte: {r.BitsPerByte:F4}   (Kneser-Ney 3-gram {r.Kn3BitsPerByte:F4}: {(r.BeatsKn3 ? "beaten" : "not beaten")};  5-gram {r.Kn5BitsPerByte:F4}: {(r.BeatsKn5 ? "beaten" : "not beaten")})");
        yield return string.Create(CultureInfo.InvariantCulture, $"{r.Parameters:N0} parameters, {r.Steps:N0} steps, {r.TokensPerSecond:N0} tokens/s, {r.SecondsTotal:F0} s in all");
        yield return "";
        foreach (var sample in r.Samples) yield return $"  {sample.Prompt}{sample.Text.ReplaceLineEndings(" ")}";
        yield return "";
        yield return $"report   {Path.Combine(folder, "report.md")}, report.json, loss.svg, metrics.jsonl, tensorboard/";
        yield return $"model    {r.Model} (Hugging Face layout)";
        yield return "";
        yield return "next     ./gradus generate " + r.Model + " --prompt \"My fellow citizens\"";
        yield return "         ./gradus eval " + r.Model + " --data YOUR.txt";
        yield return r.BeatsKn5 ? "         ./gradus quickstart --data YOUR-FOLDER/" : "         ./gradus quickstart --minutes 12        (more steps, and a larger model where the machine can train it)";
        yield return "         ./gradus train recipes/quickstart.yaml --dry-run --set data.sources=\"[{kind: text, path: YOUR-FOLDER}]\"";
    }

    private static void Chart(string folder, QuickstartReport r)
    {
        var (train, validation) = MetricsLog.Read(Path.Combine(folder, "metrics.jsonl"));
        // The baselines in the chart's unit: nats a token of this tokenizer.
        var natsPerToken = Math.Log(2) * r.TestBytes / r.TestTokens;
        var chart = new SvgChart
        {
            Title = "Loss by step", XLabel = "step", YLabel = "loss (nats a token)", LogX = train.Count >= 300,
            Lines = [new ChartLine("training", train) { Smoothing = train.Count >= 300 ? 0.97 : 0.8 }, new ChartLine("validation", [.. validation.Select(v => (v.Step, v.Loss))])],
            References = [new ChartReference("3-gram Kneser-Ney, test", r.Kn3BitsPerByte * natsPerToken), new ChartReference("5-gram Kneser-Ney, test", r.Kn5BitsPerByte * natsPerToken), new ChartReference("this model, test", r.BitsPerByte * natsPerToken)],
        };
        Durable.WriteText(Path.Combine(folder, "loss.svg"), chart.Render());
    }

    private static string Quoted(string text) => text.ReplaceLineEndings("\n> ");
}

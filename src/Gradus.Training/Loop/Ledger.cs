using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Gradus.Foundation.Files;

namespace Gradus.Training.Loop;

/// <summary>One line of a <see cref="Ledger"/>.</summary>
/// <param name="Name">What it is of, with its unit.</param>
/// <param name="Forecast">What the preflight said.</param>
/// <param name="Actual">What it was.</param>
/// <param name="RelativeError">forecast / actual − 1; 0 where nothing was used.</param>
public sealed record LedgerEntry(string Name, double Forecast, double Actual, double RelativeError);

/// <summary><c>ledger.json</c>: what the preflight forecast beside what the run took.</summary>
/// <param name="Entries">Learned tokens, seconds, peak memory of the process and of its tensors.</param>
public sealed record Ledger(IReadOnlyList<LedgerEntry> Entries)
{
    /// <summary>The file's name in a run folder.</summary>
    public const string FileName = "ledger.json";

    private static readonly JsonSerializerOptions s_json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    internal static Ledger Of(Forecast forecast, RunState state, long peakBytes, long peakTensorBytes) => new(
    [
        Entry("steps", forecast.Steps, state.Step), Entry("tokens", forecast.TargetTokens, state.TargetTokens),
        Entry("seconds", Math.Round(forecast.Seconds, 3), Math.Round(state.Seconds, 3)), Entry("peak_memory_mb", Math.Round(forecast.PeakBytes / 1e6, 1), Math.Round(peakBytes / 1e6, 1)),
        Entry("peak_tensors_mb", Math.Round(forecast.PeakTensorBytes / 1e6, 3), Math.Round(peakTensorBytes / 1e6, 3)),
    ]);

    internal void Write(string folder) => Durable.WriteText(Path.Combine(folder, FileName), JsonSerializer.Serialize(this, s_json) + "\n");

    internal string ToMarkdown()
    {
        var text = new StringBuilder("\n## Forecast and actual\n\n| | forecast | actual | error |\n|---|--:|--:|--:|\n");
        foreach (var entry in Entries)
            text.Append(CultureInfo.InvariantCulture, $"| {entry.Name.Replace('_', ' ').Replace(" mb", ", MB", StringComparison.Ordinal)} | {entry.Forecast:#,0.###} | {entry.Actual:#,0.###} | {entry.RelativeError:+0.0%;-0.0%;0.0%} |\n");
        return text.ToString();
    }

    private static LedgerEntry Entry(string name, double forecast, double actual) => new(name, forecast, actual, actual == 0 ? 0 : Math.Round(forecast / actual - 1, 6));
}

using System.Diagnostics;
using System.Globalization;
using System.Text;
using Gradus.Training.Loop;

namespace Gradus.Cli;

/// <summary>What a person sees of a run: on a terminal one line redrawn with a picture of the loss, elsewhere a plain line every few seconds; with --json a JSON line an event.</summary>
internal sealed class TrainView(bool json) : IRunHook
{
    private const string Bars = "▁▂▃▄▅▆▇█";
    private static readonly TimeSpan s_redraw = TimeSpan.FromMilliseconds(500), s_plain = TimeSpan.FromSeconds(10);
    private readonly List<double> _losses = [];
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private TimeSpan _next;
    private double? _smooth;

    public void Checked(PreflightReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        if (json)
        {
            Terminal.Json(new { Event = "preflight", report.Findings, report.Forecast });
            return;
        }
        // What stops the run is the error at its end.
        foreach (var finding in report.Findings.Where(f => f.Level != FindingLevel.Stop || f.Forced)) Terminal.Note($"preflight: {finding}");
        if (report.Forecast is { } forecast) Terminal.Note($"forecast: {forecast}");
    }

    public void Started(RunState state, long steps)
    {
        ArgumentNullException.ThrowIfNull(state);
        if (json) Terminal.Json(new { Event = "started", state.Step, Steps = steps });
        else if (state.Step > 0) Terminal.Note($"resumed at step {state.Step} of {steps}");
    }

    public void Stepped(StepReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        if (json)
        {
            Terminal.Json(new { Event = "step", report.Step, report.Steps, report.Loss, report.Rate, report.GradientNorm, report.TargetTokens, report.TokensPerSecond, report.Mfu, report.MemoryBytes, report.PeakTensorBytes, report.SecondsLeft, report.Skipped });
            return;
        }
        _smooth = _smooth is { } before ? before + 0.1 * (report.Loss - before) : report.Loss;
        _losses.Add(_smooth.Value);
        if (_clock.Elapsed < _next && report.Step != report.Steps) return;
        _next = _clock.Elapsed + (Terminal.IsLive ? s_redraw : s_plain);
        var line = ProgressLine.Of(report);
        if (Terminal.IsLive) Terminal.Live($"{Spark()} {line}");
        else Terminal.Note(line);
    }

    public void Validated(ValidationReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        if (json)
        {
            Terminal.Json(new { Event = "validation", report.Step, report.Loss, report.Perplexity, report.BitsPerByte, report.TargetTokens, report.IsBest, Scores = report.Scores.ToDictionary(s => s.Name, s => s.Value) });
            return;
        }
        Line(string.Create(CultureInfo.InvariantCulture, $"step {report.Step}: held-out loss {report.Loss:F4}{(report.Scores is [var score, ..] ? string.Create(CultureInfo.InvariantCulture, $", {score.Name} {score.Value:F4}") : string.Create(CultureInfo.InvariantCulture, $", perplexity {report.Perplexity:F2}"))}{(report.BitsPerByte is { } bits ? $", {bits:F4} bits per byte" : "")}{(report.IsBest ? " (best)" : "")}"));
    }

    public void Sampled(SampleReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        if (json) Terminal.Json(new { Event = "sample", report.Step, report.Prompt, report.Text });
        else Line($"step {report.Step} writes: {report.Prompt}{OneLine(report.Text)}");
    }

    public void Saved(long step, string folder)
    {
        if (json) Terminal.Json(new { Event = "saved", Step = step, Folder = folder });
    }

    public void Warned(long step, string message)
    {
        if (json) Terminal.Json(new { Event = "warning", Step = step, Message = message });
        else Line($"step {step}: {message}");
    }

    public void Ended(RunState state, RunEnd end)
    {
        ArgumentNullException.ThrowIfNull(state);
        if (json) Terminal.Json(new { Event = "ended", state.Step, How = end.ToString().ToLowerInvariant() });
        else if (Terminal.IsLive) Terminal.Note("");
    }

    public void Measured(GeneralText report)
    {
        ArgumentNullException.ThrowIfNull(report);
        if (json) Terminal.Json(new { Event = "general_text", report.Text, report.Targets, report.Bytes, report.Before, report.After, report.Skipped });
        else if (report.After is not null || report.Skipped is not null) Line($"general text: {report}");
    }

    public void Settled(Ledger ledger)
    {
        ArgumentNullException.ThrowIfNull(ledger);
        if (json) Terminal.Json(new { Event = "ledger", ledger.Entries });
        else Line(string.Create(CultureInfo.InvariantCulture, $"ledger: {string.Join("; ", ledger.Entries.Select(e => string.Create(CultureInfo.InvariantCulture, $"{e.Name} {e.Forecast:#,0.#} forecast, {e.Actual:#,0.#} actual")))}"));
    }

    // A finished line above the one that is redrawn.
    private static void Line(string text)
    {
        if (Terminal.IsLive) Terminal.Live("");
        Terminal.Note(Terminal.IsLive ? "\r" + text : text);
    }

    private static string OneLine(string text) => text.ReplaceLineEndings(" ") is { Length: > 160 } line ? line[..160] + "…" : text.ReplaceLineEndings(" ");

    /// <summary>The last steps' smoothed loss in sixteen columns.</summary>
    private string Spark()
    {
        const int columns = 16;
        var (low, high) = (_losses.Min(), _losses.Max());
        var text = new StringBuilder(columns);
        for (var i = 0; i < columns; i++)
        {
            var value = _losses[(int)((long)i * (_losses.Count - 1) / (columns - 1))];
            text.Append(Bars[high > low ? (int)Math.Round((value - low) / (high - low) * (Bars.Length - 1)) : 0]);
        }
        return text.ToString();
    }
}

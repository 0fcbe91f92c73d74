using System.Globalization;
using System.Text;
using Gradus.Foundation.Files;

namespace Gradus.Training.Loop;

/// <summary><c>report.md</c> and <c>loss.svg</c> of a run, from its logs: the whole run, however many sessions it took.</summary>
internal static class RunReport
{
    public static void Write(string folder, RunSetup setup, RunState state, long steps, RunEnd end, PreflightReport? preflight, GeneralText? general, string evaluation, Ledger? ledger)
    {
        var recipe = setup.Recipe;
        var (train, validation) = MetricsLog.Read(Path.Combine(folder, "metrics.jsonl"));
        if (train.Count == 0) return;
        List<ChartLine> lines = [new("training", train) { Smoothing = train.Count >= 300 ? 0.97 : train.Count >= 50 ? 0.8 : 0 }];
        if (validation.Count > 0) lines.Add(new ChartLine("validation", [.. validation.Select(v => (v.Step, v.Loss))]));
        var chart = new SvgChart { Title = recipe.Name, XLabel = "step", YLabel = setup.Task is null ? "loss (nats a token)" : "loss", Lines = lines, LogX = train.Count >= 300 };
        Durable.WriteText(Path.Combine(folder, "loss.svg"), chart.Render());

        var text = new StringBuilder();
        void Row(string name, string value) => text.Append(CultureInfo.InvariantCulture, $"| {name} | {value} |\n");
        text.Append(CultureInfo.InvariantCulture, $"# {recipe.Name}\n\n![Loss by step](loss.svg)\n\n| | |\n|---|---|\n");
        Row("ended", end switch
        {
            RunEnd.Finished => "all steps done",
            RunEnd.StoppedEarly => FormattableString.Invariant($"validation no longer improved; the weights are those of step {state.BestStep}"),
            _ => "interrupted; go on with --resume",
        });
        Row("steps", FormattableString.Invariant($"{state.Step:N0} of {steps:N0}"));
        Row("parameters", setup.Model.ParameterCount.ToString("N0", CultureInfo.InvariantCulture));
        if (setup.Model.Parameters.Any(p => !p.Trainable))
        {
            var trained = setup.Model.Parameters.Where(p => p.Trainable).Sum(p => p.Value.Elements);
            Row("of them trained", FormattableString.Invariant($"{trained:N0} ({(double)trained / setup.Model.ParameterCount:P3}); the others are the same to the bit as before the run"));
        }
        Row("target tokens", state.TargetTokens.ToString("N0", CultureInfo.InvariantCulture));
        Row("training data", setup.DataDescription);
        Row("time", ProgressLine.Duration(state.Seconds));
        Row("loss, mean of the last steps", train.TakeLast(Math.Min(20, train.Count)).Average(p => p.Loss).ToString("F4", CultureInfo.InvariantCulture));
        if (validation.Count > 0)
        {
            var (step, loss, bits) = validation.MinBy(v => v.Loss);
            Row("best validation", FormattableString.Invariant($"loss {loss:F4}{(setup.Task is null ? FormattableString.Invariant($", perplexity {Math.Exp(loss):N2}") : "")}{(bits is { } b ? FormattableString.Invariant($", {b:F4} bits a byte") : "")} (step {step})"));
        }
        if (recipe.Model.From is not null && setup.Model.IsCausal)
            Row("general text", general?.ToString() ?? (recipe.Forgetting is null ? "not measured: `forgetting: { text: FILE }` in the recipe measures how much of it is forgotten" : "measured when the run is whole"));
        if (preflight is not null)
        {
            text.Append("\n## Preflight\n\n");
            foreach (var finding in preflight.Findings) text.Append(CultureInfo.InvariantCulture, $"- {(finding.Level == FindingLevel.Ok ? $"{finding}" : $"**{finding}**")}\n");
            if (preflight.Forecast is { } forecast) text.Append(CultureInfo.InvariantCulture, $"- forecast: {forecast}\n");
        }
        text.Append(evaluation).Append(ledger?.ToMarkdown());
        text.Append("\nEverything that decided this run is in `recipe.yaml` and `run.json`; every step is in `metrics.jsonl`.\n");
        Durable.WriteText(Path.Combine(folder, "report.md"), text.ToString());
    }
}

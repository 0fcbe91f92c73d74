using System.CommandLine;
using System.Globalization;
using Gradus.Text.Data.Analysis;

namespace Gradus.Cli;

/// <summary><c>gradus data diff</c>: two audits side by side.</summary>
internal static class DataDiffCommand
{
    public static Command Create()
    {
        var before = new Argument<string>("before") { Description = "An audit's folder, or its audit.json" };
        var after = new Argument<string>("after") { Description = "The other" };
        var json = new Option<bool>("--json") { Description = "One JSON object" };
        var command = new Command("diff", """
            Shows what changed from one version of a dataset to the next: every figure of the two audits that differs, and how far sources, languages, licences
            and lengths have moved.

            Example:
              gradus data diff audits/v1 audits/v2
            """) { before, after, json };
        command.SetAction(result =>
        {
            var difference = AuditDifference.Of(AuditReport.Load(result.GetRequiredValue(before)), AuditReport.Load(result.GetRequiredValue(after)));
            if (result.GetValue(json))
            {
                Terminal.Json(difference);
                return ExitCode.Done;
            }

            if (difference.Changes.Count == 0) Terminal.Out("no figure differs");
            var area = "";
            foreach (var change in difference.Changes)
            {
                if (change.Area != area) Terminal.Out(area = change.Area);
                Terminal.Out(string.Create(CultureInfo.InvariantCulture, $"  {Terminal.Visible(change.Name),-48} {change.Before,16:#,0.####} → {change.After,16:#,0.####}{(change.Before != 0 ? $"  {(change.After - change.Before) / Math.Abs(change.Before):+0.0%;-0.0%}" : "")}"));
            }

            if (difference.Changes.Count > 0) Terminal.Out("moved (0: the same, 1: nothing in common)");
            foreach (var (name, bits) in difference.Divergence)
                if (difference.Changes.Count > 0) Terminal.Out(string.Create(CultureInfo.InvariantCulture, $"  {name,-48} {bits,16:0.####}"));
            return ExitCode.Done;
        });
        return command;
    }
}

using System.Globalization;
using System.Text;
using System.Xml.Linq;
using Xunit.Runner.InProc.SystemConsole;

namespace Gradus.Tests;

/// <summary>Runs the tests; with <c>--summary ROOT PROJECT FILTERS</c>, turns their results into docs/capabilities.md and the closing line.</summary>
internal static class Program
{
    public static async Task<int> Main(string[] args)
    {
        if (args is ["--summary", var root, var project, var filters]) return Summarise(root, project, filtered: filters != "0");
        // Child processes of tests that need a second process begin here.
        if (args is ["--child", var name, .. var rest]) return Children.Run(name, rest);
        return await ConsoleRunner.Run(args);
    }

    private static int Summarise(string root, string project, bool filtered)
    {
        var xml = XDocument.Load(Path.Combine(root, "build", "test", project + ".xml"));
        var tests = xml.Descendants("test").Select(t => new Result(
            t.Attribute("name")!.Value.Split('(')[0],
            t.Attribute("result")!.Value,
            [.. t.Descendants("trait").Where(trait => trait.Attribute("name")!.Value == "Row").Select(trait => trait.Attribute("value")!.Value)])).ToList();
        var errors = xml.Descendants("error").Count();
        if (project == "Gradus.Tests" && !filtered) File.WriteAllText(Path.Combine(root, "docs", "capabilities.md"), Capabilities(root, tests));
        var (passed, failed, skipped) = (tests.Count(t => t.Outcome == "Pass"), tests.Count(t => t.Outcome == "Fail") + errors, tests.Count(t => t.Outcome is "Skip" or "NotRun"));
        System.Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{passed} passed, {failed} failed, {skipped} skipped"));
        return failed == 0 && passed > 0 ? 0 : 1;
    }

    /// <summary>docs/rows.tsv says what each row is, in our words; the tests say whether it holds.</summary>
    private static string Capabilities(string root, List<Result> tests)
    {
        var text = new StringBuilder("# What Gradus can do, and the tests that show it\n\nWritten by `./test`. A row is proven when all its tests pass and none was skipped.\n\n| row | what | tests | state |\n|---|---|---|---|\n");
        foreach (var line in File.ReadLines(Path.Combine(root, "docs", "rows.tsv")).Where(l => l.Length > 0 && l[0] != '#'))
        {
            var (row, what) = (line.Split('\t')[0], line.Split('\t')[1]);
            var own = tests.Where(t => t.Rows.Contains(row)).ToList();
            var state = own.Count == 0 ? "no test yet"
                : own.Any(t => t.Outcome == "Fail") ? "**fails**"
                : own.Any(t => t.Outcome != "Pass") ? "not shown here (skipped)" : "proven";
            var names = string.Join("<br>", own.Select(t => t.ShortName).Distinct().Order(StringComparer.Ordinal));
            text.Append(CultureInfo.InvariantCulture, $"| {row} | {what} | {names} | {state} |\n");
        }
        return text.ToString();
    }

    private sealed record Result(string Name, string Outcome, string[] Rows)
    {
        public string ShortName => string.Join('.', Name.Split('.')[^2..]).Replace("Tests.", ": ", StringComparison.Ordinal).Replace('_', ' ');
    }
}

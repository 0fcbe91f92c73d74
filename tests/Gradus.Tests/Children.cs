using System.Diagnostics;

namespace Gradus.Tests;

/// <summary>Work that a test runs in a process of its own: another rank, other CPU features, something to kill.</summary>
internal static class Children
{
    /// <summary>Name → what the child does with its arguments; filled by the tests that need one.</summary>
    private static readonly Dictionary<string, Func<string[], int>> s_work = new(StringComparer.Ordinal)
    {
        ["all-reduce"] = Engine.Groups.ProcessGroupTests.Child,
        ["no-codecs"] = Text.Data.CompressedFileTests.Child,
        ["activation-memory"] = Training.Loop.TrainerTests.MemoryChild,
        ["train"] = Training.Loop.TrainingRunTests.Child,
        ["prepare-data"] = Text.Data.PreparedDataTests.Child,
        ["prepare-pipeline"] = Text.Data.Pipeline.PipelineTests.Child,
    };

    public static int Run(string name, string[] args) => s_work[name](args);

    /// <summary>Starts this test program as a child.</summary>
    public static Process Start(string name, IReadOnlyDictionary<string, string>? environment, params string[] args)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add("--child");
        start.ArgumentList.Add(name);
        foreach (var arg in args) start.ArgumentList.Add(arg);
        foreach (var (key, value) in environment ?? new Dictionary<string, string>()) start.Environment[key] = value;
        return Process.Start(start)!;
    }
}

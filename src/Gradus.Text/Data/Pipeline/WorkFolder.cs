using System.Globalization;
using Gradus.Foundation.Files;

namespace Gradus.Text.Data.Pipeline;

/// <summary>
/// The working folder of a pipeline: finished parts and decisions under names made of their content hash. Several processes may share it;
/// what two make at once is the same, and the second is thrown away.
/// </summary>
internal sealed class WorkFolder
{
    private const string Temporary = "tmp-";
    private static int s_number;

    private readonly string _folder;

    public WorkFolder(string folder)
    {
        _folder = Path.GetFullPath(folder);
        Directory.CreateDirectory(_folder);
        foreach (var left in Directory.EnumerateDirectories(_folder, Temporary + "*"))
            if (IsOfTheDead(Path.GetFileName(left)))
                Directory.Delete(left, recursive: true);
    }

    /// <summary>Where a part is, or will be.</summary>
    public string Part(DataPlan plan, int stage, int partition) => Path.Combine(_folder, FormattableString.Invariant($"stage-{stage + 1}-part-{partition:D5}-{plan.PartKey(stage, partition)[..16]}"));

    /// <summary>Where the decision that closes a stage is, or will be.</summary>
    public string Decision(DataPlan plan, int stage) => Path.Combine(_folder, FormattableString.Invariant($"stage-{stage + 1}-decision-{plan.DecisionKey(stage)[..16]}"));

    /// <summary>Where the lock of a decision is.</summary>
    public string DecisionLock(DataPlan plan, int stage) => Path.Combine(_folder, FormattableString.Invariant($"lock-{plan.DecisionKey(stage)[..16]}"));

    /// <summary>A fresh folder to build something in.</summary>
    public Building Begin() => new(Path.Combine(_folder, string.Create(CultureInfo.InvariantCulture, $"{Temporary}{Environment.MachineName}-{Environment.ProcessId}-{Interlocked.Increment(ref s_number)}")));

    /// <summary>Deletes what a pipeline does not use: what other options or other files left.</summary>
    public void Prune(DataPlan plan)
    {
        var used = new HashSet<string>(StringComparer.Ordinal);
        for (var s = 0; s < plan.Stages.Count; s++)
        {
            for (var p = 0; p < plan.Partitions.Count; p++)
                used.Add(Part(plan, s, p));
            if (plan.Stages[s].Global is not null)
                used.Add(Decision(plan, s));
        }

        foreach (var folder in Directory.EnumerateDirectories(_folder))
            if (!used.Contains(folder) && !Path.GetFileName(folder).StartsWith(Temporary, StringComparison.Ordinal))
                Directory.Delete(folder, recursive: true);
    }

    /// <summary>A killed process of this machine cannot clean up; one of another machine may be alive.</summary>
    private static bool IsOfTheDead(string name)
    {
        var parts = name.Split('-');
        if (string.Join('-', parts[1..^2]) != Environment.MachineName || !int.TryParse(parts[^2], NumberStyles.None, CultureInfo.InvariantCulture, out var pid) || pid == Environment.ProcessId)
            return false;
        try
        {
            using var process = System.Diagnostics.Process.GetProcessById(pid);
            return process.HasExited;
        }
        catch (ArgumentException)
        {
            return true;
        }
    }

    /// <summary>Something that is being made.</summary>
    internal sealed class Building : IDisposable
    {
        private readonly string _root;

        public Building(string root)
        {
            _root = root;
            Folder = Path.Combine(root, "result");
            Scratch = Path.Combine(root, "scratch");
            Directory.CreateDirectory(Folder);
            Directory.CreateDirectory(Scratch);
        }

        /// <summary>What will bear the final name.</summary>
        public string Folder { get; }

        /// <summary>What will not.</summary>
        public string Scratch { get; }

        /// <summary>Gives the folder its name, as one step.</summary>
        public void Publish(string final)
        {
            try
            {
                Durable.PublishFolder(Folder, final);
            }
            catch (IOException) when (Directory.Exists(final) && Directory.Exists(Folder))
            {
                // Another process was quicker with the same bytes.
            }
        }

        public void Dispose()
        {
            if (Directory.Exists(_root))
                Directory.Delete(_root, recursive: true);
        }
    }
}

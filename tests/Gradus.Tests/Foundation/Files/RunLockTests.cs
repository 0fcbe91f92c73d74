using System.Diagnostics;
using Gradus.Foundation.Files;

namespace Gradus.Tests.Foundation.Files;

public sealed class RunLockTests : IDisposable
{
    private readonly TempFolder _folder = Repo.Temp();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_second_taker_is_refused_with_one_line_naming_the_first()
    {
        using (RunLock.Take(_folder.Path))
        {
            var refused = Assert.Throws<UserException>(() => RunLock.Take(_folder.Path));
            Assert.Contains($"process {Environment.ProcessId} on {Environment.MachineName}", refused.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', refused.Message);
        }
        RunLock.Take(_folder.Path).Dispose();
    }

    [Fact]
    public void The_lock_of_another_process_holds_until_that_process_dies()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "uses flock(1)");
        var path = Path.Combine(_folder.Path, RunLock.FileName);
        using var holder = Process.Start(new ProcessStartInfo("flock", ["-x", path, "sh", "-c", "echo held; exec sleep 60"]) { RedirectStandardOutput = true, UseShellExecute = false })!;
        Assert.Equal("held", holder.StandardOutput.ReadLine());
        Assert.Throws<UserException>(() => RunLock.Take(_folder.Path));
        holder.Kill(entireProcessTree: true);
        holder.WaitForExit();
        // The child of the killed pair may outlive it by a moment.
        var taken = SpinWait.SpinUntil(() => Record.Exception(() => RunLock.Take(_folder.Path).Dispose()) is null, TimeSpan.FromSeconds(10));
        Assert.True(taken);
    }

    [Fact]
    public void A_stale_record_is_taken_over_and_a_live_one_is_not()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "reads /proc");
        var path = Path.Combine(_folder.Path, RunLock.FileName);
        var me = RunLock.Owner.Current;
        foreach (var gone in new[] { me with { Pid = int.MaxValue }, me with { Pid = 1, Start = "another start" }, me with { Pid = 1, Boot = "another boot" }, me with { Host = "elsewhere" } })
        {
            File.WriteAllText(path, gone.ToString());
            RunLock.Take(_folder.Path).Dispose();
        }
        // As on a file system without locks: the record names a process that runs (pid 1 always does) and nobody holds the lock.
        var stat = File.ReadAllText("/proc/1/stat");
        var alive = me with { Pid = 1, Start = stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[19] };
        File.WriteAllText(path, alive.ToString());
        Assert.Contains("process 1 on", Assert.Throws<UserException>(() => RunLock.Take(_folder.Path)).Message, StringComparison.Ordinal);
        File.WriteAllText(path, "\0garbage=\n=\n");
        RunLock.Take(_folder.Path).Dispose();
    }
}

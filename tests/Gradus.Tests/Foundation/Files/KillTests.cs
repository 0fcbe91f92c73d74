using System.Diagnostics;
using Gradus.Foundation.Files;

namespace Gradus.Tests.Foundation.Files;

/// <summary>SIGKILL at every operation of a durable write and of a folder's publication, in a child that is this test program again.</summary>
public sealed class KillTests
{
    private const string Target = "GRADUS_TEST_TARGET";
    private static readonly string s_old = new('o', 200_000);
    private static readonly string s_new = new('n', 300_000);

    [Fact]
    public void A_process_killed_at_any_operation_leaves_the_old_state_or_the_new_one()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "looks for exit code 137");
        using var folder = Repo.Temp();
        var (file, final) = (folder.File("file"), folder.File("step-1"));
        var seen = new HashSet<(bool NewFile, bool Published)>();
        for (var n = 1; ; n++)
        {
            File.WriteAllText(file, s_old);
            if (Directory.Exists(final))
                Directory.Delete(final, recursive: true);
            var code = RunChild(folder.Path, $"durable#{n}:kill");
            var text = File.ReadAllText(file);
            Assert.True(text == s_old || text == s_new, $"torn file after operation {n}");
            if (Directory.Exists(final))
                Assert.Equal(s_new, File.ReadAllText(Path.Combine(final, "weights")));
            seen.Add((text == s_new, Directory.Exists(final)));
            if (code == 0)
                break;
            Assert.Equal(128 + 9, code);
            Assert.True(n < 40, "the loop does not end");
        }
        // Old, only the file new, and both new were all met: the kills really fell before, between and after.
        Assert.Equal([(false, false), (true, false), (true, true)], seen.Order());
        Durable.RemoveLeftovers(folder.Path);
        Assert.Equal([file], Directory.GetFiles(folder.Path));
    }

    [Fact(Explicit = true)]
    public void Child()
    {
        var folder = Environment.GetEnvironmentVariable(Target)!;
        Durable.WriteText(Path.Combine(folder, "file"), s_new);
        var temporary = Path.Combine(folder, "step-1.tmp");
        Directory.CreateDirectory(temporary);
        File.WriteAllText(Path.Combine(temporary, "weights"), s_new);
        Durable.PublishFolder(temporary, Path.Combine(folder, "step-1"));
    }

    private static int RunChild(string folder, string failpoint)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, ["-explicit", "only", "-method", $"{typeof(KillTests).FullName}.{nameof(Child)}"]) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        start.Environment[Target] = folder;
        start.Environment["GRADUS_FAILPOINT"] = failpoint;
        using var child = Process.Start(start)!;
        var output = child.StandardOutput.ReadToEndAsync();
        var errors = child.StandardError.ReadToEndAsync();
        child.WaitForExit();
        Task.WaitAll(output, errors);
        if (child.ExitCode == 0)
            Assert.Contains("Total: 1", output.Result, StringComparison.Ordinal); // a child that found no test proves nothing
        return child.ExitCode;
    }
}

using System.Runtime.InteropServices;
using Gradus.Foundation.Files;
using Gradus.Tests;
using Gradus.Tests.Cli;

namespace Gradus.Scenarios;

/// <summary>RELIABILITY CK1, CK2, CK4, CK6, CK7, CK12 with the real program: whatever happens to a run, what comes out in the end is what would have come out.</summary>
public sealed class KillScenarios(ITestOutputHelper output) : IDisposable
{
    private const int Kills = 20;
    private readonly ToyRun _toy = new(steps: 24, saveEvery: 3);

    public void Dispose() => _toy.Dispose();

    [Fact]
    [Row("G18")]
    public void Twenty_runs_killed_at_random_instants_and_resumed_end_as_the_undisturbed_one()
    {
        var (whole, events, start) = Undisturbed(_toy);
        var draws = new Draws("kills");
        var phases = new SortedDictionary<string, int>(StringComparer.Ordinal);
        var duringResume = 0;
        for (var i = 0; i < Kills; i++)
        {
            var run = $"run-{i}";
            Count(phases, KillOnce(_toy, run, draws, events, start));
            // Every second one is killed again while it resumes.
            if (i % 2 == 1)
            {
                Count(phases, KillOnce(_toy, run, draws, events, start));
                duringResume++;
            }
            _toy.Train(run).Done();
            Assert.Equal(whole, _toy.Fingerprint(run));
            Assert.Empty(_toy.Leftovers(run));
            Directory.Delete(_toy.InFolder(run), recursive: true);
        }
        output.WriteLine($"killed {string.Join(", ", phases.Select(p => $"{p.Value} × {p.Key}"))}");
        Assert.Equal(Kills + duringResume, phases.Values.Sum());
        Assert.True(phases.Count >= 4, $"the kills fell into {phases.Count} phases only: {string.Join(", ", phases.Keys)}");
    }

    [Fact]
    [Row("G18")]
    public void One_run_on_two_threads_killed_twenty_times_in_a_row_ends_as_the_undisturbed_one()
    {
        using var toy = new ToyRun(steps: 40, saveEvery: 2, threads: 2);
        var (whole, _, start) = Undisturbed(toy);
        var draws = new Draws("in a row");
        var (kills, furthest) = (0, new SortedSet<string>(StringComparer.Ordinal));
        while (kills < Kills)
        {
            // A few steps further each time, so that the kills spread over the whole run.
            if (KillAt(toy, "run", draws.Below(5) == 0 ? 0 : 1 + draws.Below(9), draws, start) is null) break;
            kills++;
            furthest.Add(Directory.Exists(toy.InFolder("run/checkpoints")) && Directory.GetDirectories(toy.InFolder("run/checkpoints"), "step-????????").Order(StringComparer.Ordinal).LastOrDefault() is { } last ? Path.GetFileName(last) : "none");
        }
        output.WriteLine($"{kills} kills; newest checkpoints then: {string.Join(", ", furthest)}");
        Assert.Equal(Kills, kills);
        Assert.True(furthest.Count >= 5, "the kills did not spread over the run");
        toy.Train("run").Done();
        Assert.Equal(whole, toy.Fingerprint("run"));
    }

    public static TheoryData<string> Phases =>
    [
        "data.batch", "checkpoint.begin", "checkpoint.model", "checkpoint.optimizer", "checkpoint.state", "checkpoint.manifest", "checkpoint.published", "checkpoint.latest", "checkpoint.prune",
        "checkpoint.begin#3", "checkpoint.manifest#3", "checkpoint.published#3", // of three saves
        "durable.create", "durable.write#3", "durable.fsync#5", "durable.rename#9", "durable.fsync-folder#20", "durable.publish", "durable.publish#2", "durable.publish#4",
    ];

    [Theory]
    [MemberData(nameof(Phases))]
    [Row("G18")]
    public void A_run_killed_at_a_named_phase_and_again_at_the_resume_ends_as_the_undisturbed_one(string phase)
    {
        using var toy = new ToyRun();
        var whole = Undisturbed(toy).Fingerprint;
        using (var first = toy.Start("run", phase + ":kill"))
            Assert.True(first.End().Code == 137, $"{phase} was never visited");
        using (var second = toy.Start("run", "checkpoint.restore:kill"))
            Assert.Equal(Directory.Exists(toy.InFolder("run/checkpoints")) && Directory.GetDirectories(toy.InFolder("run/checkpoints"), "step-????????").Length > 0 ? 137 : 0, second.End().Code);
        toy.Train("run").Done();
        Assert.Equal(whole, toy.Fingerprint("run"));
        Assert.Empty(toy.Leftovers("run"));
    }

    [Theory]
    [InlineData("checkpoint.model:enospc")]
    [InlineData("checkpoint.manifest:eio")]
    [InlineData("durable.fsync#12:eio")]
    [InlineData("checkpoint.begin#2:enospc")]
    [Row("G18")]
    public void A_disk_that_is_full_for_one_save_costs_that_checkpoint_and_says_so(string fault)
    {
        using var toy = new ToyRun();
        var whole = Undisturbed(toy).Fingerprint;
        using var run = toy.Start("run", fault);
        var end = run.End();
        if (end.Code == 0)
        {
            Assert.Contains("checkpoint not saved", end.Out, StringComparison.Ordinal);
        }
        else
        {
            Assert.DoesNotContain("   at ", end.Error, StringComparison.Ordinal); // it hit the start of the run: one line, and the run goes on later
            toy.Train("run").Done();
        }
        Assert.Equal(whole, toy.Fingerprint("run"));
        Assert.Empty(toy.Leftovers("run"));
    }

    [Fact]
    [Row("G18")]
    public void Damage_anywhere_in_a_checkpoint_is_found_and_the_one_before_is_used()
    {
        using var toy = new ToyRun();
        var whole = Undisturbed(toy).Fingerprint;
        using (var run = toy.Start("broken", "checkpoint.published#2:kill")) Assert.Equal(137, run.End().Code);
        var draws = new Draws("bits");
        var cases = new List<(string File, string What)> { ("model.safetensors", "missing"), ("optimizer.safetensors", "short"), ("state.json", "long"), ("MANIFEST", "missing"), ("MANIFEST", "empty") };
        foreach (var file in new[] { "model.safetensors", "optimizer.safetensors", "state.json", "MANIFEST" })
            for (var i = 0; i < 2; i++) cases.Add((file, "bit"));
        foreach (var (file, what) in cases)
        {
            Copy(toy.InFolder("broken"), toy.InFolder("run"));
            var path = toy.InFolder($"run/checkpoints/step-00000008/{file}");
            var bytes = File.ReadAllBytes(path);
            switch (what)
            {
                case "missing": File.Delete(path); break;
                case "short": File.WriteAllBytes(path, bytes[..^1]); break;
                case "long": File.WriteAllBytes(path, [.. bytes, 0]); break;
                case "empty": File.WriteAllBytes(path, []); break;
                default:
                    bytes[draws.Below(bytes.Length)] ^= (byte)(1 << draws.Below(8));
                    File.WriteAllBytes(path, bytes);
                    break;
            }
            var resumed = toy.Train("run").Done();
            Assert.True(resumed.Error.Contains("trying the checkpoint before it", StringComparison.Ordinal) && resumed.Error.Contains("resuming after step 4", StringComparison.Ordinal), $"{file}, {what}: {resumed.Error}");
            Assert.Equal(whole, toy.Fingerprint("run"));
            Directory.Delete(toy.InFolder("run"), recursive: true);
        }

        // Both of them damaged: refused, nothing changed.
        Copy(toy.InFolder("broken"), toy.InFolder("run"));
        foreach (var step in new[] { 4, 8 }) File.WriteAllBytes(toy.InFolder($"run/checkpoints/step-{step:D8}/MANIFEST"), []);
        Assert.Contains("none of its 2 checkpoints can be used", toy.Train("run").Refusal(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(PosixSignal.SIGINT, 130)]
    [InlineData(PosixSignal.SIGTERM, 143)]
    [Row("G18")]
    public void A_second_signal_ends_the_program_at_once_and_the_run_can_go_on(PosixSignal signal, int code)
    {
        CommandLine.SkipWhereIgnored(signal);
        using var toy = new ToyRun(more: "", steps: 6, saveEvery: 1);
        string[] slow = ["--set", "trainer.accumulate=4000"]; // a step of many seconds
        using var run = toy.Start("run", null, slow);
        Assert.True(run.WaitForLines(3)); // the notes and "started": the first step is under way
        run.Signal(signal);
        while (!run.WaitForLines(4)) Assert.Fail("ended after the first signal");
        Assert.False(run.HasExited);
        var watch = System.Diagnostics.Stopwatch.StartNew();
        run.Signal(signal);
        Assert.Equal(code, run.End(seconds: 10).Code);
        Assert.True(watch.Elapsed.TotalSeconds < 5);
        Assert.Empty(toy.Leftovers("run"));
    }

    [Fact]
    [Row("G18")]
    public void Two_processes_in_one_folder_never_both_train()
    {
        using var toy = new ToyRun();
        var whole = Undisturbed(toy).Fingerprint;
        var both = Enumerable.Range(0, 4).Select(_ => toy.Start("run")).ToArray();
        var ends = both.Select(b => b.End()).ToArray();
        foreach (var b in both) b.Dispose();
        Assert.Contains(ends, e => e.Code == 0);
        foreach (var refused in ends.Where(e => e.Code != 0)) Assert.Contains("another run is using this folder", refused.Refusal(), StringComparison.Ordinal);
        Assert.Contains(ends, e => e.Code == 2);
        Assert.Equal(whole, toy.Fingerprint("run"));
    }

    private static (SortedDictionary<string, string> Fingerprint, int Events, TimeSpan Start) Undisturbed(ToyRun toy)
    {
        var watch = System.Diagnostics.Stopwatch.StartNew();
        using var run = toy.Start("whole");
        Assert.True(run.WaitForLines(4)); // the first step is done
        var start = watch.Elapsed;
        return (Finger(run.End().Done()), run.End().Lines.Length, start);

        SortedDictionary<string, string> Finger(Outcome _) => toy.Fingerprint("whole");
    }

    /// <summary>Kills at a random instant; when the run was over before that, draws again.</summary>
    private static string KillOnce(ToyRun toy, string run, Draws draws, int events, TimeSpan start)
    {
        for (var tries = 0; tries < 10; tries++)
        {
            var at = draws.Below(4) == 0 ? 0 : 1 + draws.Below(events - 1);
            if (KillAt(toy, run, at, draws, start) is { } phase) return phase;
            Directory.Delete(toy.InFolder(run), recursive: true); // it came through: a kill that hits nobody does not count
        }
        throw new InvalidOperationException("no kill hit a living run");
    }

    // An instant is an event of the run and some milliseconds after it: spread over the work, whatever the machine's load.
    private static string? KillAt(ToyRun toy, string run, int lines, Draws draws, TimeSpan start)
    {
        using var process = toy.Start(run);
        if (lines > 0) process.WaitForLines(lines);
        Thread.Sleep(lines > 0 ? TimeSpan.FromMilliseconds(draws.Below(40)) : start * (draws.Below(1000) / 1000.0));
        return process.Kill() ? Phase(toy.InFolder(run)) : null;
    }

    private static string Phase(string run)
    {
        if (!File.Exists(Path.Combine(run, "run.json"))) return Directory.Exists(Path.Combine(run, "tokenizer")) ? "data" : Directory.Exists(run) ? "tokenizer" : "start";
        var checkpoints = Path.Combine(run, "checkpoints");
        if (!Directory.Exists(checkpoints)) return "before the first save";
        if (Directory.GetDirectories(checkpoints, "*.tmp").Length > 0) return "in a save";
        if (Directory.GetDirectories(checkpoints, "*.old").Length > 0) return "in a purge";
        return Directory.Exists(Path.Combine(checkpoints, "step-00000024")) ? "after the last save" : "between saves";
    }

    private static void Count(SortedDictionary<string, int> phases, string phase) => phases[phase] = phases.GetValueOrDefault(phase) + 1;

    private static void Copy(string from, string to)
    {
        foreach (var folder in Directory.GetDirectories(from, "*", SearchOption.AllDirectories).Prepend(from)) Directory.CreateDirectory(folder.Replace(from, to, StringComparison.Ordinal));
        foreach (var file in Directory.GetFiles(from, "*", SearchOption.AllDirectories)) File.Copy(file, file.Replace(from, to, StringComparison.Ordinal));
    }

    private sealed class Draws(string stream)
    {
        private readonly Counter _counter = new(20261120, stream);
        private ulong _next;

        public int Below(int n) => _counter.Below(_next++, n);
    }
}

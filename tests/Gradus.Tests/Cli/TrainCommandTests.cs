using System.Runtime.InteropServices;

namespace Gradus.Tests.Cli;

/// <summary>
/// A run through the command line that is killed, stopped, damaged: what comes out is what would have come out undisturbed, to the bit.
/// Few cases here; Gradus.Scenarios has the many.
/// </summary>
public sealed class TrainCommandTests : IDisposable
{
    private readonly ToyRun _toy = new();

    public TrainCommandTests() => Assert.SkipUnless(OperatingSystem.IsLinux(), "sends signals");

    public void Dispose() => _toy.Dispose();

    [Fact]
    [Row("G18")]
    public void A_run_killed_between_steps_and_in_the_middle_of_a_save_ends_as_if_it_had_not_been()
    {
        _toy.Train("whole").Done();
        // In a step after the first checkpoint, then in the resumed run between two files of a checkpoint.
        using (var first = _toy.Start("broken"))
        {
            Assert.True(first.WaitForLines(8));
            Assert.True(first.Kill());
        }
        using (var second = _toy.Start("broken", "checkpoint.optimizer:kill"))
            Assert.Equal(137, second.End().Code);
        Assert.NotEmpty(_toy.Leftovers("broken"));
        _toy.Train("broken").Done();
        Assert.Equal(_toy.Fingerprint("whole"), _toy.Fingerprint("broken"));
        Assert.Empty(_toy.Leftovers("broken"));
        Assert.Equal(12, _toy.LossLog("broken").Count(l => l.Contains("\"loss\"", StringComparison.Ordinal)));
    }

    [Fact]
    [Row("G18")]
    public void A_flipped_bit_in_a_checkpoint_is_found_and_the_one_before_it_is_used()
    {
        _toy.Train("whole").Done();
        using (var run = _toy.Start("broken", "checkpoint.published#2:kill")) Assert.Equal(137, run.End().Code);
        var weights = _toy.InFolder("broken/checkpoints/step-00000008/model.safetensors");
        var bytes = File.ReadAllBytes(weights);
        bytes[^1000] ^= 0x10;
        File.WriteAllBytes(weights, bytes);

        var resumed = _toy.Train("broken").Done();
        Assert.Contains("step-00000008/model.safetensors: damaged: its SHA-256 does not fit the manifest; trying the checkpoint before it", resumed.Error, StringComparison.Ordinal);
        Assert.Contains("resuming after step 4", resumed.Error, StringComparison.Ordinal);
        Assert.Equal(_toy.Fingerprint("whole"), _toy.Fingerprint("broken"));
    }

    [Theory]
    [InlineData(PosixSignal.SIGINT)]
    [InlineData(PosixSignal.SIGTERM)]
    [Row("G18")]
    public void A_signal_finishes_the_step_and_saves_and_the_resumed_run_ends_the_same(PosixSignal signal)
    {
        CommandLine.SkipWhereIgnored(signal);
        using var toy = new ToyRun(steps: 120); // long enough for the signal to come in the middle
        toy.Train("whole").Done();
        Outcome stopped;
        using (var run = toy.Start("broken"))
        {
            Assert.True(run.WaitForLines(6));
            run.Signal(signal);
            stopped = run.End();
        }
        Assert.Equal(130, stopped.Code);
        Assert.Contains("--resume goes on", stopped.Lines[^1], StringComparison.Ordinal);
        Assert.Contains("\"interrupted\"", stopped.Out, StringComparison.Ordinal);
        Assert.False(Directory.Exists(toy.InFolder("broken/model")));
        // The step under way was finished and saved: the checkpoint is of the last step that was logged.
        var last = stopped.Lines.Select(l => System.Text.Json.JsonDocument.Parse(l).RootElement).Last(l => l.GetProperty("event").GetString() == "step").GetProperty("step").GetInt64();
        Assert.True(Directory.Exists(toy.InFolder($"broken/checkpoints/step-{last:D8}")));
        Assert.Empty(toy.Leftovers("broken"));
        toy.Train("broken").Done();
        Assert.Equal(toy.Fingerprint("whole"), toy.Fingerprint("broken"));
    }

    [Fact]
    [Row("G18")]
    public void A_second_process_in_the_folder_is_refused_in_one_line()
    {
        using var first = _toy.Start("run", failpoint: "data.batch#3:stop"); // stands still in its third step
        Assert.True(first.WaitForLines(4));
        var refusal = _toy.Train("run").Refusal();
        Assert.Contains("run: another run is using this folder (process ", refusal, StringComparison.Ordinal);
        Assert.True(first.Kill());
        // The lock of a killed process is gone with it.
        _toy.Train("run").Done();
    }

    [Fact]
    [Row("G18")]
    public void A_folder_that_holds_a_run_is_not_started_over_and_other_settings_are_refused()
    {
        using (var run = _toy.Start("run", "checkpoint.published:kill")) Assert.Equal(137, run.End().Code);
        var before = Directory.GetFiles(_toy.InFolder("run"), "*", SearchOption.AllDirectories);
        Assert.Contains("already holds a run", CommandLine.Run(_toy.Here, "train", "toy.yaml", "--out", "run").Refusal(), StringComparison.Ordinal);
        Assert.Contains("optimizer.learning_rate: 0.003 → 0.001", _toy.Train("run", "--set", "optimizer.learning_rate=1e-3").Refusal(), StringComparison.Ordinal);
        Assert.Equal(before, Directory.GetFiles(_toy.InFolder("run"), "*", SearchOption.AllDirectories));
    }

    [Fact]
    [Row("G17")]
    public void A_run_that_diverges_says_at_which_step_and_keeps_the_last_checkpoint()
    {
        var run = _toy.Train("run", "--set", "optimizer={kind: adamw, learning_rate: 100, weight_decay: 1}", "--set", "trainer.clip_norm=null", "--set", "trainer.save_every=3", "--set", "trainer.steps=100");
        Assert.Equal(3, run.Code);
        var line = Assert.Single(run.Error.Split('\n'), l => l.StartsWith("error: ", StringComparison.Ordinal));
        Assert.Contains("step", line, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", run.Error, StringComparison.Ordinal);
        Assert.NotEmpty(Directory.GetDirectories(_toy.InFolder("run/checkpoints"), "step-*"));
    }
}

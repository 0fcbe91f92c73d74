using Gradus.Foundation.Files;
using Gradus.Training.Loop;
using Gradus.Training.Optim;

namespace Gradus.Tests.Training.Loop;

/// <summary>A run that was stopped, killed, or found a damaged checkpoint is, bit for bit, the run that never was.</summary>
[Row("G18")]
public sealed class CheckpointTests
{
    private static readonly TrainerOptions Options = new() { Steps = 12, Batch = 3, Accumulate = 2, ValidateEvery = 0, SaveEvery = 4, KeepLast = 2, Schedule = new CosineOptions { WarmupSteps = 6 } };

    [Theory, InlineData(1), InlineData(4), InlineData(5), InlineData(8), InlineData(11)]
    public void Stopped_after_any_step_and_resumed_is_never_stopped(int stopAfter)
    {
        using var undisturbed = new SmallRun(Options);
        undisturbed.Run();

        using var folder = Repo.Temp();
        using var stop = new CancellationTokenSource();
        using var first = new SmallRun(Options, folder.Path, hook: new AtStep(stopAfter, stop.Cancel));
        Assert.Equal(RunEnd.Interrupted, first.Run(stop.Token));
        using var second = new SmallRun(Options, folder.Path);
        Assert.Equal(stopAfter, second.State.Step);
        Assert.Equal(RunEnd.Finished, second.Run());

        Assert.Equal(undisturbed.Model.Weights(), second.Model.Weights());
        Assert.Equal(undisturbed.Moments, second.Moments);
        Assert.Equal(undisturbed.LossBits, first.LossBits.Concat(second.LossBits));
        Assert.Equal(undisturbed.State with { Seconds = 0 }, second.State with { Seconds = 0 });
    }

    [Fact]
    public void A_resume_that_forgets_the_moments_is_another_run()
    {
        using var undisturbed = new SmallRun(Options);
        undisturbed.Run();
        using var folder = Repo.Temp();
        using (var stop = new CancellationTokenSource())
        using (var first = new SmallRun(Options, folder.Path, hook: new AtStep(5, stop.Cancel)))
            first.Run(stop.Token);
        using var second = new SmallRun(Options, folder.Path);
        foreach (var (_, value) in second.Optimizer.State) value.Zero();
        second.Run();
        Assert.NotEqual(undisturbed.Model.Weights(), second.Model.Weights());
    }

    [Fact]
    public void Saving_changes_nothing()
    {
        using var folder = Repo.Temp();
        using var without = new SmallRun(Options);
        using var with = new SmallRun(Options with { SaveEvery = 1 }, folder.Path);
        without.Run();
        with.Run();
        Assert.Equal(without.Model.Weights(), with.Model.Weights());
        Assert.Equal(12, with.Reports.Saves.Count);
    }

    public static TheoryData<string, int> Phases()
    {
        var data = new TheoryData<string, int>();
        foreach (var phase in new[] { "begin", "model", "optimizer", "state", "manifest", "published", "latest", "prune" }) data.Add("checkpoint." + phase, 2);
        // Every durable operation of the second save, in order.
        foreach (var phase in new[] { "durable.create", "durable.write", "durable.fsync", "durable.rename", "durable.fsync-folder", "durable.publish" }) data.Add(phase, 1);
        foreach (var n in new[] { 2, 4, 7 }) data.Add("durable.fsync", n);
        return data;
    }

    /// <summary>The process dies in the middle of a save (here: an exception nobody handles), at every named place.</summary>
    [Theory, MemberData(nameof(Phases))]
    public void Dying_in_any_phase_of_a_save_loses_no_checkpoint(string phase, int visit)
    {
        using var undisturbed = new SmallRun(Options);
        undisturbed.Run();
        using var folder = Repo.Temp();
        try
        {
            Failpoint.Arm($"{phase}#{visit}:throw");
            using var dying = new SmallRun(Options with { KeepLast = 1 }, folder.Path);
            Assert.Throws<InvalidOperationException>(() => dying.Run());
            Assert.Equal(1, Failpoint.Fired);
        }
        finally
        {
            Failpoint.Arm(null);
        }

        using var resumed = new SmallRun(Options with { KeepLast = 1 }, folder.Path);
        Assert.Empty(resumed.Said);
        Assert.Contains(resumed.State.Step, new long[] { 0, 4, 8, 12 });
        resumed.Run();
        Assert.Equal(undisturbed.Model.Weights(), resumed.Model.Weights());
        Assert.DoesNotContain(Directory.EnumerateFileSystemEntries(folder.File("checkpoints")), p => p.EndsWith(".tmp", StringComparison.Ordinal) || p.EndsWith(".old", StringComparison.Ordinal));
    }

    [Theory, InlineData("enospc"), InlineData("eio")]
    public void A_full_disk_warns_keeps_the_old_checkpoint_and_does_not_end_the_run(string fault)
    {
        using var undisturbed = new SmallRun(Options);
        undisturbed.Run();
        using var folder = Repo.Temp();
        using var run = new SmallRun(Options, folder.Path);
        try
        {
            Failpoint.Arm($"checkpoint.optimizer#2:{fault}");
            run.Run();
            Assert.Equal(1, Failpoint.Fired);
        }
        finally
        {
            Failpoint.Arm(null);
        }
        Assert.Equal([4, 12], run.Reports.Saves);
        Assert.Contains("checkpoint not saved", Assert.Single(run.Reports.Warnings), StringComparison.Ordinal);
        Assert.Equal(undisturbed.Model.Weights(), run.Model.Weights());
        Assert.Equal(["latest", "step-00000004", "step-00000012"], Directory.EnumerateFileSystemEntries(folder.File("checkpoints")).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void Failing_to_write_the_last_checkpoint_is_not_called_success()
    {
        using var folder = Repo.Temp();
        using var run = new SmallRun(Options with { SaveEvery = 0 }, folder.Path);
        try
        {
            Failpoint.Arm("checkpoint.state:enospc");
            Assert.Contains("the last checkpoint could not be saved", Assert.Throws<UserException>(() => run.Run()).Message, StringComparison.Ordinal);
        }
        finally
        {
            Failpoint.Arm(null);
        }
    }

    [Theory, InlineData("model.safetensors"), InlineData("optimizer.safetensors"), InlineData("state.json"), InlineData("MANIFEST")]
    public void Any_flipped_bit_is_found_and_the_checkpoint_before_is_used(string file)
    {
        using var undisturbed = new SmallRun(Options);
        undisturbed.Run();
        using var folder = Repo.Temp();
        using (var run = new SmallRun(Options, folder.Path)) run.Run();
        var path = Path.Combine(folder.File("checkpoints"), "step-00000012", file);
        var good = File.ReadAllBytes(path);
        var draws = new Counter(11, file);
        var store = new CheckpointStore(folder.File("checkpoints"), new RunIdentity("run", "recipe", "data", "tokenizer"), 2);
        for (var i = 0; i < 60; i++)
        {
            var bad = (byte[])good.Clone();
            bad[draws.Below((ulong)(2 * i), bad.Length)] ^= (byte)(1 << draws.Below((ulong)(2 * i + 1), 8));
            File.WriteAllBytes(path, bad);
            Assert.Throws<UserException>(() => CheckpointManifest.Verify(Path.GetDirectoryName(path)!, 12, "run"));
        }

        using var resumed = new SmallRun(Options, folder.Path);
        Assert.Equal(8, resumed.State.Step);
        Assert.Contains("trying the checkpoint before it", Assert.Single(resumed.Said), StringComparison.Ordinal);
        resumed.Run();
        Assert.Equal(undisturbed.Model.Weights(), resumed.Model.Weights());
        Assert.True(Directory.Exists(Path.Combine(folder.File("checkpoints"), "step-00000012.damaged")));
        Assert.Equal([8, 12], store.All.Select(c => c.Step));
    }

    [Theory]
    [InlineData("cut", "bytes instead of")]
    [InlineData("longer", "bytes instead of")]
    [InlineData("gone", "missing")]
    [InlineData("no manifest", "holds no MANIFEST")]
    [InlineData("empty manifest", "its own checksum")]
    [InlineData("another step", "belongs to step 8, not 12")]
    [InlineData("another run", "belongs to another run")]
    public void What_is_not_whole_or_not_ours_is_passed_over(string harm, string words)
    {
        using var folder = Repo.Temp();
        using (var run = new SmallRun(Options, folder.Path)) run.Run();
        var newest = Path.Combine(folder.File("checkpoints"), "step-00000012");
        var model = Path.Combine(newest, "model.safetensors");
        switch (harm)
        {
            case "cut": File.WriteAllBytes(model, File.ReadAllBytes(model)[..^1]); break;
            case "longer": File.WriteAllBytes(model, [.. File.ReadAllBytes(model), 0]); break;
            case "gone": File.Delete(Path.Combine(newest, "optimizer.safetensors")); break;
            case "no manifest": File.Delete(Path.Combine(newest, "MANIFEST")); break;
            case "empty manifest": File.WriteAllText(Path.Combine(newest, "MANIFEST"), ""); break;
            case "another step":
                Directory.Delete(newest, recursive: true);
                CopyFolder(Path.Combine(folder.File("checkpoints"), "step-00000008"), newest);
                break;
            case "another run":
                File.Delete(Path.Combine(newest, "MANIFEST"));
                CheckpointManifest.Write(newest, 12, new RunIdentity("other", "recipe", "data", "tokenizer"), 1);
                break;
        }
        using var resumed = new SmallRun(Options, folder.Path);
        Assert.Equal(8, resumed.State.Step);
        Assert.Contains(words, Assert.Single(resumed.Said), StringComparison.Ordinal);
    }

    [Fact]
    public void A_checkpoint_of_another_shape_is_refused_before_any_weight_is_touched()
    {
        using var folder = Repo.Temp();
        using (var run = new SmallRun(Options, folder.Path)) run.Run();
        using var other = new TinyLanguageModel(width: 8);
        using var optimizer = new AdamWOptions().Build(other.Parameters);
        var before = other.Weights();
        var store = new CheckpointStore(folder.File("checkpoints"), new RunIdentity("run", "recipe", "data", "tokenizer"), 2);
        var error = Assert.Throws<UserException>(() => store.Restore(other, optimizer, _ => { }));
        Assert.Contains("embed.weight is float32 17x16, the run has float32 17x8", error.Message, StringComparison.Ordinal);
        Assert.Equal(before, other.Weights());
    }

    [Theory]
    [InlineData("other", "tokenizer", 1, "with other data")]
    [InlineData("data", "other", 1, "with another tokenizer")]
    [InlineData("data", "tokenizer", 2, "by 1 processes and the run has 2 now")]
    public void A_sound_checkpoint_of_other_circumstances_is_refused_not_passed_over(string data, string tokenizer, int processes, string words)
    {
        using var folder = Repo.Temp();
        using var run = new SmallRun(Options, folder.Path);
        run.Run();
        var store = new CheckpointStore(folder.File("checkpoints"), new RunIdentity("run", "recipe", data, tokenizer), 2, processes);
        Assert.Contains(words, Assert.ThrowsAny<UserException>(() => Restore(store, run)).Message, StringComparison.Ordinal);
        Assert.Equal([8, 12], store.All.Select(c => c.Step));
    }

    private static void Restore(CheckpointStore store, SmallRun run) => store.Restore(run.Model, run.Optimizer, _ => Assert.Fail("nothing was damaged"));

    [Fact]
    public void The_newest_and_the_best_are_kept()
    {
        using var folder = Repo.Temp();
        using var run = new SmallRun(Options with { SaveEvery = 1, KeepLast = 3 }, folder.Path, hook: null);
        run.State.BestStep = 2;
        run.Run();
        Assert.Equal([2, 10, 11, 12], run.Store!.All.Select(c => c.Step));
    }

    [Fact]
    public void An_old_checkpoint_that_cannot_be_deleted_is_a_warning_and_goes_next_time()
    {
        using var folder = Repo.Temp();
        using var run = new SmallRun(Options with { SaveEvery = 1, KeepLast = 1 }, folder.Path);
        try
        {
            Failpoint.Arm("checkpoint.prune#2:eio");
            run.Run();
        }
        finally
        {
            Failpoint.Arm(null);
        }
        Assert.Contains("old checkpoint not deleted", Assert.Single(run.Reports.Warnings), StringComparison.Ordinal);
        Assert.Equal([12], run.Store!.All.Select(c => c.Step));
    }

    /// <summary>A field added to the run's state and forgotten in the checkpoint would resume wrongly: every one must be here.</summary>
    [Fact]
    public void Every_piece_of_state_is_saved_or_derived()
    {
        // What changes while training, and is not in RunState or the optimiser's tensors, is listed here with the reason it may be lost.
        var derived = new Dictionary<string, string>
        {
            ["Trainer._secondsPerStep"] = "for the ETA only",
            ["CheckpointStore.<LastSaved>k__BackingField"] = "set by Restore",
            ["Optimizer.<Steps>k__BackingField"] = "RunState.OptimizerSteps",
        };
        Type[] stateful = [typeof(Trainer), typeof(CheckpointStore), typeof(Optimizer), typeof(Validator), typeof(LossScaler), .. typeof(Optimizer).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(Optimizer)))];
        var mutable = stateful.SelectMany(t => t.GetFields(System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Public | System.Reflection.BindingFlags.DeclaredOnly)
            .Where(f => !f.IsInitOnly && !f.Name.StartsWith('<') | f.Name.Contains("k__BackingField") && !f.IsInitOnly)
            .Where(f => !IsConstructorParameter(t, f) && !IsInit(t, f)).Select(f => $"{t.Name}.{f.Name}")).ToList();
        Assert.Equal(derived.Keys.Order(), mutable.Order());

        var state = new RunState();
        var i = 0;
        foreach (var property in typeof(RunState).GetProperties().Where(p => p.SetMethod is { IsPublic: true }))
        {
            i++;
            var type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
            property.SetValue(state, type == typeof(bool) ? true : Convert.ChangeType(i, type));
        }
        using var folder = Repo.Temp();
        using var run = new SmallRun(Options, folder.Path);
        run.Store!.Save(state, run.Model, run.Optimizer);
        Assert.Equal(state, run.Store.Restore(run.Model, run.Optimizer, _ => { }));
    }

    // A primary constructor's parameters become fields that only the constructor writes.
    private static bool IsConstructorParameter(Type type, System.Reflection.FieldInfo field) =>
        field.Name.StartsWith('<') && field.Name.EndsWith(">P", StringComparison.Ordinal) && type.GetConstructors(System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.Public | System.Reflection.BindingFlags.NonPublic).Any(c => c.GetParameters().Any(p => $"<{p.Name}>P" == field.Name));

    private static bool IsInit(Type type, System.Reflection.FieldInfo field) =>
        field.Name.EndsWith("k__BackingField", StringComparison.Ordinal) && type.GetProperty(field.Name[1..field.Name.IndexOf('>')])?.SetMethod is { } set
        && set.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(System.Runtime.CompilerServices.IsExternalInit));

    private static void CopyFolder(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.EnumerateFiles(from)) File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
    }
}

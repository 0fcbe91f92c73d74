using System.Text;
using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;
using Gradus.Models.Families;
using Gradus.Models.Peft;

namespace Gradus.Training.Loop;

/// <summary>What a run came to.</summary>
/// <param name="End">How it ended.</param>
/// <param name="State">Where it stands.</param>
/// <param name="Steps">Steps of the whole run.</param>
/// <param name="Recipe">The recipe as it was carried out.</param>
/// <param name="ModelFolder">The exported model, in Hugging Face layout with its tokenizer, or the adapter in PEFT's; null when the run was interrupted.</param>
public sealed record RunResult(RunEnd End, RunState State, long Steps, TrainRecipe Recipe, string? ModelFolder);

/// <summary>
/// A run from recipe to exported model, in a folder: <c>recipe.yaml</c>, <c>run.json</c>, <c>metrics.jsonl</c>, <c>samples.jsonl</c>,
/// <c>tensorboard/</c>, <c>checkpoints/</c>, <c>data/</c> and <c>tokenizer/</c> when made here, at the end <c>model/</c> (or <c>adapter/</c>), <c>report.md</c>, <c>loss.svg</c> and, of a tuning run, <c>ledger.json</c>.
/// </summary>
public static class TrainingRun
{
    /// <summary>The resolved recipe's name in a run folder.</summary>
    public const string RecipeName = "recipe.yaml";

    /// <summary>Trains, or goes on with a run that was stopped.</summary>
    /// <param name="recipe">What to do.</param>
    /// <param name="folder">The run folder; made if missing.</param>
    /// <param name="resume">Goes on with the run in the folder; a folder without one starts it.</param>
    /// <param name="hooks">Further observers, such as the command line's live view.</param>
    /// <param name="say">Messages for the person, a line each.</param>
    /// <param name="clock">For times in logs.</param>
    /// <param name="force">Checks of the preflight that are let through (<see cref="Finding.Names"/>).</param>
    /// <param name="stop">Finishes the step under way, saves, returns.</param>
    /// <exception cref="UserException">The recipe, the folder or the data are not usable, in one line; nothing is left half done.</exception>
    /// <exception cref="DivergedException">The loss is no longer a number.</exception>
    public static RunResult Execute(TrainRecipe recipe, string folder, bool resume, IReadOnlyList<IRunHook> hooks, Action<string>? say = null, TimeProvider? clock = null, IReadOnlyList<string>? force = null, CancellationToken stop = default)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentNullException.ThrowIfNull(hooks);
        (say, clock) = (say ?? (_ => { }), clock ?? TimeProvider.System);
        Preflight.CheckNames(force ??= []);
        var before = Directory.Exists(folder) ? Directory.GetFileSystemEntries(folder).ToHashSet(StringComparer.Ordinal) : null;
        using var runLock = TakeFolder(folder);
        try
        {
            return ExecuteLocked(recipe, folder, resume, hooks, say, clock, force, stop);
        }
        catch (UserException) when (!File.Exists(Path.Combine(folder, RunRecord.FileName)))
        {
            // Refused before it began: what was made on the way goes, so that nothing looks like a run.
            foreach (var path in Directory.GetFileSystemEntries(folder).Where(path => before?.Contains(path) != true))
            {
                if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
                else File.Delete(path);
            }
            if (before is null) Directory.Delete(folder);
            throw;
        }
    }

    private static RunResult ExecuteLocked(TrainRecipe recipe, string folder, bool resume, IReadOnlyList<IRunHook> hooks, Action<string> say, TimeProvider clock, IReadOnlyList<string> force, CancellationToken stop)
    {
        var record = RunRecord.Read(folder);
        if (recipe.Trainer.Precision == Precision.Auto)
        {
            // Decided once: a run that goes on keeps what it began with.
            var precision = record is null ? ComputeTypes.Decide(Precision.Auto, RunSetup.DeviceOf(recipe.Trainer.Device)) : RecipeFile.Read<TrainRecipe>(Path.Combine(folder, RecipeName), []).Trainer.Precision;
            recipe = recipe with { Trainer = recipe.Trainer with { Precision = precision } };
        }

        if (record is not null && !resume)
            throw new UserException($"{folder}: already holds a run; go on with it by --resume, or choose another --out");
        var changes = record is null ? [] : CompareRecipes(recipe, folder, say);
        Durable.RemoveLeftovers(folder);
        using var setup = RunSetup.Open(recipe, folder, say, stop);
        ComputeTypes.Set(setup.Model, recipe.Trainer.Precision); // before anything is measured, so that before and after are measured alike
        var yaml = RecipeFile.Write(recipe, maskSecrets: true);
        var fresh = record is null;
        record ??= new RunRecord { RunId = Guid.NewGuid().ToString("N"), Name = recipe.Name, Seed = recipe.Trainer.Seed, Sessions = [] };
        var frozen = setup.Model is AdaptedModel ? FrozenWeights.Hash(setup.Model) : null;
        var identity = new RunIdentity(record.RunId, Hashing.Sha256(Encoding.UTF8.GetBytes(yaml)), setup.DataKey, setup.TokenizerKey, frozen);
        var store = new CheckpointStore(Path.Combine(folder, "checkpoints"), identity, recipe.Trainer.KeepLast);
        var state = store.Restore(setup.Model, setup.Optimizer, say) ?? new RunState();
        if (resume) say(state.Step > 0 ? FormattableString.Invariant($"resuming after step {state.Step}") : "no checkpoint to resume from; starting at the beginning");

        var environment = RunEnvironment.Now(recipe.Trainer.Device);
        if (record.Sessions is [.., var last])
            foreach (var change in last.Environment.Changes(environment))
                say($"not as before: {change}; from here on the roundings may differ from an undisturbed run");
        if (fresh) record = record with { Preflight = Check(setup, force, hooks, say, clock, stop) };
        var general = state.Step == 0 ? Forgetting.Before(setup) : null;
        // run.json first: once checkpoints can exist, their run id must.
        Durable.WriteText(Path.Combine(folder, RecipeName), yaml);
        (record with { Sessions = [.. record.Sessions, new RunSession(clock.GetUtcNow().UtcDateTime, state.Step, environment, changes)] }).Write(folder);

        general?.Write(folder);
        using var metrics = new MetricsLog(Path.Combine(folder, "metrics.jsonl"), clock);
        using var samples = new SamplesLog(Path.Combine(folder, "samples.jsonl"));
        using var board = new TensorBoardHook(Path.Combine(folder, "tensorboard"), clock);
        var trainer = new Trainer(recipe.Trainer, recipe.Optimizer.LearningRate, setup.Model, setup.Objective, setup.Optimizer, setup.Rows, new SingleWorld(), [metrics, samples, board, .. hooks], state)
        {
            Checkpoints = store, Validator = setup.Validator(), Sampler = setup.Sampler(), Clock = clock,
            Flops = (Flops.PerToken(setup.Model, setup.Rows.Length), Flops.MeasurePeak(ComputeTypes.Of(recipe.Trainer.Precision), setup.Model.Device)),
        };
        if (state.Step == 0) setup.OverBase(() => setup.Records?.MeasureBefore(setup, folder)); // a run that goes on has done so
        if (general?.Before is not null)
            foreach (var hook in hooks) hook.Measured(general);
        var end = trainer.Run(stop);
        if (frozen is not null && FrozenWeights.Hash(setup.Model) != frozen) throw new InvalidOperationException("weights that were frozen have changed during the run");
        var model = end == RunEnd.Interrupted ? null : Export(setup, folder);
        var (ledger, sections) = ((Ledger?)null, "");
        if (model is not null)
        {
            sections = setup.Records?.MeasureAfter(setup, folder) ?? "";
            if ((general = Forgetting.After(setup, folder)) is not null)
            {
                general.Write(folder);
                foreach (var hook in hooks) hook.Measured(general);
            }
            if (record.Preflight?.Forecast is { } forecast)
            {
                var device = setup.Model.Device;
                ledger = Ledger.Of(forecast, state, Forecast.Peak(device), device.Memory().Peak);
                ledger.Write(folder);
                foreach (var hook in hooks) hook.Settled(ledger);
            }
        }
        RunReport.Write(folder, setup, state, trainer.Steps, end, record.Preflight, general, sections, ledger);
        return new RunResult(end, state, trainer.Steps, recipe, model);
    }

    private static PreflightReport? Check(RunSetup setup, IReadOnlyList<string> force, IReadOnlyList<IRunHook> hooks, Action<string> say, TimeProvider clock, CancellationToken stop)
    {
        var report = Preflight.Make(setup, force, say, clock, stop);
        if (report.Findings.Count == 0) return null;
        foreach (var hook in hooks) hook.Checked(report);
        report.Refuse();
        return report;
    }

    private static RunLock TakeFolder(string folder)
    {
        try
        {
            return RunLock.Take(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserException($"{folder}: cannot be used as a run folder: {e.Message}", e);
        }
    }

    private static List<string> CompareRecipes(TrainRecipe recipe, string folder, Action<string> say)
    {
        var before = RecipeFile.Read<TrainRecipe>(Path.Combine(folder, RecipeName), []);
        var (allowed, refused) = RecipeDiff.Of(before, recipe);
        if (refused.Count > 0)
            throw new UserException($"{folder}: was started with other settings, which cannot change on the way: {string.Join("; ", refused)}; take the settings back, or start a new run (its model.from may be this run's model)");
        foreach (var change in allowed) say($"changed from here on: {change}");
        return allowed;
    }

    private static string Export(RunSetup setup, string folder)
    {
        var final = Path.Combine(folder, setup.Model is AdaptedModel ? "adapter" : "model");
        // What is there already is of a resumed run that had ended.
        Durable.ReplaceFolder(final, building =>
        {
            if (setup.Model is AdaptedModel adapted)
                AdapterFolder.Save(adapted.Used[0], building, setup.Recipe.Model.From, AdapterFolder.BaseFingerprint(setup.Recipe.Model.From!));
            else
                ModelFolder.Save(setup.Model, setup.ModelOptions, building);
            setup.Tokenizer.Save(building);
            setup.Records?.Export(building);
        });
        return final;
    }
}

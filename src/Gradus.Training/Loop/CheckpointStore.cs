using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Gradus.Engine.Files;
using Gradus.Engine.Tensors;
using Gradus.Foundation.Files;
using Gradus.Models.Nn;
using Gradus.Models.Peft;
using Gradus.Training.Optim;

namespace Gradus.Training.Loop;

/// <summary>
/// The folder <c>checkpoints</c> of a run: <c>step-00000100/</c> with <c>model.safetensors</c>, <c>optimizer.safetensors</c>,
/// <c>state.json</c> and <c>MANIFEST</c>. A checkpoint is built under another name and gets its own as one durable step, so
/// whatever has a final name is whole; what is there is deleted only after its replacement is. <c>latest</c> is a hint for people.
/// </summary>
/// <remarks>Failpoints, in order: <c>checkpoint.begin</c>, <c>.model</c>, <c>.optimizer</c>, <c>.state</c>, <c>.manifest</c>, <c>.published</c>, <c>.latest</c>, <c>.prune</c>, <c>.restore</c>.</remarks>
public sealed partial class CheckpointStore(string folder, RunIdentity identity, int keepLast, int worldSize = 1)
{
    internal const string ModelFile = "model.safetensors", OptimizerFile = "optimizer.safetensors", StateFile = "state.json";

    private static readonly JsonSerializerOptions s_json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true, NewLine = "\n" };

    /// <summary>The step of the newest checkpoint this run wrote or started from; -1 when there is none.</summary>
    public long LastSaved { get; private set; } = -1;

    /// <summary>Checkpoints with a final name, oldest first.</summary>
    public IReadOnlyList<(long Step, string Folder)> All => !Directory.Exists(folder) ? []
        : [.. Directory.EnumerateDirectories(folder).Select(path => (Match: StepName().Match(Path.GetFileName(path)), path)).Where(x => x.Match.Success)
            .Select(x => (long.Parse(x.Match.Groups[1].Value, NumberStyles.None, CultureInfo.InvariantCulture), x.path)).OrderBy(x => x.Item1)];

    /// <summary>Writes a checkpoint and returns its folder. On failure nothing of it is left, and the older ones are untouched.</summary>
    /// <exception cref="IOException">The disk is full, or gone; likewise <see cref="UnauthorizedAccessException"/>.</exception>
    public string Save(RunState state, ILanguageModel model, Optimizer optimizer)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(optimizer);
        var final = FolderOf(state.Step);
        var building = final + ".tmp";
        try
        {
            DeleteFolder(building);
            Directory.CreateDirectory(building);
            Failpoint.Visit("checkpoint.begin");
            TensorFile.Write(Path.Combine(building, ModelFile), Weights(model));
            Failpoint.Visit("checkpoint.model");
            TensorFile.Write(Path.Combine(building, OptimizerFile), optimizer.State);
            Failpoint.Visit("checkpoint.optimizer");
            Durable.WriteText(Path.Combine(building, StateFile), JsonSerializer.Serialize(state, s_json) + "\n");
            Failpoint.Visit("checkpoint.state");
            CheckpointManifest.Write(building, state.Step, identity, worldSize);
            Failpoint.Visit("checkpoint.manifest");
            Durable.PublishFolder(building, final);
        }
        catch
        {
            // The error that brought us here is the one to report; a leftover is cleared at the next start.
            try { DeleteFolder(building); }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException) { }
            throw;
        }
        LastSaved = state.Step;
        Failpoint.Visit("checkpoint.published");
        Durable.WriteText(Path.Combine(folder, "latest"), Path.GetFileName(final) + "\n");
        Failpoint.Visit("checkpoint.latest");
        return final;
    }

    /// <summary>Deletes all but the newest checkpoints and the best one. What cannot be deleted is returned as messages and tried again next time.</summary>
    public IReadOnlyList<string> Prune(RunState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        var problems = new List<string>();
        var all = All;
        foreach (var (step, path) in all.Take(Math.Max(0, all.Count - keepLast)))
        {
            if (step == state.BestStep || step == LastSaved) continue;
            try
            {
                Failpoint.Visit("checkpoint.prune");
                // Renamed first: a half-deleted checkpoint must not bear a checkpoint's name.
                Directory.Move(path, path + ".old");
                DeleteFolder(path + ".old");
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                problems.Add($"old checkpoint not deleted: {e.Message}");
            }
        }
        return problems;
    }

    /// <summary>
    /// Puts model and optimiser into the state of the newest checkpoint that is whole. Every hash is checked before any tensor is
    /// touched; damaged checkpoints are passed over, said, and set aside as <c>.damaged</c>.
    /// </summary>
    /// <returns>The run's state, or null when there is no checkpoint at all.</returns>
    /// <exception cref="UserException">There are checkpoints, but none can be used; or the newest belongs to other data, another tokenizer or another number of processes.</exception>
    public RunState? Restore(ILanguageModel model, Optimizer optimizer, Action<string> say)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(optimizer);
        ArgumentNullException.ThrowIfNull(say);
        RemoveLeftovers();
        var all = All;
        var damaged = new List<string>();
        UserException? last = null;
        foreach (var (step, path) in all.Reverse())
        {
            try
            {
                var state = Read(step, path, model, optimizer);
                foreach (var bad in damaged) Directory.Move(bad, Free(bad + ".damaged"));
                LastSaved = step;
                return state;
            }
            catch (UserException e) when (e is not OtherRunException)
            {
                say($"{e.Message}; trying the checkpoint before it");
                damaged.Add(path);
                last = e;
            }
        }
        return last is null ? null : throw new UserException($"{folder}: none of its {all.Count} checkpoints can be used; the oldest: {last.Message}", last);
    }

    /// <summary>Puts only the model into the state of one checkpoint: the best weights at the end of a run.</summary>
    /// <exception cref="UserException">It is not there, or damaged.</exception>
    public void RestoreWeights(long step, ILanguageModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        CheckpointManifest.Verify(FolderOf(step), step, identity.RunId);
        using var file = SafetensorsFile.Open(Path.Combine(FolderOf(step), ModelFile));
        TensorFile.Check(file, Weights(model));
        foreach (var (name, value) in Weights(model)) TensorFile.Read(file, name, value);
    }

    private RunState Read(long step, string path, ILanguageModel model, Optimizer optimizer)
    {
        RefuseOther(path, CheckpointManifest.Verify(path, step, identity.RunId));
        var stateFile = Path.Combine(path, StateFile);
        var state = StrictJson.Read<RunState>(File.ReadAllBytes(stateFile), stateFile);
        if (state.Step != step) throw new UserException(FormattableString.Invariant($"{stateFile}: is of step {state.Step}, not {step}"));
        using var weights = SafetensorsFile.Open(Path.Combine(path, ModelFile));
        using var moments = SafetensorsFile.Open(Path.Combine(path, OptimizerFile));
        TensorFile.Check(weights, Weights(model));
        TensorFile.Check(moments, [.. optimizer.State]);
        Failpoint.Visit("checkpoint.restore");
        foreach (var (name, value) in Weights(model)) TensorFile.Read(weights, name, value);
        optimizer.Restore(state.OptimizerSteps, (name, value) => TensorFile.Read(moments, name, value));
        return state;
    }

    // Sound, but going on from it with what the run has now would be another run.
    private void RefuseOther(string path, CheckpointManifest manifest)
    {
        var what = manifest.Data != identity.Data ? "with other data: a source file has changed since; put it back"
            : manifest.Tokenizer != identity.Tokenizer ? "with another tokenizer; put it back"
            : manifest.Frozen != identity.Frozen ? "over other frozen weights: the model in model.from has changed since; put it back"
            : manifest.WorldSize != worldSize ? FormattableString.Invariant($"by {manifest.WorldSize} processes and the run has {worldSize} now; start as many") : null;
        if (what is not null) throw new OtherRunException($"{path}: was saved {what}, or start a new run from this run's model");
    }

    private sealed class OtherRunException(string message) : UserException(message);

    // Under an adapter the base is where it came from, and the manifest holds its hash; layers that are only frozen for a while are saved.
    private static (string Name, Tensor Value)[] Weights(ILanguageModel model) => [.. model.Parameters.Where(p => p.Trainable || model is not AdaptedModel).Select(p => (p.Name, p.Value))];

    // What a killed process left: checkpoints half built or half deleted. Only under the run's lock.
    private void RemoveLeftovers()
    {
        if (!Directory.Exists(folder)) return;
        foreach (var path in Directory.EnumerateDirectories(folder).Where(p => p.EndsWith(".tmp", StringComparison.Ordinal) || p.EndsWith(".old", StringComparison.Ordinal)))
            DeleteFolder(path);
    }

    private static string Free(string path)
    {
        var free = path;
        for (var i = 2; Directory.Exists(free); i++) free = FormattableString.Invariant($"{path}-{i}");
        return free;
    }

    private static void DeleteFolder(string path)
    {
        if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
    }

    private string FolderOf(long step) => Path.Combine(folder, FormattableString.Invariant($"step-{step:D8}"));

    [GeneratedRegex(@"^step-([0-9]{8,18})\z", RegexOptions.CultureInvariant)]
    private static partial Regex StepName();
}

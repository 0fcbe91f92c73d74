using Gradus.Engine.Tensors;
using Gradus.Foundation.Files;
using Gradus.Models.Nn;
using Gradus.Text.Data;
using Gradus.Training.Objectives;
using Gradus.Training.Optim;

namespace Gradus.Training.Loop;

/// <summary>
/// The one training loop. What it optimises is the objective; what it reports is up to the hooks. A step is a function of the
/// weights, the optimiser's state and (recipe, seed, step): a run that was stopped and resumed is the run that never was.
/// </summary>
public sealed class Trainer(TrainerOptions o, double peakRate, ILanguageModel model, IObjective objective, Optimizer optimizer,
    IBatchSource data, IWorld world, IReadOnlyList<IRunHook> hooks, RunState state)
{
    private readonly long _steps = o.StepsFor(data, world.Size);
    private readonly LossScaler? _scaler = o.Precision == Precision.Fp16 ? new LossScaler(state) : null;
    private double _secondsPerStep;

    /// <summary>Where checkpoints go; null: nowhere.</summary>
    public CheckpointStore? Checkpoints { get; init; }

    /// <summary>What validation measures; null: none.</summary>
    public Validator? Validator { get; init; }

    /// <summary>Writes a piece of text with the model as it is; null: none. Must draw from no random stream but its own.</summary>
    public Func<ILanguageModel, RunState, SampleReport>? Sampler { get; init; }

    /// <summary>Floating-point operations a trained token needs, and what this machine's matrix products reach a second; null: no MFU.</summary>
    public (double PerToken, double PeakPerSecond)? Flops { get; init; }

    /// <summary>For reports; the training does not depend on it.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Steps of the whole run.</summary>
    public long Steps => _steps;

    /// <summary>Trains until the last step, until validation no longer improves, or, when <paramref name="stop"/> asks, until the step under way is done.</summary>
    /// <exception cref="DivergedException">The loss or a gradient is not finite; nothing was updated with it.</exception>
    public RunEnd Run(CancellationToken stop = default)
    {
        ComputeTypes.Set(model, o.Precision);
        foreach (var hook in hooks) hook.Started(state, _steps);
        while (state.Step < _steps && !state.StoppedEarly && !stop.IsCancellationRequested)
        {
            var began = Clock.GetTimestamp();
            var report = Timed(Step(), began);
            foreach (var hook in hooks) hook.Stepped(report);
            var former = (state.BestLoss, state.BestScore, state.BestStep);
            var best = Due(o.ValidateEvery, atEnd: true) && Validate();
            if (Due(o.SampleEvery) && Sampler is not null)
            {
                var sample = Sampler(model, state);
                foreach (var hook in hooks) hook.Sampled(sample);
            }
            state.Seconds += Clock.GetElapsedTime(began).TotalSeconds;
            // Last, so that a checkpoint holds everything this step did, its lines in the logs included.
            var wanted = best && (o.KeepBest || o.ExportBest || o.EarlyStopping is not null);
            if ((Due(o.SaveEvery) || wanted) && !Save(final: false) && wanted)
                (state.BestLoss, state.BestScore, state.BestStep) = former; // best weights that are nowhere could not come back
        }
        if (Checkpoints is { } store && store.LastSaved != state.Step && state.Step > 0) Save(final: true);
        var end = state.StoppedEarly ? RunEnd.StoppedEarly : state.Step >= _steps ? RunEnd.Finished : RunEnd.Interrupted;
        if ((end == RunEnd.StoppedEarly || (end == RunEnd.Finished && o.ExportBest)) && state.BestStep is { } top && top != state.Step) Checkpoints?.RestoreWeights(top, model);
        foreach (var hook in hooks) hook.Ended(state, end);
        return end;
    }

    private StepReport Step()
    {
        using var scope = Tensor.Scope(); // every tensor handle born in this step dies with it
        var batches = Batches();
        var weight = world.Sum(batches.Sum(objective.Weight)); // target tokens of the whole step, over all ranks
        var scale = _scaler?.Scale ?? 1;
        var losses = new List<Tensor>(batches.Length);
        for (var micro = 0; micro < batches.Length && weight > 0; micro++)
        {
            // Dropout draws from (seed, step, micro-batch), so there is no generator to save.
            Generator.SeedDefault(Seeds.Of(o.Seed, state.Step, (long)micro * world.Size + world.Rank));
            losses.Add(Tensor.Scoped(() => // a micro-batch's handles die before the next one begins
            {
                var sum = objective.Sum(model, batches[micro], new Step { Training = true, Recompute = o.Recompute });
                (sum * (scale / weight)).Backward();
                return sum.Detach();
            }));
        }
        var loss = weight > 0 ? world.Sum(losses.Sum(sum => sum.Item())) / weight : 0; // read here, once: nothing above waits for the device
        world.SumGradients(model.Parameters);
        foreach (var parameter in model.Parameters)
            if (parameter.Since > state.OptimizerSteps) parameter.Value.Gradient = null; // its turn to move has not come
        var norm = GradientNorm.Total(model.Parameters) / scale;
        var finite = double.IsFinite(loss) && double.IsFinite(norm);
        var rate = o.Schedule.Rate(peakRate, state.Step, _steps);
        if (!finite && _scaler is null) throw Diverged(loss, norm); // before the update, on every rank
        var use = (_scaler?.Update(finite, state.Step + 1) ?? true) && weight > 0;
        if (use) optimizer.Apply(rate, (o.ClipNorm is { } most ? GradientNorm.ClipFactor(norm, most) : 1) / scale);
        foreach (var parameter in model.Parameters) parameter.Value.Gradient = null;
        state.Step++;
        state.TargetTokens += (long)weight;
        state.OptimizerSteps = optimizer.Steps;
        return new StepReport
        {
            Step = state.Step, Steps = _steps, Loss = loss, GradientNorm = norm, Rate = rate, Skipped = !use,
            TargetTokens = (long)weight, TotalTargetTokens = state.TargetTokens, Seconds = 0, TokensPerSecond = 0,
        };
    }

    // Rows are numbered through the whole run: step, then micro-batch, then rank. So the order does not depend on how they are grouped.
    private TokenBatch[] Batches() => [.. Enumerable.Range(0, o.Accumulate).Select(micro =>
        data.Rows(checked(state.Step * o.RowsPerStep(world.Size) + ((long)micro * world.Size + world.Rank) * o.Batch), o.Batch))];

    private DivergedException Diverged(double loss, double norm)
    {
        var what = !double.IsFinite(loss) ? "the loss" : "the gradient's norm";
        var where = GradientNorm.FirstNonFinite(model.Parameters) is { } bad ? $"; first in the {bad.What} of {bad.Name}" : "; every gradient by itself is finite";
        foreach (var parameter in model.Parameters) parameter.Value.Gradient = null;
        return new DivergedException(state.Step + 1, FormattableString.Invariant($"{what} is {(double.IsFinite(loss) ? norm : loss)}{where}; nothing was updated"));
    }

    private bool Due(long every, bool atEnd = false) => every > 0 && (state.Step % every == 0 || (atEnd && state.Step == _steps));

    private bool Validate()
    {
        if (Validator is null) return false;
        var began = Clock.GetTimestamp();
        var (loss, bitsPerByte, targets) = Validator.Measure(model, objective);
        var scores = Validator.Score?.Invoke(model) ?? [];
        var delta = o.EarlyStopping?.MinDelta ?? 0;
        var best = scores is [var score, ..]
            ? state.BestScore is not { } top || (score.HigherIsBetter ? score.Value > top + delta : score.Value < top - delta)
            : state.BestLoss is not { } before || loss < before - delta;
        if (best)
        {
            (state.BestLoss, state.BestScore, state.BestStep, state.ValidationsWithoutImprovement) = (loss, scores is [var first, ..] ? first.Value : null, state.Step, 0);
        }
        else if (++state.ValidationsWithoutImprovement >= (o.EarlyStopping?.Patience ?? int.MaxValue))
        {
            state.StoppedEarly = true;
        }
        var report = new ValidationReport(state.Step, loss, Math.Exp(loss), bitsPerByte, targets, best, Clock.GetElapsedTime(began).TotalSeconds) { Scores = scores };
        foreach (var hook in hooks) hook.Validated(report);
        return best;
    }

    private bool Save(bool final)
    {
        if (Checkpoints is not { } store) return false;
        foreach (var hook in hooks) hook.Saving(state);
        try
        {
            var folder = store.Save(state, model, optimizer);
            foreach (var hook in hooks) hook.Saved(state.Step, folder);
            foreach (var problem in store.Prune(state))
                foreach (var hook in hooks) hook.Warned(state.Step, problem);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException && !final)
        {
            // A full disk must not cost the run: the last good checkpoint is untouched, and the next save may succeed.
            foreach (var hook in hooks) hook.Warned(state.Step, $"checkpoint not saved: {e.Message}");
            return false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserException(FormattableString.Invariant($"step {state.Step}: the last checkpoint could not be saved: {e.Message}"), e);
        }
    }

    private StepReport Timed(StepReport report, long began)
    {
        var seconds = Clock.GetElapsedTime(began).TotalSeconds;
        _secondsPerStep = _secondsPerStep == 0 ? seconds : 0.9 * _secondsPerStep + 0.1 * seconds;
        var tokens = o.RowsPerStep(world.Size) * (double)data.TokensPerEpoch / data.RowsPerEpoch; // rows may differ in length
        var speed = seconds > 0 ? tokens / seconds : 0;
        return report with
        {
            Seconds = seconds, TokensPerSecond = speed, MemoryBytes = Environment.WorkingSet, PeakTensorBytes = model.Device.Memory().Peak,
            Mfu = Flops is { } f ? speed * f.PerToken / f.PeakPerSecond : null,
            SecondsLeft = (_steps - report.Step) * _secondsPerStep,
        };
    }
}

using Gradus.Engine.Tensors;
using Gradus.Models.Nn;
using Gradus.Text.Data;
using Gradus.Training.Objectives;
using Gradus.Training.Optim;

namespace Gradus.Training.Loop;

/// <summary>
/// The run's own first steps on its own first batch, again and again, at the peak rate: the loss must fall, every trainable tensor must get a
/// gradient and change, every frozen one must keep its bytes. Afterwards weights, optimiser and generator are as they were, to the bit: beyond a
/// step's own memory this takes a copy of what trains.
/// </summary>
/// <param name="Findings">What the checks say.</param>
/// <param name="SecondsPerStep">Measured, without the first, which warms up.</param>
/// <param name="SecondsPerRow">Of measuring a row without training on it.</param>
internal sealed record FirstSteps(IReadOnlyList<Finding> Findings, double SecondsPerStep, double SecondsPerRow)
{
    /// <summary>A batch whose loss is below this has nothing left to show, nats.</summary>
    internal const double Tiny = 0.05;

    /// <summary>The loss after the steps, measured without dropout, must be below this share of what it was; from <see cref="Wanted"/> on it is said to be slow.</summary>
    internal const double Needed = 0.999, Wanted = 0.9;

    /// <summary>A gradient below this share of the largest tensor's is rounding: a bias of keys has none in truth, and need not move.</summary>
    private const double Noise = 1e-6;

    private const string Reasons = "the usual reasons: optimizer.learning_rate is far too high or too low, the masks leave nothing to learn, what matters is frozen (layers, adapter.targets)";

    public static FirstSteps Make(TrainerOptions o, double rate, ILanguageModel model, IObjective objective, Optimizer optimizer, IBatchSource data, int steps, TimeProvider clock, CancellationToken stop)
    {
        ComputeTypes.Set(model, o.Precision);
        using var scope = Tensor.Scope();
        var generator = Generator.DefaultState();
        var trained = model.Parameters.Where(p => p.Trainable).Select(p => (Parameter: p, p.Since, Copy: Copy(p.Value))).ToList();
        var frozen = FrozenWeights.Of(model).Select(f => (f.Name, f.Value, Hash: FrozenWeights.Hash(f.Value))).ToList();
        var (first, watch, losses) = (new FirstBatch(data, o.RowsPerStep()), new Watch(), new Losses());
        var measure = new Validator(first, o.Batch, 0, null);
        try
        {
            foreach (var (parameter, _, _) in trained) parameter.Since = 0; // what thaws later is tried now
            var before = measure.Measure(model, objective);
            if (before.Targets == 0) return new([new(Finding.Overfit, FindingLevel.Stop, "the first batch has nothing to learn: " + Reasons)], 0, 0);
            var few = o with { Steps = steps, Tokens = null, Epochs = null, Schedule = new ConstantOptions(), ValidateEvery = 0, SampleEvery = 0, SaveEvery = 0, KeepBest = false, ExportBest = false, EarlyStopping = null };
            try
            {
                new Trainer(few, rate, model, objective, optimizer, first, watch, [losses], new RunState()) { Clock = clock }.Run(stop);
            }
            catch (DivergedException e)
            {
                return new([new(Finding.Overfit, FindingLevel.Stop, $"the first batch cannot be learned: {e.Message}; {Reasons}")], Seconds(losses), 0);
            }
            stop.ThrowIfCancellationRequested();
            var began = clock.GetTimestamp();
            var after = measure.Measure(model, objective).Loss;
            var row = clock.GetElapsedTime(began).TotalSeconds / first.RowsPerEpoch;
            return new([Overfits(before.Loss, after, steps), Moved(trained, watch), .. Kept(frozen)], Seconds(losses), row);
        }
        finally
        {
            Grad.Off(() =>
            {
                foreach (var (parameter, since, copy) in trained)
                {
                    parameter.Value.CopyFrom(copy);
                    (parameter.Value.Gradient, parameter.Since) = (null, since);
                }
                optimizer.Restore(0, (_, state) => state.Zero());
            });
            Generator.RestoreDefault(generator);
        }
    }

    private static Finding Overfits(double before, double after, int steps)
    {
        var fell = FormattableString.Invariant($"the first batch's loss goes from {before:G4} to {after:G4} in {steps} steps");
        if (Math.Max(before, after) < Tiny) return new(Finding.Overfit, FindingLevel.Ok, fell + ": it was known before");
        if (!(after < Needed * before)) return new(Finding.Overfit, FindingLevel.Stop, $"{fell}: it is not learned; {Reasons}");
        return after < Wanted * before ? new(Finding.Overfit, FindingLevel.Ok, fell)
            : new(Finding.Overfit, FindingLevel.Warning, fell + ": slowly; a low optimizer.learning_rate, or little that trains");
    }

    private static Finding Moved(IReadOnlyList<(Parameter Parameter, long Since, Tensor Copy)> trained, Watch watch)
    {
        var unreached = trained.Where(t => watch.Share(t.Parameter) == 0).Select(t => t.Parameter.Name).ToList();
        if (unreached.Count > 0) return new(Finding.Moved, FindingLevel.Stop, $"{Some(unreached)}: trainable, but no gradient arrives: what the batch computes does not depend on it; freeze it (layers.freeze), or take it out of adapter.targets");
        var still = trained.Where(t => watch.Share(t.Parameter) > Noise && FrozenWeights.Hash(t.Copy) == FrozenWeights.Hash(t.Parameter.Value)).Select(t => t.Parameter.Name).ToList();
        if (still.Count > 0) return new(Finding.Moved, FindingLevel.Stop, $"{Some(still)}: trainable and with a gradient, but not a bit has changed: the optimiser leaves it alone, or optimizer.learning_rate is lost in rounding");
        return new(Finding.Moved, FindingLevel.Ok, FormattableString.Invariant($"all {trained.Count:N0} trainable tensors have moved"));
    }

    private static IEnumerable<Finding> Kept(IReadOnlyList<(string Name, Tensor Value, string Hash)> frozen)
    {
        if (frozen.Count == 0) yield break;
        var changed = frozen.Where(f => FrozenWeights.Hash(f.Value) != f.Hash).Select(f => f.Name).ToList();
        yield return changed.Count > 0 ? new(Finding.Frozen, FindingLevel.Stop, $"{Some(changed)}: frozen, but its bytes have changed")
            : new(Finding.Frozen, FindingLevel.Ok, FormattableString.Invariant($"all {frozen.Count:N0} frozen tensors have the same bytes"));
    }

    private static string Some(List<string> names) => string.Join(", ", names.Take(3)) + (names.Count > 3 ? FormattableString.Invariant($" and {names.Count - 3:N0} more") : "");

    private static double Seconds(Losses losses) => losses.Seconds.Count == 0 ? 0 : losses.Seconds.Skip(losses.Seconds.Count > 1 ? 1 : 0).Order().ElementAt((losses.Seconds.Count - 1) / 2);

    private static Tensor Copy(Tensor value) => value.Device.IsCpu ? value.Detach().Clone() : value.Detach().To(Device.Cpu);

    /// <summary>The rows of a run's first step for ever.</summary>
    private sealed class FirstBatch(IBatchSource data, long rows) : IBatchSource
    {
        public int Length => data.Length;
        public long RowsPerEpoch => rows;
        public long TokensPerEpoch => (long)(rows * (double)data.TokensPerEpoch / data.RowsPerEpoch);
        public TokenBatch Rows(long from, int count) => data.Rows(from % rows, count);
    }

    /// <summary>Alone, and looks at the gradients on their way: weight decay moves a tensor as well, so that moving alone proves nothing.</summary>
    private sealed class Watch : IWorld
    {
        private readonly Dictionary<Parameter, double> _shares = [];

        public int Rank => 0;
        public int Size => 1;

        /// <summary>The most a tensor's gradient was of the largest one in the same step; 0: none ever came.</summary>
        public double Share(Parameter parameter) => _shares.GetValueOrDefault(parameter);

        public double Sum(double value) => value;

        public void SumGradients(IReadOnlyList<Parameter> parameters)
        {
            using var off = Grad.Off();
            using var scope = Tensor.Scope();
            var reached = parameters.Where(p => p.Trainable && p.Value.HasGradient).ToArray();
            if (reached.Length == 0) return;
            var norms = Tensor.Stack([.. reached.Select(p => p.Value.Gradient!.Norm(double.PositiveInfinity).To(DType.Float32))], 0).ToArray<float>();
            var most = norms.Max();
            for (var i = 0; i < norms.Length && most > 0; i++) _shares[reached[i]] = Math.Max(Share(reached[i]), norms[i] / most);
        }
    }

    private sealed class Losses : IRunHook
    {
        public List<double> Seconds { get; } = [];

        public void Stepped(StepReport report) => Seconds.Add(report.Seconds);
    }
}

using Gradus.Foundation.Files;
using Gradus.Training.Optim;

namespace Gradus.Training.Loop;

/// <summary>What a run would be, found by making its first steps and throwing them away.</summary>
/// <param name="Parameters">Numbers to train.</param>
/// <param name="BatchShape">Rows and tokens of a micro-batch.</param>
/// <param name="TokensPerStep">Input tokens a step.</param>
/// <param name="Steps">Steps of the run.</param>
/// <param name="Epochs">Passes over the data.</param>
/// <param name="TrainingTokens">Tokens of the training data.</param>
/// <param name="VocabSize">Rows of the embedding.</param>
/// <param name="FirstLoss">Loss before any update; close to ln(vocabulary) for fresh weights.</param>
/// <param name="StateBytes">Weights, gradients, moments and copies: known exactly.</param>
/// <param name="PeakBytes">Most memory the process had; 0 when unknown.</param>
/// <param name="SecondsPerStep">Measured.</param>
/// <param name="TotalSeconds">For the whole run, by the above; validation and saving come on top.</param>
public sealed record DryRunReport(long Parameters, (int Rows, int Length) BatchShape, long TokensPerStep, long Steps, double Epochs, long TrainingTokens,
    int VocabSize, double FirstLoss, long StateBytes, long PeakBytes, double SecondsPerStep, double TotalSeconds)
{
    private const int Measured = 2;

    /// <summary>The most that tensors took of the memory, in bytes; 0 where nobody counts.</summary>
    public long PeakTensorBytes { get; init; }

    /// <summary>What a fresh output layer's loss comes to when it knows nothing: ln of the tokens or labels; null where that says nothing (numbers, answers).</summary>
    public double? KnowsNothing { get; init; }

    /// <summary>What the preflight says without trying: of template, masks, end of turn, splits.</summary>
    public IReadOnlyList<Finding> Findings { get; init; } = [];

    /// <summary>Checks a recipe to the last detail: opens everything, makes a few steps, keeps nothing.</summary>
    /// <param name="recipe">What would be done.</param>
    /// <param name="say">Messages for the person, a line each.</param>
    /// <param name="force">Checks of the preflight that are let through.</param>
    /// <param name="stop">Ends it.</param>
    /// <exception cref="UserException">What Execute would say.</exception>
    /// <exception cref="DivergedException">Already the first steps are not finite.</exception>
    public static DryRunReport Make(TrainRecipe recipe, Action<string>? say = null, IReadOnlyList<string>? force = null, CancellationToken stop = default)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        Preflight.CheckNames(force ??= []);
        var folder = Directory.CreateTempSubdirectory("gradus-dry-run-").FullName;
        try
        {
            using var setup = RunSetup.Open(recipe, folder, say ?? (_ => { }), stop);
            var preflight = Preflight.Cheap(setup, force);
            preflight.Refuse();
            var o = recipe.Trainer;
            var steps = o.StepsFor(setup.Rows);
            var losses = new Recorder();
            // The schedule is the run's; only the number of steps made is not.
            var few = o with { Steps = Math.Min(steps, Measured + 1), Tokens = null, Epochs = null, ValidateEvery = 0, SampleEvery = 0, EarlyStopping = null, Schedule = new ConstantOptions() };
            new Trainer(few, recipe.Optimizer.LearningRate * 1e-3, setup.Model, setup.Objective, setup.Optimizer, setup.Rows, new SingleWorld(), [losses], new RunState()).Run(stop);
            stop.ThrowIfCancellationRequested();
            var seconds = losses.Steps.Skip(losses.Steps.Count > 1 ? 1 : 0).Average(s => s.Seconds); // the first step warms up
            var tokens = o.RowsPerStep() * setup.Rows.Length;
            return new DryRunReport(setup.Model.ParameterCount, (o.Batch, setup.Rows.Length), tokens, steps, (double)steps * o.RowsPerStep() / setup.Rows.RowsPerEpoch, setup.TrainingTokens,
                setup.Model.VocabSize, losses.Steps[0].Loss, Forecast.StateOf(setup),
                Forecast.Peak(setup.Model.Device), seconds, seconds * steps)
            {
                PeakTensorBytes = setup.Model.Device.Memory().Peak,
                Findings = preflight.Findings,
                KnowsNothing = setup.Model.Task is not { } task ? Math.Log(setup.Model.VocabSize) : task.Labels.Count > 1 ? Math.Log(task.Labels.Count) : null,
            };
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private sealed class Recorder : IRunHook
    {
        public List<StepReport> Steps { get; } = [];

        public void Stepped(StepReport report) => Steps.Add(report);
    }
}

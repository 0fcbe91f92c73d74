using Gradus.Text.Data;
using Gradus.Training.Loop;
using Gradus.Training.Objectives;
using Gradus.Training.Optim;

namespace Gradus.Tests.Training.Loop;

/// <summary>A small run in memory, or in a folder when one is given.</summary>
internal sealed class SmallRun : IDisposable
{
    public SmallRun(TrainerOptions? options = null, string? folder = null, double dropout = 0.1, IBatchSource? data = null, OptimizerOptions? optimizer = null,
        IObjective? objective = null, IRunHook? hook = null, Validator? validator = null, Action<string>? say = null, TimeProvider? clock = null)
    {
        Options = options ?? new TrainerOptions { Steps = 12, Batch = 4, ValidateEvery = 0, SaveEvery = 4 };
        Data = data ?? TestRows.Bigrams(masked: 0.5);
        Model = new TinyLanguageModel(dropout: dropout);
        var optimizerOptions = optimizer ?? new AdamWOptions { LearningRate = 1e-2 };
        Optimizer = optimizerOptions.Build(Model.Parameters);
        State = new RunState();
        List<IRunHook> hooks = [Reports];
        if (hook is not null) hooks.Add(hook);
        if (folder is not null)
        {
            Store = new CheckpointStore(Path.Combine(folder, "checkpoints"), new RunIdentity("run", "recipe", "data", "tokenizer"), Options.KeepLast);
            State = Store.Restore(Model, Optimizer, say ?? Said.Add) ?? State;
        }
        Trainer = new Trainer(Options, optimizerOptions.LearningRate, Model, objective ?? new CausalLmOptions().Build(), Optimizer, Data, new SingleWorld(), hooks, State)
        {
            Checkpoints = Store, Validator = validator, Clock = clock ?? TimeProvider.System,
        };
    }

    public TrainerOptions Options { get; }
    public IBatchSource Data { get; }
    public TinyLanguageModel Model { get; }
    public Optimizer Optimizer { get; }
    public RunState State { get; }
    public CheckpointStore? Store { get; }
    public Trainer Trainer { get; }
    public Recorder Reports { get; } = new();
    public List<string> Said { get; } = [];

    /// <summary>The losses as bits, so that equality means equality.</summary>
    public long[] LossBits => [.. Reports.Steps.Select(s => BitConverter.DoubleToInt64Bits(s.Loss))];

    /// <summary>Every float of the optimiser's state.</summary>
    public float[] Moments => [.. Optimizer.State.SelectMany(s => s.Value.ToArray<float>())];

    public RunEnd Run(CancellationToken? stop = null) => Trainer.Run(stop ?? TestContext.Current.CancellationToken);

    public void Dispose()
    {
        Optimizer.Dispose();
        Model.Dispose();
    }

    internal sealed class Recorder : IRunHook
    {
        public List<StepReport> Steps { get; } = [];
        public List<ValidationReport> Validations { get; } = [];
        public List<long> Saves { get; } = [];
        public List<string> Warnings { get; } = [];

        public void Stepped(StepReport report) => Steps.Add(report);
        public void Validated(ValidationReport report) => Validations.Add(report);
        public void Saved(long step, string folder) => Saves.Add(step);
        public void Warned(long step, string message) => Warnings.Add(message);
    }
}

/// <summary>Runs something at the start of a chosen step: stops the run, spoils a weight.</summary>
internal sealed class AtStep(long step, Action what) : IRunHook
{
    public void Stepped(StepReport report)
    {
        if (report.Step == step) what();
    }
}

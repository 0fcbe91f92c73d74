using Gradus.Inference.Tasks;

namespace Gradus.Training.Loop;

/// <summary>What one step did. Loss and norm are of this step, over all micro-batches and ranks.</summary>
public sealed record StepReport
{
    /// <summary>Steps done, this one included.</summary>
    public required long Step { get; init; }

    /// <summary>Steps of the whole run.</summary>
    public required long Steps { get; init; }

    /// <summary>Mean loss over the step's target tokens, nats; 0 when nothing was a target.</summary>
    public required double Loss { get; init; }

    /// <summary>Norm of the whole gradient before clipping.</summary>
    public required double GradientNorm { get; init; }

    /// <summary>The learning rate this step used.</summary>
    public required double Rate { get; init; }

    /// <summary>Target tokens of this step.</summary>
    public required long TargetTokens { get; init; }

    /// <summary>Target tokens of the run so far.</summary>
    public required long TotalTargetTokens { get; init; }

    /// <summary>The update was left out: an fp16 overflow, or nothing was a target.</summary>
    public bool Skipped { get; init; }

    /// <summary>Seconds this step took.</summary>
    public required double Seconds { get; init; }

    /// <summary>Input tokens a second.</summary>
    public required double TokensPerSecond { get; init; }

    /// <summary>Model FLOP/s as a share of what this machine's matrix products were measured to reach; null when not measured.</summary>
    public double? Mfu { get; init; }

    /// <summary>Memory of this process, bytes.</summary>
    public long MemoryBytes { get; init; }

    /// <summary>The most that tensors took of it so far, bytes; 0 where nobody counts.</summary>
    public long PeakTensorBytes { get; init; }

    /// <summary>Seconds left, by the speed of the last steps; null at first.</summary>
    public double? SecondsLeft { get; init; }
}

/// <summary>One validation.</summary>
/// <param name="Step">Steps done when it was made.</param>
/// <param name="Loss">Mean loss, nats a target token.</param>
/// <param name="Perplexity">e to the loss.</param>
/// <param name="BitsPerByte">Loss in bits by UTF-8 byte of the text; null when the bytes are not known.</param>
/// <param name="TargetTokens">Targets measured.</param>
/// <param name="IsBest">The best so far, by the deciding score or else by the loss.</param>
/// <param name="Seconds">Time it took.</param>
public sealed record ValidationReport(long Step, double Loss, double Perplexity, double? BitsPerByte, long TargetTokens, bool IsBest, double Seconds)
{
    /// <summary>Scores of a task, the deciding one first; empty for a language model.</summary>
    public IReadOnlyList<TaskScore> Scores { get; init; } = [];
}

/// <summary>A piece of text the model wrote.</summary>
public sealed record SampleReport(long Step, string Prompt, string Text);

/// <summary>How a run ended.</summary>
public enum RunEnd
{
    /// <summary>All steps done.</summary>
    Finished,

    /// <summary>Validation no longer improved; the weights are the best ones.</summary>
    StoppedEarly,

    /// <summary>Asked to stop: saved, to be resumed.</summary>
    Interrupted,
}

/// <summary>Sees a run go by: logs, progress, charts. The loop calls it; it never changes the training.</summary>
public interface IRunHook
{
    /// <summary>The preflight is over; what stops the run is said after this.</summary>
    void Checked(PreflightReport report)
    {
    }

    /// <summary>Before the first step of this session; <paramref name="state"/> is where it starts.</summary>
    void Started(RunState state, long steps)
    {
    }

    /// <summary>After every step.</summary>
    void Stepped(StepReport report)
    {
    }

    /// <summary>After every validation.</summary>
    void Validated(ValidationReport report)
    {
    }

    /// <summary>After every text sample.</summary>
    void Sampled(SampleReport report)
    {
    }

    /// <summary>Before a checkpoint is written: what was logged so far must be on the disk, and its place in <paramref name="state"/>, when this returns.</summary>
    void Saving(RunState state)
    {
    }

    /// <summary>A checkpoint is complete.</summary>
    void Saved(long step, string folder)
    {
    }

    /// <summary>Something that does not stop the run but that a person should see.</summary>
    void Warned(long step, string message)
    {
    }

    /// <summary>After the last step of this session.</summary>
    void Ended(RunState state, RunEnd end)
    {
    }

    /// <summary>General text was measured: before the first step, and of what was exported.</summary>
    void Measured(GeneralText report)
    {
    }

    /// <summary>The run is whole: its forecast beside what it took.</summary>
    void Settled(Ledger ledger)
    {
    }
}

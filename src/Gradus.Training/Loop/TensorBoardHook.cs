namespace Gradus.Training.Loop;

/// <summary>The same figures for TensorBoard, in the folder <c>tensorboard</c> of the run.</summary>
public sealed class TensorBoardHook(string folder, TimeProvider clock) : IRunHook, IDisposable
{
    private TensorBoardWriter? _writer;

    public void Started(RunState state, long steps)
    {
        ArgumentNullException.ThrowIfNull(state);
        _writer ??= new TensorBoardWriter(folder, clock, state.Step > 0 || Directory.Exists(folder) ? state.Step + 1 : null);
    }

    public void Stepped(StepReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        _writer?.Scalars(report.Step, [new("train/loss", report.Loss), new("train/learning_rate", report.Rate), new("train/gradient_norm", report.GradientNorm), new("speed/tokens_per_second", report.TokensPerSecond)]);
    }

    public void Validated(ValidationReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        _writer?.Scalars(report.Step, [new("validation/loss", report.Loss), new("validation/perplexity", report.Perplexity), .. report.BitsPerByte is { } bits ? new KeyValuePair<string, double>[] { new("validation/bits_per_byte", bits) } : [],
            .. report.Scores.Select(score => new KeyValuePair<string, double>("validation/" + score.Name.Replace(' ', '_'), score.Value))]);
    }

    public void Dispose() => _writer?.Dispose();
}

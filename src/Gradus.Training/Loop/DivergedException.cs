using Gradus.Foundation.Files;

namespace Gradus.Training.Loop;

/// <summary>
/// The loss or a gradient is no longer a number. Thrown before the update, so the weights are those of the last good step; the last
/// checkpoint stays. The command line ends with exit code 3.
/// </summary>
public sealed class DivergedException(long step, string what) : UserException(FormattableString.Invariant($"step {step}: {what}"))
{
    /// <summary>The step that was not made, counted from 1.</summary>
    public long Step { get; } = step;

    /// <summary>Exit code of the command line.</summary>
    public const int ExitCode = 3;
}

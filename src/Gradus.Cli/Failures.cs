using Gradus.Engine;
using Gradus.Foundation.Files;
using Gradus.Training.Loop;

namespace Gradus.Cli;

/// <summary>Turns a failure into one clear line and an exit code. A stack trace only with GRADUS_TRACE=1.</summary>
internal static class Failures
{
    public static int Report(Func<int> body)
    {
        try
        {
            return body();
        }
        catch (Exception e) when (Environment.GetEnvironmentVariable("GRADUS_TRACE") != "1")
        {
            return Explain(e);
        }
    }

    private static int Explain(Exception failure)
    {
        // Static constructors and parallel loops wrap what went wrong inside them.
        while (failure is TypeInitializationException or AggregateException && failure.InnerException is { } inner) failure = inner;
        switch (failure)
        {
            case OperationCanceledException:
                Terminal.Note("stopped");
                return ExitCode.Stopped;
            case DivergedException diverged:
                Terminal.Error(diverged.Message);
                return ExitCode.Diverged;
            case UserException user:
                Terminal.Error(user.Message);
                return ExitCode.BadInput;
            case EngineMissingException:
                Terminal.Error(failure.Message);
                return ExitCode.BadInput;
            case IOException or UnauthorizedAccessException:
                Terminal.Error(failure.Message);
                return ExitCode.Failed;
            default:
                Terminal.Error($"{failure.Message} (this is a fault of Gradus: please report it, with the trace that GRADUS_TRACE=1 prints)");
                return ExitCode.Failed;
        }
    }
}

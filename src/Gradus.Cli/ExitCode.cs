namespace Gradus.Cli;

/// <summary>What the process says when it ends; part of the interface, documented in docs/cli.md.</summary>
internal static class ExitCode
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int BadInput = 2;
    public const int Diverged = 3;
    public const int Stopped = 130;
}

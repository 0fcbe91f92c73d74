using System.Runtime.InteropServices;

namespace Gradus.Training.Loop;

/// <summary>
/// SIGINT (Ctrl-C) and SIGTERM as a wish: the first lets the step under way finish and the run save itself; the second has its usual
/// effect, at once. A checkpoint being written then simply never gets its name.
/// </summary>
public sealed class StopSignal : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly PosixSignalRegistration[] _registrations;

    /// <param name="asked">Called once, when the first signal comes: to tell the person.</param>
    public StopSignal(Action? asked = null) =>
        _registrations = [.. new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM }.Select(signal => PosixSignalRegistration.Create(signal, context =>
        {
            if (_source.IsCancellationRequested) return; // not cancelled: the default action ends the process
            context.Cancel = true;
            _source.Cancel();
            asked?.Invoke();
        }))];

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Token => _source.Token;

    public void Dispose()
    {
        foreach (var registration in _registrations) registration.Dispose();
        _source.Dispose();
    }
}

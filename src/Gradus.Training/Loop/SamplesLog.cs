using System.Text.Encodings.Web;
using System.Text.Json;

namespace Gradus.Training.Loop;

/// <summary><c>samples.jsonl</c>: what the model wrote at which step.</summary>
public sealed class SamplesLog(string path) : IRunHook, IDisposable
{
    private static readonly JsonSerializerOptions s_json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private LineLog? _log;

    public void Started(RunState state, long steps) => _log ??= new LineLog(path, (state ?? throw new ArgumentNullException(nameof(state))).SamplesBytes);

    public void Sampled(SampleReport report) => _log?.Append(JsonSerializer.Serialize(report, s_json));

    public void Saving(RunState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        if (_log is { } log) state.SamplesBytes = log.Sync();
    }

    public void Dispose() => _log?.Dispose();
}

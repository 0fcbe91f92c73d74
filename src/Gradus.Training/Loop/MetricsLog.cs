using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Gradus.Training.Loop;

/// <summary>
/// <c>metrics.jsonl</c>: a line a step, a line a validation. Numbers come as decimals and, where bits matter, as the sixteen hex
/// digits of the double. All up to <c>timing</c> is a function of the recipe: a resumed run repeats it to the byte.
/// </summary>
public sealed class MetricsLog(string path, TimeProvider clock) : IRunHook, IDisposable
{
    /// <summary>What follows this in a line depends on the machine's mood.</summary>
    public const string TimingMark = ",\"timing\":";

    private LineLog? _log;

    public void Started(RunState state, long steps) => _log ??= new LineLog(path, (state ?? throw new ArgumentNullException(nameof(state))).MetricsBytes);

    public void Stepped(StepReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        _log?.Append(new Line().Whole("step", report.Step).Bits("loss", report.Loss).Real("rate", report.Rate).Bits("norm", report.GradientNorm)
            .Whole("tokens", report.TotalTargetTokens).Flag("skipped", report.Skipped)
            .Timing(clock).Real("seconds", report.Seconds).Real("tokens_per_second", report.TokensPerSecond).Real("mfu", report.Mfu).Whole("memory_bytes", report.MemoryBytes).Whole("peak_tensor_bytes", report.PeakTensorBytes).End());
    }

    public void Validated(ValidationReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        var line = new Line().Whole("step", report.Step).Bits("validation_loss", report.Loss).Real("perplexity", report.Perplexity).Real("bits_per_byte", report.BitsPerByte)
            .Whole("validation_tokens", report.TargetTokens).Flag("best", report.IsBest);
        foreach (var score in report.Scores) line.Real("score_" + score.Name.Replace(' ', '_').ToLowerInvariant(), score.Value);
        _log?.Append(line.Timing(clock).Real("seconds", report.Seconds).End());
    }

    public void Saving(RunState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        if (_log is { } log) state.MetricsBytes = log.Sync();
    }

    public void Dispose() => _log?.Dispose();

    /// <summary>Reads a log back: losses by step, validations by step (loss, bits by byte).</summary>
    public static (List<(double Step, double Loss)> Train, List<(double Step, double Loss, double? BitsPerByte)> Validation) Read(string path)
    {
        var (train, validation) = (new List<(double, double)>(), new List<(double, double, double?)>());
        foreach (var line in File.ReadLines(path))
        {
            var json = JsonNode.Parse(line)!;
            var step = (double)json["step"]!;
            if (json["validation_loss"] is { } measured) validation.Add((step, (double)measured, (double?)json["bits_per_byte"]));
            else if (json["loss"] is { } loss) train.Add((step, (double)loss));
        }
        return (train, validation);
    }

    // Written by hand: the order of keys, and the split at "timing", are part of the format.
    private sealed class Line
    {
        private readonly StringBuilder _text = new("{");
        private bool _first = true;

        public Line Whole(string key, long value) => Add(key, value.ToString(CultureInfo.InvariantCulture));
        public Line Real(string key, double? value) => Add(key, value is { } v && double.IsFinite(v) ? v.ToString("R", CultureInfo.InvariantCulture) : "null");
        public Line Flag(string key, bool value) => Add(key, value ? "true" : "false");
        public Line Bits(string key, double value) => Real(key, value).Add(key + "_bits", $"\"{BitConverter.DoubleToInt64Bits(value):x16}\"");

        public Line Timing(TimeProvider clock)
        {
            Add("timing", "{");
            _first = true;
            return Add("at", JsonSerializer.Serialize(clock.GetUtcNow().UtcDateTime));
        }

        public string End() => _text.Append("}}").ToString();

        private Line Add(string key, string value)
        {
            if (!_first) _text.Append(',');
            _first = false;
            _text.Append('"').Append(key).Append("\":").Append(value);
            return this;
        }
    }
}

using System.Globalization;

namespace Gradus.Training.Loop;

/// <summary>A step as one line of plain text: <c>step 120/2000 (6.0%)  loss 3.4123  lr 3.00e-04  norm 0.91  12,345 tokens/s  MFU 41%  1.2 GB  ETA 12m 34s</c>.</summary>
public static class ProgressLine
{
    /// <summary>The line; what is not known says n/a.</summary>
    public static string Of(StepReport r)
    {
        ArgumentNullException.ThrowIfNull(r);
        var mfu = r.Mfu is { } share ? string.Create(CultureInfo.InvariantCulture, $"{100 * share:F0}%") : "n/a";
        return string.Create(CultureInfo.InvariantCulture,
            $"step {r.Step}/{r.Steps} ({100.0 * r.Step / r.Steps:F1}%)  loss {r.Loss:F4}  lr {r.Rate:0.00e+00}  norm {r.GradientNorm:G3}  {r.TokensPerSecond:N0} tokens/s  MFU {mfu}  {Bytes(r.MemoryBytes)}  ETA {Duration(r.SecondsLeft)}");
    }

    /// <summary>A validation as one line.</summary>
    public static string Of(ValidationReport v)
    {
        ArgumentNullException.ThrowIfNull(v);
        var bits = v.BitsPerByte is { } b ? string.Create(CultureInfo.InvariantCulture, $"  bits/byte {b:F4}") : "";
        return string.Create(CultureInfo.InvariantCulture, $"validation at step {v.Step}: loss {v.Loss:F4}  perplexity {v.Perplexity:N2}{bits}{(v.IsBest ? "  (best so far)" : "")}");
    }

    /// <summary><c>59s</c>, <c>12m 34s</c>, <c>3h 05m</c>, <c>99h+</c>; n/a when unknown.</summary>
    public static string Duration(double? seconds)
    {
        if (seconds is not { } s || !double.IsFinite(s) || s < 0) return "n/a";
        if (s >= 99 * 3600) return "99h+";
        var whole = (long)Math.Ceiling(s);
        return whole < 60 ? string.Create(CultureInfo.InvariantCulture, $"{whole}s")
            : whole < 3600 ? string.Create(CultureInfo.InvariantCulture, $"{whole / 60}m {whole % 60:D2}s")
            : string.Create(CultureInfo.InvariantCulture, $"{whole / 3600}h {whole % 3600 / 60:D2}m");
    }

    /// <summary><c>312 MB</c>, <c>1.2 GB</c>; n/a when unknown.</summary>
    public static string Bytes(long bytes) => bytes <= 0 ? "n/a"
        : bytes < 1_000_000_000 ? string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:F0} MB") : string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:F1} GB");
}

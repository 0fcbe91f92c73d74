using Gradus.Training.Loop;

namespace Gradus.Tests.Training.Loop;

public sealed class ProgressLineTests
{
    private static readonly StepReport Report = new()
    {
        Step = 120, Steps = 2000, Loss = 3.41234, GradientNorm = 0.912, Rate = 3e-4, TargetTokens = 1, TotalTargetTokens = 1,
        Seconds = 0.5, TokensPerSecond = 12345.4, Mfu = 0.412, MemoryBytes = 1_234_000_000, SecondsLeft = 753.2,
    };

    [Fact]
    [Row("G19")]
    public void A_step_is_one_plain_line()
    {
        Assert.Equal("step 120/2000 (6.0%)  loss 3.4123  lr 3.00e-04  norm 0.912  12,345 tokens/s  MFU 41%  1.2 GB  ETA 12m 34s", ProgressLine.Of(Report));
        Assert.Contains("MFU n/a", ProgressLine.Of(Report with { Mfu = null }), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0.0, "0s"), InlineData(59.2, "1m 00s"), InlineData(58.7, "59s"), InlineData(3600.0, "1h 00m"), InlineData(356399.0, "98h 59m"), InlineData(356400.0, "99h+"), InlineData(1e12, "99h+"), InlineData(double.NaN, "n/a")]
    public void Durations_are_short_and_capped(double seconds, string text) => Assert.Equal(text, ProgressLine.Duration(seconds));

    [Fact]
    public void A_validation_is_one_plain_line() => Assert.Equal("validation at step 100: loss 2.0000  perplexity 7.39  bits/byte 1.1000  (best so far)",
        ProgressLine.Of(new ValidationReport(100, 2, Math.Exp(2), 1.1, 10, true, 1)));
}

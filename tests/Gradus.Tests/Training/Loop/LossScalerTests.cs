using Gradus.Training.Loop;

namespace Gradus.Tests.Training.Loop;

/// <summary>The logic of fp16's loss scale, without a GPU.</summary>
[Row("G13")]
public sealed class LossScalerTests
{
    [Fact]
    public void An_overflow_skips_the_update_and_halves_the_scale()
    {
        var state = new RunState();
        var scaler = new LossScaler(state, initial: 1024);
        Assert.True(scaler.Update(finite: true, 1));
        Assert.Equal(1024, scaler.Scale);
        Assert.False(scaler.Update(finite: false, 2));
        Assert.Equal(512, scaler.Scale);
        Assert.Equal(512, state.LossScale);
    }

    [Fact]
    public void Good_steps_in_a_row_double_it_and_an_overflow_starts_the_count_anew()
    {
        var scaler = new LossScaler(new RunState(), initial: 8, growthInterval: 3);
        foreach (var finite in new[] { true, true, false, true, true }) scaler.Update(finite, 1);
        Assert.Equal(4, scaler.Scale);
        scaler.Update(finite: true, 6);
        Assert.Equal(8, scaler.Scale);
    }

    [Fact]
    public void A_storm_of_overflows_ends_the_run_with_advice()
    {
        var scaler = new LossScaler(new RunState(), initial: 65536, mostOverflows: 5);
        for (var i = 1; i < 5; i++) Assert.False(scaler.Update(finite: false, i));
        var error = Assert.Throws<DivergedException>(() => scaler.Update(finite: false, 5));
        Assert.Contains("5 steps in a row", error.Message, StringComparison.Ordinal);
        Assert.Contains("bf16", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Its_state_is_the_runs_state_so_a_resumed_scaler_goes_on()
    {
        var state = new RunState();
        new LossScaler(state, initial: 64, growthInterval: 2).Update(finite: true, 1);
        var resumed = new LossScaler(state with { }, initial: 1, growthInterval: 2);
        resumed.Update(finite: true, 2);
        Assert.Equal(128, resumed.Scale);
    }
}

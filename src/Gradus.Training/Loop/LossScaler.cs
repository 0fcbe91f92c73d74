namespace Gradus.Training.Loop;

/// <summary>
/// Dynamic loss scaling for fp16 (Micikevicius et al., 2018): the loss is multiplied so that small gradients do not vanish. An
/// overflow skips the update and halves the scale; two thousand good steps in a row double it. Its state lives in <see cref="RunState"/>.
/// </summary>
internal sealed class LossScaler(RunState state, double initial = 65536, int growthInterval = 2000, int mostOverflows = 30)
{
    private const double Least = 1, Most = 1L << 40;

    /// <summary>What the loss is multiplied by now.</summary>
    public double Scale => state.LossScale ?? initial;

    /// <summary>Takes note of a step's gradients. True: use them; false: skip the update.</summary>
    /// <exception cref="DivergedException">Too many overflows in a row: it is not the scale.</exception>
    public bool Update(bool finite, long step)
    {
        state.LossScale ??= initial;
        if (!finite)
        {
            state.LossScaleGoodSteps = 0;
            if (++state.LossScaleOverflows >= mostOverflows)
                throw new DivergedException(step, FormattableString.Invariant($"fp16 gradients overflowed in {mostOverflows} steps in a row, down to a loss scale of {Scale}; lower the learning rate, or use precision: bf16"));
            state.LossScale = Math.Max(Least, Scale / 2);
            return false;
        }
        state.LossScaleOverflows = 0;
        if (++state.LossScaleGoodSteps >= growthInterval)
        {
            state.LossScaleGoodSteps = 0;
            state.LossScale = Math.Min(Most, Scale * 2);
        }
        return true;
    }
}

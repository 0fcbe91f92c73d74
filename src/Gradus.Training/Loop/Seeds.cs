using Gradus.Foundation.Files;

namespace Gradus.Training.Loop;

/// <summary>Seeds for libtorch's generators: one for each purpose, from the run's seed.</summary>
internal static class Seeds
{
    /// <summary>Dropout of one micro-batch.</summary>
    public static long Of(long seed, long step, long micro) =>
        (long)(new Counter((ulong)seed, FormattableString.Invariant($"dropout.{micro}")).UInt64((ulong)step) >> 1);

    /// <summary>Initial weights.</summary>
    public static long Weights(long seed) => (long)(new Counter((ulong)seed, "weights").UInt64(0) >> 1);
}

using System.Numerics;

namespace Gradus.Text.Data;

/// <summary>Lengths in buckets of 1/64 of their size: quantiles within 1.6 %, whatever the number of documents.</summary>
public sealed class LengthHistogram
{
    private const int Fine = 6; // bits kept below the leading one

    private readonly long[] _counts = new long[64 << Fine];
    private long _sum;

    public long Count { get; private set; }

    public long Min { get; private set; } = long.MaxValue;

    public long Max { get; private set; }

    public double Mean => Count == 0 ? 0 : (double)_sum / Count;

    public void Add(long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        _counts[Bucket(length)]++;
        _sum += length;
        Count++;
        (Min, Max) = (Math.Min(Min, length), Math.Max(Max, length));
    }

    /// <summary>The length that a share of the documents does not exceed.</summary>
    public long At(double share)
    {
        var wanted = Math.Max(1, (long)Math.Ceiling(share * Count));
        long seen = 0;
        for (var i = 0; i < _counts.Length; i++)
            if ((seen += _counts[i]) >= wanted)
                return Math.Clamp(Lowest(i), Min, Max);
        return Max;
    }

    // Numbers below 64 are their own bucket; above, the exponent and the six bits behind the leading one.
    private static int Bucket(long value)
    {
        var exponent = 63 - BitOperations.LeadingZeroCount((ulong)value | 1);
        return exponent < Fine ? (int)value : ((exponent - Fine + 1) << Fine) + (int)((value >> (exponent - Fine)) & ((1 << Fine) - 1));
    }

    private static long Lowest(int bucket)
    {
        if (bucket < 1 << Fine)
            return bucket;
        var exponent = (bucket >> Fine) + Fine - 1;
        return ((1L << Fine) + (bucket & ((1 << Fine) - 1))) << (exponent - Fine);
    }
}

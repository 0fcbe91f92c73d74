namespace Gradus.Text.Data.Analysis;

/// <summary>Counts compared with shares that were expected of them.</summary>
/// <param name="Statistic">Σ (observed − expected)² / expected.</param>
/// <param name="Freedom">Degrees of freedom: groups − 1.</param>
/// <param name="PValue">Chance of such a deviation or a greater one, were the shares right.</param>
/// <param name="Effect">Cohen's w = √(χ² / n): 0.1 small, 0.3 medium, 0.5 large, whatever n is.</param>
public sealed record ChiSquareResult(double Statistic, int Freedom, double PValue, double Effect);

/// <summary>The few tests that the audit needs.</summary>
public static class Statistics
{
    /// <summary>Pearson's χ² of counts against shares, which need not sum to one.</summary>
    public static ChiSquareResult ChiSquare(IReadOnlyList<double> observed, IReadOnlyList<double> shares)
    {
        ArgumentNullException.ThrowIfNull(observed);
        ArgumentNullException.ThrowIfNull(shares);
        if (observed.Count != shares.Count || observed.Count < 2)
            throw new ArgumentException("as many shares as counts, and two at least", nameof(shares));
        if (shares.Any(s => !(s > 0)))
            throw new ArgumentException("a share is above 0", nameof(shares));
        var (n, sum, statistic) = (observed.Sum(), shares.Sum(), 0.0);
        for (var i = 0; i < observed.Count; i++)
        {
            var expected = n * shares[i] / sum;
            statistic += expected > 0 ? (observed[i] - expected) * (observed[i] - expected) / expected : 0;
        }

        return new ChiSquareResult(statistic, observed.Count - 1, n > 0 ? ChiSquareTail(statistic, observed.Count - 1) : 1, n > 0 ? Math.Sqrt(statistic / n) : 0);
    }

    /// <summary>P(X ≥ x) of a χ² distribution.</summary>
    public static double ChiSquareTail(double x, int freedom) => x <= 0 ? 1 : 1 - LowerGamma(freedom / 2.0, x / 2);

    /// <summary>P(Z ≥ z) of the standard normal distribution.</summary>
    public static double NormalTail(double z) => z >= 0 ? 0.5 * (1 - LowerGamma(0.5, z * z / 2)) : 1 - NormalTail(-z);

    /// <summary>Mean of numbers; 0 of none.</summary>
    public static double Mean(IReadOnlyCollection<double> values) => values is { Count: > 0 } ? values.Sum() / values.Count : 0;

    /// <summary>Variance with n − 1; 0 of fewer than two.</summary>
    public static double Variance(IReadOnlyCollection<double> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        var mean = Mean(values);
        return values.Count < 2 ? 0 : values.Sum(v => (v - mean) * (v - mean)) / (values.Count - 1);
    }

    /// <summary>Shannon entropy of counts in bits: 2^entropy is how many equal groups would be as diverse.</summary>
    public static double Entropy(IEnumerable<double> counts)
    {
        var all = counts.Where(c => c > 0).ToArray();
        var sum = all.Sum();
        return all.Length == 0 ? 0 : Math.Max(0, -all.Sum(c => c / sum * Math.Log2(c / sum)));
    }

    /// <summary>Jensen-Shannon divergence of two distributions over names, in bits: 0 the same, 1 nothing in common.</summary>
    public static double JensenShannon(IReadOnlyDictionary<string, double> a, IReadOnlyDictionary<string, double> b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        var (sumA, sumB) = (a.Values.Sum(), b.Values.Sum());
        if (sumA <= 0 || sumB <= 0)
            return sumA <= 0 && sumB <= 0 ? 0 : 1;
        var divergence = 0.0;
        foreach (var name in a.Keys.Union(b.Keys, StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            var (p, q) = (a.GetValueOrDefault(name) / sumA, b.GetValueOrDefault(name) / sumB);
            var m = (p + q) / 2;
            divergence += (p > 0 ? p * Math.Log2(p / m) : 0) / 2 + (q > 0 ? q * Math.Log2(q / m) : 0) / 2;
        }

        return Math.Clamp(divergence, 0, 1);
    }

    /// <summary>The regularised lower incomplete gamma function P(a, x): by its series below a + 1, by Lentz's continued fraction above.</summary>
    internal static double LowerGamma(double a, double x)
    {
        if (x <= 0)
            return 0;
        var scale = Math.Exp(a * Math.Log(x) - x - LogGamma(a));
        if (x < a + 1)
        {
            var (term, sum) = (1 / a, 1 / a);
            for (var n = 1; n < 10_000 && Math.Abs(term) > 1e-17 * Math.Abs(sum); n++)
                sum += term *= x / (a + n);
            return Math.Min(1, sum * scale);
        }

        const double Tiny = 1e-300;
        var b = x + 1 - a;
        var c = 1 / Tiny;
        var d = 1 / b;
        var h = d;
        for (var i = 1; i < 10_000; i++)
        {
            var an = -i * (i - a);
            b += 2;
            d = an * d + b;
            d = 1 / (Math.Abs(d) < Tiny ? Tiny : d);
            c = b + an / c;
            c = Math.Abs(c) < Tiny ? Tiny : c;
            var step = d * c;
            h *= step;
            if (Math.Abs(step - 1) < 1e-16)
                break;
        }

        return Math.Clamp(1 - scale * h, 0, 1);
    }

    /// <summary>ln Γ(x) for x &gt; 0: Stirling's series after shifting x above 10.</summary>
    internal static double LogGamma(double x)
    {
        var shift = 0.0;
        for (; x < 10; x++)
            shift -= Math.Log(x);
        var r = 1 / (x * x);
        var series = (1.0 / 12 - r * (1.0 / 360 - r * (1.0 / 1260 - r * (1.0 / 1680 - r / 1188)))) / x;
        return shift + (x - 0.5) * Math.Log(x) - x + 0.5 * Math.Log(2 * Math.PI) + series;
    }
}

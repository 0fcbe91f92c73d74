namespace Gradus.Text.Data.Analysis;

/// <summary>Principal components of points: the directions of greatest variance, by Jacobi's rotations of the covariance, so to the last digits.</summary>
public sealed class PrincipalComponents
{
    private const int MostSweeps = 100;

    private PrincipalComponents(double[] mean, double[][] directions, double[] variances, double total) => (Mean, Directions, Variances, TotalVariance) = (mean, directions, variances, total);

    /// <summary>The points' middle.</summary>
    public IReadOnlyList<double> Mean { get; }

    /// <summary>Unit vectors, greatest variance first; the greatest entry of each is positive.</summary>
    public IReadOnlyList<IReadOnlyList<double>> Directions { get; }

    /// <summary>Variance (with n − 1) along each direction.</summary>
    public IReadOnlyList<double> Variances { get; }

    /// <summary>Variance along all directions, those left out included.</summary>
    public double TotalVariance { get; }

    /// <summary>Finds the first directions of at least two points.</summary>
    public static PrincipalComponents Fit(IReadOnlyList<IReadOnlyList<double>> points, int count)
    {
        ArgumentNullException.ThrowIfNull(points);
        ArgumentOutOfRangeException.ThrowIfLessThan(points.Count, 2, nameof(points));
        var width = points[0].Count;
        var mean = new double[width];
        foreach (var point in points)
            for (var i = 0; i < width; i++)
                mean[i] += point[i] / points.Count;
        var covariance = new double[width, width];
        foreach (var point in points)
            for (var i = 0; i < width; i++)
                for (var j = 0; j <= i; j++)
                    covariance[i, j] += (point[i] - mean[i]) * (point[j] - mean[j]) / (points.Count - 1);
        for (var i = 0; i < width; i++)
            for (var j = 0; j < i; j++)
                covariance[j, i] = covariance[i, j];
        var vectors = Diagonalise(covariance);
        var order = Enumerable.Range(0, width).OrderByDescending(i => covariance[i, i]).ThenBy(i => i).ToArray();
        var directions = order.Take(count).Select(k =>
        {
            var direction = Enumerable.Range(0, width).Select(i => vectors[i, k]).ToArray();
            var greatest = direction.MaxBy(Math.Abs);
            return greatest < 0 ? Array.ConvertAll(direction, d => -d) : direction;
        }).ToArray();
        return new PrincipalComponents(mean, directions, [.. order.Take(count).Select(k => Math.Max(0, covariance[k, k]))], order.Sum(k => Math.Max(0, covariance[k, k])));
    }

    /// <summary>A point's coordinates along the directions.</summary>
    public double[] Project(IReadOnlyList<double> point)
    {
        ArgumentNullException.ThrowIfNull(point);
        return [.. Directions.Select(d =>
        {
            var sum = 0.0;
            for (var i = 0; i < point.Count; i++)
                sum += d[i] * (point[i] - Mean[i]);
            return sum;
        })];
    }

    /// <summary>Rotates the matrix to a diagonal one (cyclic Jacobi); returns the rotations as columns.</summary>
    internal static double[,] Diagonalise(double[,] a)
    {
        var n = a.GetLength(0);
        var v = new double[n, n];
        for (var i = 0; i < n; i++)
            v[i, i] = 1;
        for (var sweep = 0; sweep < MostSweeps; sweep++)
        {
            var (off, all) = (0.0, 0.0);
            for (var i = 0; i < n; i++)
                for (var j = 0; j < n; j++)
                    (off, all) = (off + (i == j ? 0 : a[i, j] * a[i, j]), all + a[i, j] * a[i, j]);
            if (off <= 1e-30 * all)
                break;
            for (var p = 0; p < n - 1; p++)
                for (var q = p + 1; q < n; q++)
                    Rotate(a, v, p, q);
        }

        return v;
    }

    private static void Rotate(double[,] a, double[,] v, int p, int q)
    {
        if (a[p, q] == 0)
            return;
        var theta = (a[q, q] - a[p, p]) / (2 * a[p, q]);
        var t = (theta >= 0 ? 1 : -1) / (Math.Abs(theta) + Math.Sqrt(theta * theta + 1));
        var c = 1 / Math.Sqrt(t * t + 1);
        var s = t * c;
        var n = a.GetLength(0);
        for (var k = 0; k < n; k++)
            (a[k, p], a[k, q]) = (c * a[k, p] - s * a[k, q], s * a[k, p] + c * a[k, q]);
        for (var k = 0; k < n; k++)
            (a[p, k], a[q, k]) = (c * a[p, k] - s * a[q, k], s * a[p, k] + c * a[q, k]);
        for (var k = 0; k < n; k++)
            (v[k, p], v[k, q]) = (c * v[k, p] - s * v[k, q], s * v[k, p] + c * v[k, q]);
    }
}

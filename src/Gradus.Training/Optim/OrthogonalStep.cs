namespace Gradus.Training.Optim;

/// <summary>An odd polynomial x → A x + B x³ + C x⁵ that takes singular values of a matrix nearer to 1.</summary>
internal readonly record struct OrthogonalStep(double A, double B, double C)
{
    /// <summary>How far from 1 a singular value may end. Muon learns no better with less.</summary>
    public const double Tolerance = 0.25;

    // Each polynomial is made for values up to this much above what the one before leaves. Beyond its interval it rises steeply, and bfloat16 rounds by more
    // than nothing: without room, matrices of 24 × 40 ended with singular values up to 1.7, with it below 1.26. (Amsel et al. shrink the argument by 1.01.)
    private const double Room = 1.04;

    /// <summary>
    /// The polynomials that, one after the other, bring every value between some least one and 1 to within <see cref="Tolerance"/> of 1,
    /// with the least one as small as so many can reach. Each is the best for the interval that the ones before it leave
    /// (the greedy choice is the best of all: Amsel et al., 2025, The Polar Express).
    /// </summary>
    public static IReadOnlyList<OrthogonalStep> Best(int count)
    {
        var (low, high) = (-40.0, 0.0); // logarithm of the least value; the error falls as it grows
        for (var i = 0; i < 100; i++)
        {
            var middle = (low + high) / 2;
            if (Greedy(Math.Exp(middle), count).Error > Tolerance) low = middle;
            else high = middle;
        }
        return Greedy(Math.Exp(high), count).Steps;
    }

    private static (List<OrthogonalStep> Steps, double Error) Greedy(double least, int count)
    {
        var (steps, from, to, error) = (new List<OrthogonalStep>(count), least, 1.0, 1.0);
        for (var i = 0; i < count; i++)
        {
            (var step, error) = Minimax(from, to * Room);
            steps.Add(step);
            (from, to) = (1 - error, 1 + error);
        }
        return (steps, error);
    }

    /// <summary>The polynomial nearest to 1 on [from, to] (Remez): its error is equal and of alternating sign at four points.</summary>
    private static (OrthogonalStep Step, double Error) Minimax(double from, double to)
    {
        var (q, r) = ((3 * from + to) / 4, (from + 3 * to) / 4);
        for (var turn = 0; ; turn++)
        {
            var (step, error) = Level([from, q, r, to]);
            // Where the derivative A + 3 B x² + 5 C x⁴ is zero lie the two inner extremes.
            var root = Math.Sqrt(Math.Max(0, 9 * step.B * step.B - 20 * step.A * step.C));
            var (nextQ, nextR) = (Math.Sqrt((-3 * step.B - root) / (10 * step.C)), Math.Sqrt((-3 * step.B + root) / (10 * step.C)));
            var moved = Math.Abs(nextQ - q) + Math.Abs(nextR - r);
            if (turn == 60 || !(moved > 1e-13)) return (step, Math.Abs(error));
            (q, r) = (nextQ, nextR);
        }
    }

    /// <summary>A, B, C and e with A x + B x³ + C x⁵ ± e = 1 at four points, the signs in turn.</summary>
    private static (OrthogonalStep Step, double Error) Level(ReadOnlySpan<double> points)
    {
        Span<double> rows = stackalloc double[20];
        for (var i = 0; i < 4; i++)
        {
            var x = points[i];
            var row = rows.Slice(5 * i, 5);
            (row[0], row[1], row[2], row[3], row[4]) = (x, x * x * x, x * x * x * x * x, i % 2 == 0 ? 1 : -1, 1);
        }
        for (var pivot = 0; pivot < 4; pivot++)
        {
            var best = pivot;
            for (var i = pivot + 1; i < 4; i++)
                if (Math.Abs(rows[5 * i + pivot]) > Math.Abs(rows[5 * best + pivot])) best = i;
            for (var j = 0; j < 5; j++) (rows[5 * pivot + j], rows[5 * best + j]) = (rows[5 * best + j], rows[5 * pivot + j]);
            for (var i = 0; i < 4; i++)
            {
                if (i == pivot) continue;
                var factor = rows[5 * i + pivot] / rows[5 * pivot + pivot];
                for (var j = pivot; j < 5; j++) rows[5 * i + j] -= factor * rows[5 * pivot + j];
            }
        }
        return (new(rows[4] / rows[0], rows[9] / rows[6], rows[14] / rows[12]), rows[19] / rows[18]);
    }
}

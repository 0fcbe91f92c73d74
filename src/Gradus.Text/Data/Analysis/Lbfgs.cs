namespace Gradus.Text.Data.Analysis;

/// <summary>
/// Minimises a smooth function of many numbers by L-BFGS (Nocedal, 1980; the two-loop recursion of Nocedal and Wright, 2006, algorithm 7.4) with a
/// backtracking line search. The same numbers on every machine: sums run in one order.
/// </summary>
internal static class Lbfgs
{
    private const int Memory = 10;
    private const double Decrease = 1e-4, Enough = 1e-7;

    /// <summary>Writes the gradient at a point, gives the value there.</summary>
    public delegate double Objective(double[] point, double[] gradient);

    /// <summary>The point where the objective no longer falls by a ten-millionth of itself in a step, or after so many steps. The start is written over.</summary>
    public static double[] Minimize(double[] start, int maxIterations, Objective objective)
    {
        var (point, gradient) = (start, new double[start.Length]);
        var value = objective(point, gradient);
        var (moves, changes) = (new List<double[]>(), new List<double[]>()); // of the point and of the gradient, newest last
        var (nextPoint, nextGradient) = (new double[point.Length], new double[point.Length]);
        for (var iteration = 0; iteration < maxIterations; iteration++)
        {
            var direction = Direction(gradient, moves, changes);
            var slope = Dot(direction, gradient);
            if (slope >= 0)
                break; // at a minimum, or as near as doubles come
            var (step, next) = (moves.Count == 0 ? 1 / Math.Max(1, Math.Sqrt(Dot(gradient, gradient))) : 1, double.PositiveInfinity);
            for (var turn = 0; turn < 40; turn++, step /= 2)
            {
                for (var i = 0; i < point.Length; i++)
                    nextPoint[i] = point[i] + step * direction[i];
                next = objective(nextPoint, nextGradient);
                if (next <= value + Decrease * step * slope)
                    break;
            }

            if (!(next < value))
                break;
            var (move, change) = (new double[point.Length], new double[point.Length]);
            for (var i = 0; i < point.Length; i++)
                (move[i], change[i]) = (nextPoint[i] - point[i], nextGradient[i] - gradient[i]);
            if (Dot(move, change) > 1e-12 * Dot(change, change)) // curvature: else the recursion would not go down
            {
                moves.Add(move);
                changes.Add(change);
                if (moves.Count > Memory)
                {
                    moves.RemoveAt(0);
                    changes.RemoveAt(0);
                }
            }

            var fallen = value - next;
            (point, nextPoint, gradient, nextGradient, value) = (nextPoint, point, nextGradient, gradient, next);
            if (fallen <= Enough * Math.Abs(value))
                break;
        }

        return point;
    }

    private static double[] Direction(double[] gradient, List<double[]> moves, List<double[]> changes)
    {
        var direction = Array.ConvertAll(gradient, g => -g);
        var shares = new double[moves.Count];
        for (var k = moves.Count - 1; k >= 0; k--)
        {
            shares[k] = Dot(moves[k], direction) / Dot(moves[k], changes[k]);
            Add(direction, changes[k], -shares[k]);
        }

        if (moves.Count > 0)
        {
            var scale = Dot(moves[^1], changes[^1]) / Dot(changes[^1], changes[^1]);
            for (var i = 0; i < direction.Length; i++)
                direction[i] *= scale;
        }

        for (var k = 0; k < moves.Count; k++)
            Add(direction, moves[k], shares[k] - Dot(changes[k], direction) / Dot(moves[k], changes[k]));
        return direction;
    }

    private static double Dot(double[] a, double[] b)
    {
        var sum = 0.0;
        for (var i = 0; i < a.Length; i++)
            sum += a[i] * b[i];
        return sum;
    }

    private static void Add(double[] to, double[] what, double times)
    {
        for (var i = 0; i < to.Length; i++)
            to[i] += times * what[i];
    }
}

using Gradus.Foundation.Files;

namespace Gradus.Text.Data.Analysis;

/// <summary>Four sets of words: are X and Y associated with A and B differently?</summary>
public sealed record AssociationTest
{
    /// <summary>What is tested, for the report: <c>female and male words, family and career</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The first set of targets.</summary>
    public required IReadOnlyList<string> X { get; init; }

    /// <summary>The second set of targets.</summary>
    public required IReadOnlyList<string> Y { get; init; }

    /// <summary>The first set of attributes.</summary>
    public required IReadOnlyList<string> A { get; init; }

    /// <summary>The second set of attributes.</summary>
    public required IReadOnlyList<string> B { get; init; }
}

/// <summary>What an association test found.</summary>
/// <param name="Name">Of the test.</param>
/// <param name="Effect">WEAT's d, between −2 and 2: above 0, X goes with A and Y with B.</param>
/// <param name="PValue">Share of the equal divisions of the targets whose association is as great or greater.</param>
/// <param name="Exact">All divisions were looked at; else a sample of them.</param>
/// <param name="Words">Words of each set (X, Y, A, B) that have a vector.</param>
public sealed record AssociationResult(string Name, double Effect, double PValue, bool Exact, IReadOnlyList<int> Words);

/// <summary>The word embedding association test (Caliskan, Bryson and Narayanan, 2017).</summary>
public static class WordAssociation
{
    private const int MostExact = 50_000;
    private const int Sampled = 20_000;

    /// <summary>Tests. Words without a vector are left out; null when a set of targets has fewer than two, or of attributes none.</summary>
    public static AssociationResult? Test(AssociationTest test, WordVectors vectors, ulong seed = 0)
    {
        ArgumentNullException.ThrowIfNull(test);
        ArgumentNullException.ThrowIfNull(vectors);
        var (x, y, a, b) = (Found(test.X, vectors), Found(test.Y, vectors), Found(test.A, vectors), Found(test.B, vectors));
        if (x.Count < 2 || y.Count < 2 || a.Count == 0 || b.Count == 0)
            return null;
        double[] s = [.. x.Concat(y).Select(w => Statistics.Mean([.. a.Select(v => WordVectors.Dot(w, v))]) - Statistics.Mean([.. b.Select(v => WordVectors.Dot(w, v))]))];
        var (ofX, ofY) = (s[..x.Count], s[x.Count..]);
        var deviation = Math.Sqrt(Statistics.Variance(s));
        var effect = deviation > 0 ? (Statistics.Mean(ofX) - Statistics.Mean(ofY)) / deviation : 0;
        var (p, exact) = Permutations(s, x.Count, seed);
        return new AssociationResult(test.Name, effect, p, exact, [x.Count, y.Count, a.Count, b.Count]);
    }

    private static List<IReadOnlyList<double>> Found(IReadOnlyList<string> words, WordVectors vectors) => [.. words.Select(vectors.Of).OfType<IReadOnlyList<double>>()];

    /// <summary>How often a division of all targets into sets of these sizes has a mean of the first set at least as great.</summary>
    private static (double P, bool Exact) Permutations(double[] s, int first, ulong seed)
    {
        var observed = s.Take(first).Sum();
        var (tolerance, all) = (1e-12 * s.Sum(Math.Abs), 1.0);
        for (var i = 0; i < first; i++)
            all = all * (s.Length - i) / (i + 1);
        if (all <= MostExact)
        {
            var (hits, divisions) = (0L, 0L);
            var chosen = Enumerable.Range(0, first).ToArray();
            while (true)
            {
                divisions++;
                hits += chosen.Sum(i => s[i]) >= observed - tolerance ? 1 : 0;
                var at = first - 1;
                while (at >= 0 && chosen[at] == s.Length - first + at)
                    at--;
                if (at < 0)
                    return ((double)hits / divisions, true);
                chosen[at]++;
                for (var next = at + 1; next < first; next++)
                    chosen[next] = chosen[next - 1] + 1;
            }
        }

        var (counter, draw, found) = (new Counter(seed, "data.weat"), 0UL, 1); // the division that is there counts as one
        var order = Enumerable.Range(0, s.Length).ToArray();
        for (var sample = 0; sample < Sampled; sample++)
        {
            var sum = 0.0;
            for (var i = 0; i < first; i++)
            {
                var j = i + counter.Below(draw++, s.Length - i);
                (order[i], order[j]) = (order[j], order[i]);
                sum += s[order[i]];
            }

            found += sum >= observed - tolerance ? 1 : 0;
        }

        return (found / (Sampled + 1.0), false);
    }
}

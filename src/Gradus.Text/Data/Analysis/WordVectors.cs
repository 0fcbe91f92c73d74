using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Data.Analysis;

/// <summary>How word vectors are made of a text.</summary>
public sealed record WordVectorOptions
{
    /// <summary>Numbers a word.</summary>
    [AtLeast(2)]
    public int Width { get; init; } = 50;

    /// <summary>Words on each side that count as context.</summary>
    [AtLeast(1)]
    public int Window { get; init; } = 5;

    /// <summary>Words, the commonest first.</summary>
    [AtLeast(10)]
    public int Vocabulary { get; init; } = 3000;

    /// <summary>Fewest occurrences of a word.</summary>
    [AtLeast(1)]
    public int MinCount { get; init; } = 5;

    /// <summary>Another seed is another start of the decomposition; its result hardly changes.</summary>
    [AtLeast(0)]
    public long Seed { get; init; }
}

/// <summary>
/// Word vectors of a text's own: positive pointwise mutual information with smoothed contexts, decomposed to a few numbers a word (Levy et al.,
/// 2015); or those of a file in GloVe's format.
/// </summary>
public sealed class WordVectors
{
    private const double ContextSmoothing = 0.75;
    private const int Rounds = 12;

    private readonly Dictionary<string, double[]> _vectors;

    private WordVectors(Dictionary<string, double[]> vectors) => _vectors = vectors;

    /// <summary>Numbers a word.</summary>
    public int Width => _vectors.Values.First().Length;

    /// <summary>Words that have a vector.</summary>
    public int Count => _vectors.Count;

    /// <summary>The vector of a word, of length 1; null when it has none.</summary>
    public IReadOnlyList<double>? Of(string word) => _vectors.GetValueOrDefault(word);

    /// <summary>Cosine of two words' vectors.</summary>
    /// <exception cref="KeyNotFoundException">A word has no vector.</exception>
    public double Cosine(string a, string b) => Dot(_vectors[a], _vectors[b]);

    /// <summary>Makes vectors of documents given as words. Null when fewer than ten words are common enough.</summary>
    /// <param name="documents">Words in order.</param>
    /// <param name="options">Sizes.</param>
    /// <param name="always">Words to have a vector though they are not among the commonest, if they occur <c>min_count</c> times.</param>
    public static WordVectors? Train(IReadOnlyList<IReadOnlyList<string>> documents, WordVectorOptions? options = null, IReadOnlySet<string>? always = null)
    {
        ArgumentNullException.ThrowIfNull(documents);
        options ??= new WordVectorOptions();
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var word in documents.SelectMany(d => d))
            counts[word] = counts.GetValueOrDefault(word) + 1;
        var words = counts.Where(c => c.Value >= options.MinCount).OrderByDescending(c => always?.Contains(c.Key) == true).ThenByDescending(c => c.Value).ThenBy(c => c.Key, StringComparer.Ordinal).Take(options.Vocabulary).Select(c => c.Key).ToArray();
        if (words.Length < 10)
            return null;
        var index = words.Select((w, i) => (w, i)).ToDictionary(x => x.w, x => x.i, StringComparer.Ordinal);
        var rows = Information(CoOccurrences(documents, index, options.Window), words.Length);
        var vectors = Decompose(rows, Math.Min(options.Width, words.Length - 1), (ulong)options.Seed);
        return new WordVectors(words.Select((w, i) => (w, i)).ToDictionary(x => x.w, x => Unit(vectors[x.i]), StringComparer.Ordinal));
    }

    /// <summary>Reads vectors: a word and its numbers a line, separated by spaces.</summary>
    /// <exception cref="UserException">A line that is not so.</exception>
    public static WordVectors Read(TextReader reader, string name)
    {
        ArgumentNullException.ThrowIfNull(reader);
        var vectors = new Dictionary<string, double[]>(StringComparer.Ordinal);
        var (number, width) = (0, 0);
        while (reader.ReadLine() is { } line)
        {
            number++;
            var field = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (number == 1 && field.Length == 2)
                continue; // word2vec's head: how many, how wide
            var vector = new double[Math.Max(0, field.Length - 1)];
            for (var i = 0; i < vector.Length; i++)
                if (!double.TryParse(field[i + 1], System.Globalization.NumberStyles.Float, System.Globalization.CultureInfo.InvariantCulture, out vector[i]))
                    throw new UserException($"{name}:{number}: '{field[i + 1]}' is not a number.");
            if (vector.Length == 0 || width != 0 && width != vector.Length)
                throw new UserException($"{name}:{number}: has {vector.Length} numbers, the lines before have {width}.");
            (vectors[field[0]], width) = (Unit(vector), vector.Length);
        }

        return vectors.Count > 0 ? new WordVectors(vectors) : throw new UserException($"{name}: holds no vectors.");
    }

    internal static double Dot(IReadOnlyList<double> a, IReadOnlyList<double> b)
    {
        var sum = 0.0;
        for (var i = 0; i < a.Count; i++)
            sum += a[i] * b[i];
        return sum;
    }

    private static double[] Unit(double[] vector)
    {
        var length = Math.Sqrt(Dot(vector, vector));
        return length > 0 ? Array.ConvertAll(vector, v => v / length) : vector;
    }

    private static Dictionary<int, double>[] CoOccurrences(IReadOnlyList<IReadOnlyList<string>> documents, Dictionary<string, int> index, int window)
    {
        var rows = Enumerable.Range(0, index.Count).Select(_ => new Dictionary<int, double>()).ToArray();
        foreach (var document in documents)
        {
            var ids = document.Select(w => index.GetValueOrDefault(w, -1)).ToArray();
            for (var i = 0; i < ids.Length; i++)
                for (var j = Math.Max(0, i - window); j < i; j++)
                {
                    var (a, b) = (ids[i], ids[j]);
                    if (a < 0 || b < 0)
                        continue;
                    rows[a][b] = rows[a].GetValueOrDefault(b) + 1.0 / (i - j); // nearer words count more, as in GloVe
                    rows[b][a] = rows[b].GetValueOrDefault(a) + 1.0 / (i - j);
                }
        }

        return rows;
    }

    /// <summary>max(0, log p(w, c) / (p(w) p(c)^0.75)), made symmetric.</summary>
    private static (int[] At, double[] Value)[] Information(Dictionary<int, double>[] rows, int words)
    {
        var sums = rows.Select(r => r.OrderBy(x => x.Key).Sum(x => x.Value)).ToArray();
        var total = sums.Sum();
        var smooth = sums.Sum(s => Math.Pow(s, ContextSmoothing));
        var context = Array.ConvertAll(sums, s => Math.Pow(s, ContextSmoothing) / smooth);
        return [.. Enumerable.Range(0, words).Select(w =>
        {
            var (at, value) = (new List<int>(), new List<double>());
            foreach (var (c, count) in rows[w].OrderBy(x => x.Key))
            {
                var p = count / total;
                var information = (Math.Log(p / (sums[w] / total * context[c])) + Math.Log(p / (sums[c] / total * context[w]))) / 2;
                if (information > 0)
                {
                    at.Add(c);
                    value.Add(information);
                }
            }

            return (at.ToArray(), value.ToArray());
        })];
    }

    /// <summary>
    /// The leading eigenvectors with eigenvalues above 0, each scaled by their root: word and context vectors added up, so that words that stand
    /// beside each other come near as well as words with the same neighbours; those below 0 would take the former away (Levy et al., 3.3).
    /// </summary>
    private static double[][] Decompose((int[] At, double[] Value)[] matrix, int width, ulong seed)
    {
        var (n, size, counter) = (matrix.Length, Math.Min(matrix.Length, 2 * width), new Counter(seed, "data.vectors"));
        var basis = Enumerable.Range(0, size).Select(k => Enumerable.Range(0, n).Select(i => counter.Unit((ulong)((long)k * n + i)) - 0.5).ToArray()).ToArray();
        Orthogonalise(basis);
        for (var round = 0; round < Rounds; round++)
        {
            for (var k = 0; k < size; k++)
                basis[k] = Times(matrix, basis[k]);
            Orthogonalise(basis);
        }

        // Rayleigh and Ritz: the matrix as the basis sees it, which tells eigenvalues of the same size and another sign apart.
        var seen = new double[size, size];
        for (var k = 0; k < size; k++)
        {
            var image = Times(matrix, basis[k]);
            for (var j = 0; j <= k; j++)
                seen[j, k] = seen[k, j] = Dot(basis[j], image);
        }

        var turned = PrincipalComponents.Diagonalise(seen);
        var chosen = Enumerable.Range(0, size).Where(k => seen[k, k] > 1e-9).OrderByDescending(k => seen[k, k]).ThenBy(k => k).Take(width).ToArray();
        return [.. Enumerable.Range(0, n).Select(i => Array.ConvertAll(chosen, k =>
        {
            var sum = 0.0;
            for (var j = 0; j < size; j++)
                sum += basis[j][i] * turned[j, k];
            return sum * Math.Sqrt(seen[k, k]);
        }))];
    }

    private static double[] Times((int[] At, double[] Value)[] matrix, double[] vector)
    {
        var product = new double[vector.Length];
        for (var i = 0; i < matrix.Length; i++)
        {
            var (at, value) = matrix[i];
            for (var j = 0; j < at.Length; j++)
                product[i] += value[j] * vector[at[j]];
        }

        return product;
    }

    /// <summary>Gram-Schmidt, each vector twice.</summary>
    private static void Orthogonalise(double[][] basis)
    {
        for (var k = 0; k < basis.Length; k++)
        {
            for (var pass = 0; pass < 2; pass++)
                for (var j = 0; j < k; j++)
                {
                    var along = Dot(basis[j], basis[k]);
                    for (var i = 0; i < basis[k].Length; i++)
                        basis[k][i] -= along * basis[j][i];
                }

            var length = Math.Sqrt(Dot(basis[k], basis[k]));
            if (length < 1e-12)
                Array.Clear(basis[k]); // the matrix has a lower rank than vectors were asked for
            else
                for (var i = 0; i < basis[k].Length; i++)
                    basis[k][i] /= length;
        }
    }
}

using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Data.Analysis;

/// <summary>How topics are looked for.</summary>
public sealed record TopicOptions
{
    /// <summary>Topics.</summary>
    [AtLeast(2)]
    [AtMost(500)]
    public int Topics { get; init; } = 10;

    /// <summary>Rounds of Gibbs sampling; the second half is averaged.</summary>
    [AtLeast(2)]
    public int Rounds { get; init; } = 200;

    /// <summary>Prior of a topic in a document; 0: 50 / topics, at most 1 (Griffiths and Steyvers).</summary>
    [AtLeast(0)]
    public double Alpha { get; init; }

    /// <summary>Prior of a word in a topic.</summary>
    [Above(0)]
    public double Beta { get; init; } = 0.01;

    /// <summary>Fewest documents a word must be in.</summary>
    [AtLeast(1)]
    public int MinDocuments { get; init; } = 3;

    /// <summary>Greatest share of the documents a word may be in: above it, it is of no topic.</summary>
    [Above(0)]
    [AtMost(1)]
    public double MaxDocumentShare { get; init; } = 0.4;

    /// <summary>Words that are looked at, the commonest first.</summary>
    [AtLeast(10)]
    public int Vocabulary { get; init; } = 5000;

    /// <summary>Another seed is another start.</summary>
    [AtLeast(0)]
    public long Seed { get; init; }
}

/// <summary>A topic: the words that come together.</summary>
/// <param name="Share">Its part of all words looked at.</param>
/// <param name="Words">The likeliest words, best first.</param>
/// <param name="Coherence">UMass coherence of its ten likeliest words (Mimno et al., 2011): nearer to 0 is better.</param>
public sealed record Topic(double Share, IReadOnlyList<string> Words, double Coherence);

/// <summary>Latent Dirichlet allocation (Blei et al., 2003) by collapsed Gibbs sampling (Griffiths and Steyvers, 2004). Seeded; the same on every machine.</summary>
public sealed class TopicModel
{
    private const int Shown = 12;

    private TopicModel(IReadOnlyList<string> vocabulary, double[][] wordsOfTopic, double[][] topicsOfDocument, IReadOnlyList<Topic> topics) =>
        (Vocabulary, WordsOfTopic, TopicsOfDocument, Topics) = (vocabulary, wordsOfTopic, topicsOfDocument, topics);

    /// <summary>The words looked at, in ordinal order.</summary>
    public IReadOnlyList<string> Vocabulary { get; }

    /// <summary>[topic][word]: probabilities.</summary>
    public IReadOnlyList<double[]> WordsOfTopic { get; }

    /// <summary>[document][topic]: probabilities.</summary>
    public IReadOnlyList<double[]> TopicsOfDocument { get; }

    /// <summary>The topics, largest first; same numbers as in the other lists.</summary>
    public IReadOnlyList<Topic> Topics { get; }

    /// <summary>Finds topics in documents given as words. Null when too few words are left to look at.</summary>
    public static TopicModel? Train(IReadOnlyList<IReadOnlyList<string>> documents, TopicOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(documents);
        options ??= new TopicOptions();
        var vocabulary = ChooseVocabulary(documents, options);
        var index = vocabulary.Select((w, i) => (w, i)).ToDictionary(x => x.w, x => x.i, StringComparer.Ordinal);
        var tokens = documents.Select(d => d.Where(index.ContainsKey).Select(w => index[w]).ToArray()).ToArray();
        if (vocabulary.Count < 2 * options.Topics || tokens.Sum(t => (long)t.Length) < 10L * options.Topics)
            return null;
        var (phi, theta) = Sample(tokens, vocabulary.Count, options);
        return Describe(vocabulary, tokens, phi, theta);
    }

    private static List<string> ChooseVocabulary(IReadOnlyList<IReadOnlyList<string>> documents, TopicOptions options)
    {
        var (inDocuments, counts) = (new Dictionary<string, int>(StringComparer.Ordinal), new Dictionary<string, long>(StringComparer.Ordinal));
        foreach (var document in documents)
        {
            foreach (var word in document)
                counts[word] = counts.GetValueOrDefault(word) + 1;
            foreach (var word in document.Distinct(StringComparer.Ordinal))
                inDocuments[word] = inDocuments.GetValueOrDefault(word) + 1;
        }

        var most = options.MaxDocumentShare * documents.Count;
        return [.. counts.Where(c => inDocuments[c.Key] >= options.MinDocuments && inDocuments[c.Key] <= most && IsContent(c.Key))
            .OrderByDescending(c => c.Value).ThenBy(c => c.Key, StringComparer.Ordinal).Take(options.Vocabulary).Select(c => c.Key).Order(StringComparer.Ordinal)];
    }

    // Digits and one- or two-letter words of alphabets say little; a single Han character says much.
    private static bool IsContent(string word) => !char.IsDigit(word[0]) && (word.Length > 2 || word[0] >= 0x2E80);

    private static (double[][] Phi, double[][] Theta) Sample(int[][] tokens, int words, TopicOptions options)
    {
        var (topics, beta) = (options.Topics, options.Beta);
        var alpha = options.Alpha > 0 ? options.Alpha : Math.Min(1, 50.0 / topics);
        var (inTopic, ofTopic, inDocument) = (new int[words * topics], new int[topics], tokens.Select(_ => new int[topics]).ToArray());
        var assigned = tokens.Select(t => new int[t.Length]).ToArray();
        var (counter, draw) = (new Counter((ulong)options.Seed, "data.topics"), 0UL);
        for (var d = 0; d < tokens.Length; d++)
            for (var i = 0; i < tokens[d].Length; i++)
                Move(d, i, assigned[d][i] = counter.Below(draw++, topics), 1);
        var (sumPhi, sumTheta) = (new double[words * topics], tokens.Select(_ => new double[topics]).ToArray());
        var cumulative = new double[topics];
        var kept = 0;
        for (var round = 0; round < options.Rounds; round++)
        {
            for (var d = 0; d < tokens.Length; d++)
                for (var i = 0; i < tokens[d].Length; i++)
                {
                    Move(d, i, assigned[d][i], -1);
                    var (sum, row) = (0.0, tokens[d][i] * topics);
                    for (var k = 0; k < topics; k++)
                        cumulative[k] = sum += (inDocument[d][k] + alpha) * (inTopic[row + k] + beta) / (ofTopic[k] + words * beta);
                    var at = counter.Unit(draw++) * sum;
                    var topic = 0;
                    while (topic < topics - 1 && cumulative[topic] <= at)
                        topic++;
                    Move(d, i, assigned[d][i] = topic, 1);
                }

            // Late rounds, ten apart: near enough to independent. Topics do not change names between them in practice.
            if (round < options.Rounds / 2 || (options.Rounds - 1 - round) % 10 != 0)
                continue;
            kept++;
            for (var w = 0; w < words; w++)
                for (var k = 0; k < topics; k++)
                    sumPhi[w * topics + k] += (inTopic[w * topics + k] + beta) / (ofTopic[k] + words * beta);
            for (var d = 0; d < tokens.Length; d++)
                for (var k = 0; k < topics; k++)
                    sumTheta[d][k] += (inDocument[d][k] + alpha) / (tokens[d].Length + topics * alpha);
        }

        var phi = Enumerable.Range(0, topics).Select(k => Enumerable.Range(0, words).Select(w => sumPhi[w * topics + k] / kept).ToArray()).ToArray();
        return (phi, [.. sumTheta.Select(t => Array.ConvertAll(t, x => x / kept))]);

        void Move(int d, int i, int topic, int by)
        {
            inTopic[tokens[d][i] * topics + topic] += by;
            ofTopic[topic] += by;
            inDocument[d][topic] += by;
        }
    }

    private static TopicModel Describe(List<string> vocabulary, int[][] tokens, double[][] phi, double[][] theta)
    {
        var shares = Enumerable.Range(0, phi.Length).Select(k => tokens.Select((t, d) => t.Length * theta[d][k]).Sum() / tokens.Sum(t => (double)t.Length)).ToArray();
        var order = Enumerable.Range(0, phi.Length).OrderByDescending(k => shares[k]).ThenBy(k => k).ToArray();
        var sets = tokens.Select(t => t.ToHashSet()).ToArray();
        var topics = order.Select(k =>
        {
            var top = Enumerable.Range(0, vocabulary.Count).OrderByDescending(w => phi[k][w]).ThenBy(w => w).Take(Shown).ToArray();
            return new Topic(shares[k], [.. top.Select(w => vocabulary[w])], Coherence([.. top.Take(10)], sets));
        }).ToList();
        return new TopicModel(vocabulary, [.. order.Select(k => phi[k])], [.. theta.Select(t => order.Select(k => t[k]).ToArray())], topics);
    }

    private static double Coherence(int[] top, HashSet<int>[] documents)
    {
        var (sum, pairs) = (0.0, 0);
        for (var i = 1; i < top.Length; i++)
            for (var j = 0; j < i; j++, pairs++)
            {
                var (both, one) = (documents.Count(d => d.Contains(top[i]) && d.Contains(top[j])), documents.Count(d => d.Contains(top[j])));
                sum += Math.Log((both + 1.0) / Math.Max(1, one));
            }

        return pairs == 0 ? 0 : sum / pairs;
    }
}

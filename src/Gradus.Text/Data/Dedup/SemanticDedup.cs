using System.Runtime.InteropServices;
using System.Text;
using Gradus.Foundation.Files;
using Gradus.Foundation.Kernels;
using Gradus.Foundation.Recipes;
using Gradus.Text.Data.Analysis;
using Gradus.Text.Data.Pipeline;
using Gradus.Text.Data.Steps;

namespace Gradus.Text.Data.Dedup;

/// <summary>
/// Documents that say the same in other words or another order (SemDeDup: Abbas et al., 2023): each is the weighted mean of its words'
/// vectors (Arora et al., 2017), those whose cosine is high enough become one cluster, and its first document stays. Candidates share all
/// signs of a band of random directions (Charikar, 2002).
/// </summary>
/// <remarks>
/// Two documents at angle θ are candidates with probability 1 − (1 − (1 − θ/π)^rows)^bands: 0.998 at a cosine of 0.95.
/// Memory: the sample that word vectors are made of; the documents' vectors lie on disk.
/// </remarks>
[Component("semantic-dedup")]
public sealed record SemanticDedup : GlobalStep
{
    private const int SampleDocuments = 4000, SampleWords = 200, Width = 64;
    private const double Rare = 1e-3; // a word as frequent as this weighs half
    private const double Common = 0.1; // a direction with this share of all variance says what kind of text it is, not what the text says

    /// <summary>Word vectors in GloVe's or word2vec's text format; null makes them of a sample of the documents.</summary>
    public string? Vectors { get; init; }

    /// <summary>Least cosine of documents that say the same.</summary>
    [Above(0)]
    [AtMost(1)]
    public double Similarity { get; init; } = 0.95;

    /// <summary>Bands; more find more.</summary>
    [AtLeast(1)]
    [AtMost(256)]
    public int Bands { get; init; } = 32;

    /// <summary>Signs that must agree in a band; more find less.</summary>
    [AtLeast(1)]
    [AtMost(48)]
    public int Rows { get; init; } = 16;

    /// <summary>What becomes of documents that say the same.</summary>
    public NearAction Action { get; init; }

    /// <summary>Of the random directions.</summary>
    [AtLeast(0)]
    public long Seed { get; init; } = 1;

    internal override string Rule => Action == NearAction.Drop ? "semantic-duplicate" : "kept-together";

    protected internal override IReadOnlyList<string> Inputs() => Vectors is null ? [] : [Vectors];

    internal override IIndexer BuildIndexer() => NoEntries.Instance;

    internal override void Decide(GlobalInput input, DecisionWriter output)
    {
        using var clusters = new Clusters(Path.Combine(input.Scratch, "clusters"), input.Documents);
        if (Means.Of(this, input) is { } means)
        {
            using var file = VectorFile.Write(Path.Combine(input.Scratch, "vectors"), input, means);
            using var sorter = new EntrySorter(input.Scratch, "semantic");
            Sign(input, file, sorter);
            var (candidates, confirmed) = Buckets.Join(input, sorter.Sorted(), clusters, (a, b) => file.Cosine(a, b) >= Similarity);
            output.Note("candidates", candidates);
            output.Note("confirmed", confirmed);
            output.Note("words-with-vectors", means.Words);
        }

        Buckets.Write(input, clusters, Action, output);
    }

    private void Sign(GlobalInput input, VectorFile file, EntrySorter sorter)
    {
        var directions = new float[Bands * Rows][];
        for (var d = 0; d < directions.Length; d++)
            directions[d] = RandomUnit(file.Width, (ulong)Seed * 0x9E3779B97F4A7C15 + (ulong)d);
        var vector = new float[file.Width];
        for (var document = 0L; document < input.Documents; document++)
        {
            file.Read(document, vector);
            if (vector.AsSpan().IndexOfAnyExcept(0f) < 0)
                continue; // no words: like nothing else
            var (partition, ordinal) = input.Local(document);
            for (var band = 0; band < Bands; band++)
            {
                var signs = 0UL;
                for (var row = 0; row < Rows; row++)
                    signs = signs << 1 | (VectorFile.Dot(directions[band * Rows + row], vector) >= 0 ? 1UL : 0UL);
                sorter.Add(new IndexEntry((ulong)band, signs, partition, ordinal, 0, 0));
            }
        }
    }

    /// <summary>Signs of equal size, drawn from a seed.</summary>
    private static float[] RandomUnit(int width, ulong seed)
    {
        var vector = new float[width];
        for (var i = 0; i < width; i++)
            vector[i] = (Hash64.Of(BitConverter.GetBytes(i), seed) & 1) == 0 ? 1 / MathF.Sqrt(width) : -1 / MathF.Sqrt(width);
        return vector;
    }

    private sealed class NoEntries : IIndexer
    {
        public static readonly NoEntries Instance = new();

        public void Index(Draft draft, List<IndexEntry> entries)
        {
        }
    }

    /// <summary>Mean vectors of texts. A word too rare for a vector of its own gets a random one: names tell documents of one pattern apart.</summary>
    private sealed class Means(WordVectors vectors, int width, Dictionary<string, float> weights)
    {
        public int Width => width;

        public int Words => vectors.Count;

        public static Means? Of(SemanticDedup o, GlobalInput input)
        {
            var sample = new HashSample<List<string>>(SampleDocuments);
            for (var partition = 0; partition < input.Partitions; partition++)
                foreach (var document in input.ReadAll(partition))
                {
                    input.Cancel.ThrowIfCancellationRequested();
                    sample.Add(Hash64.Of(document.Utf8.Span, 1), () => [.. Analysis.Words.Of(Encoding.UTF8.GetString(document.Utf8.Span)).Take(SampleWords)]);
                }

            var counts = new Dictionary<string, long>(StringComparer.Ordinal);
            foreach (var word in sample.Kept.SelectMany(d => d))
                counts[word] = counts.GetValueOrDefault(word) + 1;
            var total = counts.Values.Sum();
            WordVectors? vectors;
            if (o.Vectors is { } path)
            {
                try
                {
                    using var reader = new StreamReader(path, new UTF8Encoding(false, true));
                    vectors = WordVectors.Read(reader, path);
                }
                catch (Exception e) when (e is DecoderFallbackException or IOException or UnauthorizedAccessException)
                {
                    throw new UserException($"{path}: cannot be read as word vectors: {(e is DecoderFallbackException ? "not valid UTF-8" : e.Message)}", e);
                }
            }
            else
            {
                vectors = WordVectors.Train([.. sample.Kept], new WordVectorOptions { Width = SemanticDedup.Width });
            }

            return vectors is null ? null : new Means(vectors, Math.Max(SemanticDedup.Width, vectors.Width), counts.ToDictionary(c => c.Key, c => (float)(Rare / (Rare + (double)c.Value / total)), StringComparer.Ordinal));
        }

        public float[] Of(Document document)
        {
            var sum = new float[width];
            foreach (var word in Analysis.Words.Of(Encoding.UTF8.GetString(document.Utf8.Span)))
            {
                var weight = weights.GetValueOrDefault(word, 1);
                if (vectors.Of(word) is { } known)
                {
                    for (var i = 0; i < known.Count; i++) // few words have fewer numbers: the rest tells rare words apart
                        sum[i] += weight * (float)known[i];
                }
                else
                {
                    var random = RandomUnit(width, Hash64.Of(Encoding.UTF8.GetBytes(word), 2));
                    for (var i = 0; i < width; i++)
                        sum[i] += weight * random[i];
                }
            }

            return sum;
        }
    }

    /// <summary>
    /// A vector a document, of length 1 after what many have in common was taken away: the mean, and the directions that tell whole kinds of
    /// text apart, such as two languages (Mu and Viswanath, 2018); on disk.
    /// </summary>
    private sealed class VectorFile : IDisposable
    {
        private readonly FileStream _file;
        private readonly float[] _a, _b;

        private VectorFile(FileStream file, int width) => (_file, Width, _a, _b) = (file, width, new float[width], new float[width]);

        public int Width { get; }

        public static VectorFile Write(string path, GlobalInput input, Means means)
        {
            var file = new VectorFile(new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, 1), means.Width);
            var (sample, number) = (new HashSample<double[]>(SampleDocuments), 0L);
            for (var partition = 0; partition < input.Partitions; partition++)
                foreach (var batch in OrderedMap.Run(OrderedMap.Batches(input.ReadAll(partition)), input.Workers, documents => documents.ConvertAll(means.Of)))
                    foreach (var vector in batch)
                    {
                        input.Cancel.ThrowIfCancellationRequested();
                        Normalise(vector);
                        if (vector.AsSpan().IndexOfAnyExcept(0f) >= 0)
                            sample.Add(Hash64.Of(BitConverter.GetBytes(number), 1), () => Array.ConvertAll(vector, x => (double)x));
                        file.Put(number++, vector);
                    }

            double[][] seen = [.. sample.Kept];
            if (seen.Length < 2)
                return file;
            var all = PrincipalComponents.Fit(seen, means.Width);
            var common = all.Directions.Where((_, i) => all.Variances[i] > Common * all.TotalVariance).ToArray();
            var one = new float[means.Width];
            for (var document = 0L; document < number; document++)
            {
                file.Read(document, one);
                if (one.AsSpan().IndexOfAnyExcept(0f) < 0)
                    continue;
                for (var i = 0; i < one.Length; i++)
                    one[i] -= (float)all.Mean[i];
                foreach (var direction in common)
                {
                    var along = 0.0;
                    for (var i = 0; i < one.Length; i++)
                        along += one[i] * direction[i];
                    for (var i = 0; i < one.Length; i++)
                        one[i] -= (float)(along * direction[i]);
                }

                Normalise(one);
                file.Put(document, one);
            }

            return file;
        }

        public void Read(long document, float[] into) => RandomAccess.Read(_file.SafeFileHandle, MemoryMarshal.AsBytes(into.AsSpan()), document * Width * sizeof(float));

        public double Cosine(long a, long b)
        {
            Read(a, _a);
            Read(b, _b);
            return Dot(_a, _b);
        }

        public static double Dot(float[] a, float[] b)
        {
            var sum = 0.0; // in order: the same on every machine
            for (var i = 0; i < a.Length; i++)
                sum += (double)a[i] * b[i];
            return sum;
        }

        public void Dispose() => _file.Dispose();

        private void Put(long document, float[] vector) => RandomAccess.Write(_file.SafeFileHandle, MemoryMarshal.AsBytes(vector.AsSpan()), document * Width * sizeof(float));

        private static void Normalise(float[] vector)
        {
            var length = Math.Sqrt(Dot(vector, vector));
            for (var i = 0; i < vector.Length; i++)
                vector[i] = length > 0 ? (float)(vector[i] / length) : 0;
        }
    }
}

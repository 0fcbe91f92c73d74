using System.Text;
using Gradus.Foundation.Files;
using Gradus.Foundation.Kernels;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Data.Analysis;

/// <summary>A text and what it is an example of.</summary>
/// <param name="Text">The text.</param>
/// <param name="Label">Its class.</param>
/// <param name="Weight">How often it counts: 2 is the same as having it twice.</param>
public sealed record LabelledText(string Text, string Label, double Weight = 1);

/// <summary>How a text classifier is trained.</summary>
public sealed record ClassifierOptions
{
    /// <summary>Most steps of L-BFGS; it ends sooner where the loss no longer falls.</summary>
    [AtLeast(1)]
    public int MaxIterations { get; init; } = 200;

    /// <summary>Weight of half the sum of squared weights beside the mean loss of an example: more of it trusts rare words less.</summary>
    [AtLeast(0)]
    public double L2 { get; init; } = 4e-5;

    /// <summary>Words in a row that make a feature; 2: words and pairs of words.</summary>
    [AtLeast(1)]
    [AtMost(5)]
    public int WordNGrams { get; init; } = 2;

    /// <summary>Features are hashed into 2 to this power.</summary>
    [AtLeast(8)]
    [AtMost(24)]
    public int HashBits { get; init; } = 20;

    /// <summary>Words of a text that are enough.</summary>
    [AtLeast(1)]
    public int MaxWords { get; init; } = 2000;

    /// <summary>Weighs the classes so that each counts the same, however many examples it has.</summary>
    public bool Balance { get; init; }
}

/// <summary>
/// A linear classifier over hashed words and word n-grams: softmax regression with L2, trained to its optimum by L-BFGS. A feature counts once a text, by the
/// logarithm of how rare it is (inverse document frequency), and texts have length 1 as vectors. Trained in seconds, deterministic, a megabyte or two. What it
/// is for: quality of documents, sentiment, any label that words show; and the baseline that a network should beat.
/// </summary>
public sealed class TextClassifier
{
    private const int FormatVersion = 2;

    private readonly string[] _labels;
    private readonly float[] _weights; // [feature * labels + label]; the last feature is the bias
    private readonly float[] _rarity; // of each feature; 0 where the examples did not have it

    private TextClassifier(string[] labels, ClassifierOptions options, float[] weights, float[] rarity) => (_labels, Options, _weights, _rarity) = (labels, options, weights, rarity);

    /// <summary>The classes, in ordinal order.</summary>
    public IReadOnlyList<string> Labels => _labels;

    /// <summary>How it was trained.</summary>
    public ClassifierOptions Options { get; }

    private int Bias => 1 << Options.HashBits;

    /// <summary>Learns from examples. The same for the same examples in the same order.</summary>
    /// <exception cref="UserException">Fewer than two classes.</exception>
    public static TextClassifier Train(IReadOnlyList<LabelledText> examples, ClassifierOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(examples);
        options ??= new ClassifierOptions();
        var labels = examples.Select(e => e.Label).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToArray();
        if (labels.Length < 2)
            throw new UserException($"a classifier needs examples of two classes at least; all {examples.Count} are '{(labels.Length == 1 ? labels[0] : "")}'.");
        var model = Untrained(labels, examples, options);
        var rows = examples.Select(e => new Row(model.Features(e.Text), Array.BinarySearch(labels, e.Label, StringComparer.Ordinal), e.Weight)).ToArray();
        if (options.Balance)
        {
            var weights = ClassWeights.Balanced([.. labels.Select((_, l) => rows.Where(r => r.Label == l).Sum(r => r.Weight))]);
            rows = [.. rows.Select(r => r with { Weight = r.Weight * weights[r.Label] })];
        }

        model.Fit(rows);
        return model;
    }

    /// <summary>The probability of each class, in the order of <see cref="Labels"/>.</summary>
    public double[] Probabilities(string text) => Softmax(Features(text));

    /// <summary>The likeliest class.</summary>
    public string Predict(string text)
    {
        var p = Probabilities(text);
        return _labels[Array.IndexOf(p, p.Max())];
    }

    /// <summary>The probability of one class.</summary>
    /// <exception cref="UserException">It has no such class.</exception>
    public double Probability(string text, string label) => Probabilities(text)[Array.IndexOf(_labels, label) is var l and >= 0 ? l
        : throw new UserException($"the classifier has no class '{label}'; it has {string.Join(", ", _labels)}.")];

    /// <summary>Share of examples it gives the right class.</summary>
    public double Accuracy(IReadOnlyCollection<LabelledText> examples)
    {
        ArgumentNullException.ThrowIfNull(examples);
        return examples.Count == 0 ? 0 : examples.Count(e => Predict(e.Text) == e.Label) / (double)examples.Count;
    }

    /// <summary>Writes the model.</summary>
    public void Save(string path) => Durable.WriteFile(path, file =>
    {
        using var writer = new BinaryWriter(file, Encoding.UTF8, leaveOpen: true);
        writer.Write("GRADCLAS"u8);
        writer.Write(FormatVersion);
        writer.Write(Options.HashBits);
        writer.Write(Options.WordNGrams);
        writer.Write(Options.MaxWords);
        writer.Write(_labels.Length);
        foreach (var label in _labels)
            writer.Write(label);
        Write(writer, _weights);
        Write(writer, _rarity);
    });

    /// <exception cref="UserException">No such file, or not a classifier.</exception>
    public static TextClassifier Load(string path)
    {
        if (!File.Exists(path))
            throw new UserException($"{path}: there is no such file. Make one with: gradus data train-classifier EXAMPLES --out {path}");
        try
        {
            using var reader = new BinaryReader(new MemoryStream(File.ReadAllBytes(path)), Encoding.UTF8);
            if (!reader.ReadBytes(8).AsSpan().SequenceEqual("GRADCLAS"u8))
                throw new UserException($"{path}: is not a classifier; make one with gradus data train-classifier.");
            if (reader.ReadInt32() is var version && version != FormatVersion)
                throw new UserException($"{path}: version {version} is not known; this build reads version {FormatVersion}. Train it again.");
            var options = new ClassifierOptions { HashBits = InRange(reader.ReadInt32(), 8, 24), WordNGrams = InRange(reader.ReadInt32(), 1, 5), MaxWords = InRange(reader.ReadInt32(), 1, int.MaxValue) };
            var labels = new string[InRange(reader.ReadInt32(), 2, 4096)];
            for (var l = 0; l < labels.Length; l++)
                labels[l] = reader.ReadString();
            var weights = Read(reader, checked(((1 << options.HashBits) + 1) * labels.Length));
            var rarity = Read(reader, 1 << options.HashBits);
            return reader.BaseStream.Position == reader.BaseStream.Length ? new TextClassifier(labels, options, weights, rarity) : throw new InvalidDataException();
        }
        catch (Exception e) when (e is EndOfStreamException or InvalidDataException or FormatException or OverflowException)
        {
            throw new UserException($"{path}: is damaged; train it again.", e);
        }
    }

    /// <summary>The gradient of the mean weighted loss over examples, at weights of zero: what class weights and copies must agree on.</summary>
    internal static double[] GradientAtZero(IReadOnlyList<LabelledText> examples, ClassifierOptions options)
    {
        var labels = examples.Select(e => e.Label).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToArray();
        var model = Untrained(labels, examples, options);
        var gradient = new double[model._weights.Length];
        var total = examples.Sum(e => e.Weight);
        foreach (var example in examples)
        {
            var features = model.Features(example.Text);
            var p = model.Softmax(features);
            foreach (var (feature, value) in features)
                for (var l = 0; l < labels.Length; l++)
                    gradient[feature * labels.Length + l] += example.Weight / total * value * (p[l] - (labels[l] == example.Label ? 1 : 0));
        }

        return gradient;
    }

    private static int InRange(int value, int least, int most) => value >= least && value <= most ? value : throw new InvalidDataException();

    // Most buckets of a small corpus are empty: runs of zeros are a number.
    private static void Write(BinaryWriter writer, float[] values)
    {
        for (var i = 0; i < values.Length;)
        {
            var zeros = i;
            while (zeros < values.Length && values[zeros] == 0)
                zeros++;
            writer.Write7BitEncodedInt(zeros - i);
            var end = zeros;
            while (end < values.Length && values[end] != 0)
                end++;
            writer.Write7BitEncodedInt(end - zeros);
            for (i = zeros; i < end; i++)
                writer.Write(values[i]);
        }
    }

    private static float[] Read(BinaryReader reader, int count)
    {
        var values = new float[count];
        for (var i = 0; i < values.Length;)
        {
            i += InRange(reader.Read7BitEncodedInt(), 0, values.Length - i);
            var run = InRange(reader.Read7BitEncodedInt(), i < values.Length ? 1 : 0, values.Length - i);
            for (var end = i + run; i < end; i++)
                values[i] = reader.ReadSingle();
        }

        return values.All(float.IsFinite) ? values : throw new InvalidDataException();
    }

    private static TextClassifier Untrained(string[] labels, IReadOnlyList<LabelledText> examples, ClassifierOptions options)
    {
        var (having, total) = (new double[1 << options.HashBits], 0.0);
        foreach (var example in examples)
        {
            total += example.Weight;
            foreach (var feature in Hashed(example.Text, options))
                having[feature] += example.Weight;
        }

        // One more in the numerator: what every text has still says a little.
        return new TextClassifier(labels, options, new float[((1 << options.HashBits) + 1) * labels.Length], [.. having.Select(n => n > 0 ? (float)Math.Log((1 + total) / n) : 0)]);
    }

    private sealed record Row(List<(int Feature, float Value)> Features, int Label, double Weight);

    private void Fit(Row[] rows)
    {
        // Only what occurs has a weight to find.
        int[] used = [.. rows.SelectMany(r => r.Features).Select(f => f.Feature).Distinct().Order()];
        var place = new int[Bias + 1];
        for (var i = 0; i < used.Length; i++)
            place[used[i]] = i;
        var (labels, total) = (_labels.Length, rows.Sum(r => r.Weight));
        var best = Lbfgs.Minimize(new double[used.Length * labels], Options.MaxIterations, (weights, gradient) =>
        {
            var (loss, p) = (0.0, new double[labels]);
            for (var i = 0; i < weights.Length; i++)
            {
                var l2 = i < weights.Length - labels ? Options.L2 : 0; // the bias, last, is free
                loss += l2 / 2 * weights[i] * weights[i];
                gradient[i] = l2 * weights[i];
            }

            foreach (var row in rows)
            {
                Array.Clear(p);
                foreach (var (feature, value) in row.Features)
                    for (var l = 0; l < labels; l++)
                        p[l] += value * weights[place[feature] * labels + l];
                Softmax(p);
                var share = row.Weight / total;
                loss -= share * Math.Log(Math.Max(p[row.Label], double.Epsilon));
                foreach (var (feature, value) in row.Features)
                    for (var l = 0; l < labels; l++)
                        gradient[place[feature] * labels + l] += share * value * (p[l] - (l == row.Label ? 1 : 0));
            }

            return loss;
        });
        for (var i = 0; i < best.Length; i++)
            _weights[used[i / labels] * labels + i % labels] = (float)best[i];
    }

    /// <summary>The n-grams of a text as buckets, each once, in order.</summary>
    private static List<int> Hashed(string text, ClassifierOptions options)
    {
        var words = Words.Of(text);
        var hashes = new ulong[Math.Min(words.Count, options.MaxWords)];
        for (var i = 0; i < hashes.Length; i++)
            hashes[i] = Hash64.Of(Encoding.UTF8.GetBytes(words[i]));
        var buckets = new List<int>(hashes.Length * options.WordNGrams);
        for (var i = 0; i < hashes.Length; i++)
        {
            var hash = 0UL;
            for (var n = 0; n < options.WordNGrams && i + n < hashes.Length; n++)
            {
                hash = Hash64.Mix(unchecked(hash * 3 + hashes[i + n]));
                buckets.Add((int)(hash >> (64 - options.HashBits)));
            }
        }

        buckets.Sort();
        var kept = 0;
        for (var i = 0; i < buckets.Count; i++)
            if (i == 0 || buckets[i] != buckets[i - 1])
                buckets[kept++] = buckets[i];
        buckets.RemoveRange(kept, buckets.Count - kept);
        return buckets;
    }

    /// <summary>What the examples had of a text, by rarity; short and long texts have the same length as vectors.</summary>
    private List<(int Feature, float Value)> Features(string text)
    {
        List<(int Feature, float Value)> features = [.. Hashed(text, Options).Where(f => _rarity[f] > 0).Select(f => (f, _rarity[f]))];
        var norm = (float)Math.Sqrt(features.Sum(f => (double)f.Value * f.Value));
        for (var i = 0; i < features.Count; i++)
            features[i] = (features[i].Feature, features[i].Value / norm);
        features.Add((Bias, 1));
        return features;
    }

    private double[] Softmax(List<(int Feature, float Value)> features)
    {
        var labels = _labels.Length;
        var z = new double[labels];
        foreach (var (feature, value) in features)
            for (var l = 0; l < labels; l++)
                z[l] += value * _weights[feature * labels + l];
        Softmax(z);
        return z;
    }

    private static void Softmax(double[] z)
    {
        var (max, sum) = (z.Max(), 0.0);
        for (var l = 0; l < z.Length; l++)
            sum += z[l] = Math.Exp(z[l] - max);
        for (var l = 0; l < z.Length; l++)
            z[l] /= sum;
    }
}

/// <summary>Weights that make up for unequal numbers of examples.</summary>
public static class ClassWeights
{
    /// <summary>total / (classes · count): every class then counts the same, and the mean weight of an example is 1. A class without examples gets 0.</summary>
    public static double[] Balanced(IReadOnlyList<double> counts)
    {
        ArgumentNullException.ThrowIfNull(counts);
        var present = counts.Count(c => c > 0);
        return [.. counts.Select(c => c > 0 ? counts.Sum() / (present * c) : 0)];
    }
}

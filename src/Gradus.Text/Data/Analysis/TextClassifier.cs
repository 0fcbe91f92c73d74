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
    /// <summary>Passes over the examples.</summary>
    [AtLeast(1)]
    public int Epochs { get; init; } = 10;

    /// <summary>Step size of AdaGrad.</summary>
    [Above(0)]
    public double LearningRate { get; init; } = 0.5;

    /// <summary>Decay of the weights that an example uses.</summary>
    [AtLeast(0)]
    public double L2 { get; init; } = 1e-5;

    /// <summary>Words in a row that make a feature; 2: words and pairs of words.</summary>
    [AtLeast(1)]
    [AtMost(5)]
    public int WordNGrams { get; init; } = 2;

    /// <summary>Features are hashed into 2 to this power.</summary>
    [AtLeast(8)]
    [AtMost(24)]
    public int HashBits { get; init; } = 18;

    /// <summary>Words of a text that are enough.</summary>
    [AtLeast(1)]
    public int MaxWords { get; init; } = 2000;

    /// <summary>Weighs the classes so that each counts the same, however many examples it has.</summary>
    public bool Balance { get; init; }

    /// <summary>Another seed is another order of the examples.</summary>
    [AtLeast(0)]
    public long Seed { get; init; }
}

/// <summary>
/// A linear classifier over hashed words and word n-grams (as fastText's, without the hidden layer): softmax regression by AdaGrad. Trained
/// in seconds, deterministic, a few hundred kilobytes. What it is for: quality of documents, sentiment, any label that words show.
/// </summary>
public sealed class TextClassifier
{
    private const int FormatVersion = 1;

    private readonly string[] _labels;
    private readonly float[] _weights; // [feature * labels + label]; the last feature is the bias

    private TextClassifier(string[] labels, ClassifierOptions options, float[] weights) => (_labels, Options, _weights) = (labels, options, weights);

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
        var model = new TextClassifier(labels, options, new float[((1 << options.HashBits) + 1) * labels.Length]);
        var rows = examples.Select(e => (Features: model.Features(e.Text), Label: Array.BinarySearch(labels, e.Label, StringComparer.Ordinal), e.Weight)).ToArray();
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
        // Most buckets of a small corpus are empty: runs of zeros are a number.
        for (var i = 0; i < _weights.Length;)
        {
            var zeros = i;
            while (zeros < _weights.Length && _weights[zeros] == 0)
                zeros++;
            writer.Write7BitEncodedInt(zeros - i);
            var end = zeros;
            while (end < _weights.Length && _weights[end] != 0)
                end++;
            writer.Write7BitEncodedInt(end - zeros);
            for (i = zeros; i < end; i++)
                writer.Write(_weights[i]);
        }
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
            var weights = new float[checked(((1 << options.HashBits) + 1) * labels.Length)];
            for (var i = 0; i < weights.Length;)
            {
                i += InRange(reader.Read7BitEncodedInt(), 0, weights.Length - i);
                var run = InRange(reader.Read7BitEncodedInt(), i < weights.Length ? 1 : 0, weights.Length - i);
                for (var end = i + run; i < end; i++)
                    weights[i] = reader.ReadSingle();
            }

            return weights.All(float.IsFinite) && reader.BaseStream.Position == reader.BaseStream.Length ? new TextClassifier(labels, options, weights) : throw new InvalidDataException();
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
        var model = new TextClassifier(labels, options, new float[((1 << options.HashBits) + 1) * labels.Length]);
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

    private void Fit((List<(int Feature, float Value)> Features, int Label, double Weight)[] rows)
    {
        var mean = rows.Sum(r => r.Weight) / rows.Length;
        var squares = new float[_weights.Length];
        var labels = _labels.Length;
        for (var epoch = 0; epoch < Options.Epochs; epoch++)
        {
            var order = new WindowPermutation(rows.Length, new Counter((ulong)Options.Seed, "data.classifier"), epoch);
            for (long i = 0; i < rows.Length; i++)
            {
                var (features, label, weight) = rows[order[i]];
                var p = Softmax(features);
                for (var l = 0; l < labels; l++)
                    p[l] = weight / mean * (p[l] - (l == label ? 1 : 0));
                foreach (var (feature, value) in features)
                    for (var l = 0; l < labels; l++)
                    {
                        var at = feature * labels + l;
                        var g = (float)(p[l] * value + Options.L2 * _weights[at]);
                        squares[at] += g * g;
                        _weights[at] -= (float)Options.LearningRate * g / (MathF.Sqrt(squares[at]) + 1e-6f);
                    }
            }
        }
    }

    /// <summary>Hashed n-grams, each with 1 / √(how many there are): short and long texts have the same length as vectors.</summary>
    private List<(int Feature, float Value)> Features(string text)
    {
        var words = Words.Of(text);
        var count = Math.Min(words.Count, Options.MaxWords);
        var hashes = new ulong[count];
        for (var i = 0; i < count; i++)
            hashes[i] = Hash64.Of(Encoding.UTF8.GetBytes(words[i]));
        var found = new Dictionary<int, int>();
        for (var i = 0; i < count; i++)
        {
            var hash = 0UL;
            for (var n = 0; n < Options.WordNGrams && i + n < count; n++)
            {
                hash = Hash64.Mix(unchecked(hash * 3 + hashes[i + n]));
                var feature = (int)(hash >> (64 - Options.HashBits));
                found[feature] = found.GetValueOrDefault(feature) + 1;
            }
        }

        var norm = Math.Sqrt(found.Values.Sum(n => (double)n * n));
        List<(int, float)> features = [.. found.OrderBy(f => f.Key).Select(f => (f.Key, (float)(f.Value / norm)))];
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
        var (max, sum) = (z.Max(), 0.0);
        for (var l = 0; l < labels; l++)
            sum += z[l] = Math.Exp(z[l] - max);
        for (var l = 0; l < labels; l++)
            z[l] /= sum;
        return z;
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

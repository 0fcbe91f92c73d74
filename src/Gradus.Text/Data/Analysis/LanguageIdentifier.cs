using System.Text;
using Gradus.Foundation.Files;
using Gradus.Foundation.Kernels;

namespace Gradus.Text.Data.Analysis;

/// <summary>How a language identifier is trained.</summary>
public sealed record LanguageTraining
{
    /// <summary>Added to the count of every n-gram: small, since an n-gram that a language does not know is strong evidence.</summary>
    public double Alpha { get; init; } = 0.005;

    /// <summary>Occurrences in one language from which 4- and 5-grams are kept; the size of the model.</summary>
    public int MinCount { get; init; } = 2;

    /// <summary>Every how many-th paragraph the confidence is calibrated on, by a model that has not seen it; 0: not calibrated.</summary>
    public int CalibrateEvery { get; init; } = 10;
}

/// <summary>A language and how sure the identifier is of it.</summary>
/// <param name="Language">The language's own code, without region and script: <c>de</c>.</param>
/// <param name="Label">The label it was trained under: <c>de-1996</c>, <c>sr-Cyrl</c>.</param>
/// <param name="Score">Calibrated probability of the language.</param>
public readonly record struct LanguageGuess(string Language, string Label, double Score);

/// <summary>
/// Tells the language of a text by its character n-grams (1 to 5): naive Bayes, each order smoothed on its own. What the labels have behind
/// the first dash (region, script, spelling) makes classes of their own, whose probabilities are added up to the language's.
/// </summary>
public sealed class LanguageIdentifier
{
    private const int Longest = CharGrams.Longest;
    private const int FormatVersion = 1;

    private readonly string[] _labels;
    private readonly int[] _languageOf; // by label
    private readonly string[] _languages;
    private readonly float[] _unseen; // [label * 5 + order - 1]: log of the probability of an n-gram that the label does not have
    private readonly GramTable _grams;
    private readonly float[] _deltas; // by stored count
    private readonly double _alpha;
    private readonly double _sharpness;

    private LanguageIdentifier(string[] labels, long[] totals, GramTable grams, double alpha, double sharpness)
    {
        (_labels, _grams, _alpha, _sharpness) = (labels, grams, alpha, sharpness);
        (Totals, _deltas) = (totals, grams.Deltas(alpha));
        _languages = [.. labels.Select(Language).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        _languageOf = [.. labels.Select(l => Array.BinarySearch(_languages, Language(l), StringComparer.Ordinal))];
        _unseen = new float[labels.Length * Longest];
        for (var i = 0; i < _unseen.Length; i++)
            _unseen[i] = (float)Math.Log(alpha / (totals[i] + alpha * Math.Max(1, grams.Distinct[i % Longest])));
    }

    /// <summary>Every language it knows, in order.</summary>
    public IReadOnlyList<string> Languages => _languages;

    /// <summary>Every label it was trained with, in order.</summary>
    public IReadOnlyList<string> Labels => _labels;

    /// <summary>Distinct n-grams in the model.</summary>
    public int Grams => _grams.Count;

    private long[] Totals { get; }

    /// <summary>The language's own part of a label: <c>de</c> of <c>de-1996</c>.</summary>
    public static string Language(string label)
    {
        ArgumentNullException.ThrowIfNull(label);
        var dash = label.IndexOf('-', StringComparison.Ordinal);
        return LanguageCodes.Short(dash < 0 ? label : label[..dash]);
    }

    private static bool IsLanguage(string label) => Language(label) is not ("und" or "mul" or "zxx" or "mis" or "");

    /// <summary>Learns from labelled texts. The same whatever their order; texts without a language (<c>und</c>) are left out.</summary>
    /// <exception cref="UserException">Fewer than two languages.</exception>
    public static LanguageIdentifier Train(IEnumerable<(string Label, string Text)> texts, LanguageTraining? options = null)
    {
        ArgumentNullException.ThrowIfNull(texts);
        options ??= new LanguageTraining();
        var all = texts.Where(t => IsLanguage(t.Label)).SelectMany(t => Paragraphs(t.Text).Select(p => (t.Label, Paragraph: p))).ToList();
        if (all.Select(t => Language(t.Label)).Distinct(StringComparer.Ordinal).Count() < 2)
            throw new UserException("a language identifier needs texts of two languages at least; is the right field named as the label?");
        var sharpness = 1.0;
        if (options.CalibrateEvery > 1)
        {
            var seen = Count(all.Where((_, i) => i % options.CalibrateEvery != 0), options, 1);
            sharpness = seen.Calibrate(all.Where((_, i) => i % options.CalibrateEvery == 0));
        }

        return Count(all, options, sharpness);
    }

    /// <summary>Share of unseen paragraphs whose language is told right: trains without every fifth paragraph (by its content), and asks for those.</summary>
    /// <param name="texts">As for <see cref="Train"/>.</param>
    /// <param name="leastCharacters">Shorter paragraphs are headings.</param>
    /// <param name="options">As for <see cref="Train"/>.</param>
    public static (double Accuracy, int Paragraphs, int Languages) HeldOutAccuracy(IEnumerable<(string Label, string Text)> texts, int leastCharacters = 40, LanguageTraining? options = null)
    {
        ArgumentNullException.ThrowIfNull(texts);
        var all = texts.Where(t => IsLanguage(t.Label)).SelectMany(t => Paragraphs(t.Text).Select(p => (t.Label, Text: p))).ToLookup(p => HeldOut(p.Text));
        var model = Train(all[false], options);
        // The same paragraph under two languages (Kongo and Kituba share a translation): no method could tell.
        var told = all[true].GroupBy(p => p.Text, StringComparer.Ordinal).Where(g => g.Select(p => Language(p.Label)).Distinct(StringComparer.Ordinal).Count() == 1).Select(g => g.Key).ToHashSet(StringComparer.Ordinal);
        var asked = all[true].Where(p => p.Text.Length >= leastCharacters && told.Contains(p.Text)).ToList();
        var right = asked.Count(p => model.Identify(p.Text)?.Language == Language(p.Label));
        return (asked.Count == 0 ? 0 : (double)right / asked.Count, asked.Count, asked.Select(p => Language(p.Label)).Distinct(StringComparer.Ordinal).Count());
    }

    /// <summary>Every fifth paragraph: by its content, so the same text is never on both sides.</summary>
    internal static bool HeldOut(string paragraph) => Hash64.Of(Encoding.UTF8.GetBytes(paragraph)) % 5 == 0;

    /// <summary>The likeliest language of a text; null when there is no letter in it.</summary>
    /// <param name="text">Any text.</param>
    /// <param name="most">Characters that are enough.</param>
    public LanguageGuess? Identify(ReadOnlySpan<char> text, int most = 4000) => Rank(text, 1, most) is [var first, ..] ? first : null;

    /// <summary>The likeliest languages, best first; none when there is no letter in the text.</summary>
    public IReadOnlyList<LanguageGuess> Rank(ReadOnlySpan<char> text, int count, int most = 4000)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        var scores = new double[_labels.Length];
        var characters = Score(text, most, scores);
        if (characters == 0)
            return [];
        var (byLanguage, bestLabel) = Posterior(scores, _sharpness);
        return [.. Enumerable.Range(0, _languages.Length).OrderByDescending(l => byLanguage[l]).ThenBy(l => l).Take(count).Select(l => new LanguageGuess(_languages[l], _labels[bestLabel[l]], byLanguage[l]))];
    }

    /// <summary>Writes the model: the same bytes for the same texts.</summary>
    public void Save(string path)
    {
        using var bytes = new MemoryStream();
        using (var writer = new BinaryWriter(bytes, Encoding.UTF8, leaveOpen: true))
        {
            writer.Write("GRADLANG"u8);
            writer.Write(FormatVersion);
            writer.Write(_alpha);
            writer.Write(_sharpness);
            writer.Write(_labels.Length);
            for (var l = 0; l < _labels.Length; l++)
            {
                writer.Write(_labels[l]);
                for (var n = 0; n < Longest; n++)
                    writer.Write(Totals[l * Longest + n]);
            }

            _grams.Write(writer);
        }

        Durable.WriteFile(path, file => bytes.WriteTo(file));
    }

    /// <exception cref="UserException">No such file, or not a language model.</exception>
    public static LanguageIdentifier Load(string path)
    {
        if (!File.Exists(path))
            throw new UserException($"{path}: there is no such file. Make one with: gradus data train-language-id TEXTS --out {path}");
        try
        {
            using var reader = new BinaryReader(new MemoryStream(File.ReadAllBytes(path)), Encoding.UTF8);
            if (!reader.ReadBytes(8).AsSpan().SequenceEqual("GRADLANG"u8))
                throw new UserException($"{path}: is not a language model; make one with gradus data train-language-id.");
            if (reader.ReadInt32() is var version && version != FormatVersion)
                throw new UserException($"{path}: version {version} is not known; this build reads version {FormatVersion}. Train it again.");
            var (alpha, sharpness) = (reader.ReadDouble(), reader.ReadDouble());
            var labels = new string[Bounded(reader.ReadInt32(), 65535)];
            var totals = new long[labels.Length * Longest];
            for (var l = 0; l < labels.Length; l++)
            {
                labels[l] = reader.ReadString();
                for (var n = 0; n < Longest; n++)
                    totals[l * Longest + n] = reader.ReadInt64();
            }

            return new LanguageIdentifier(labels, totals, GramTable.Read(reader, labels.Length), alpha, sharpness);
        }
        catch (Exception e) when (e is EndOfStreamException or InvalidDataException or FormatException or OverflowException)
        {
            throw new UserException($"{path}: is damaged; train it again.", e);
        }
    }

    /// <summary>A number read from a file that sizes what is made next.</summary>
    internal static int Bounded(int value, int most) => value >= 0 && value <= most ? value : throw new InvalidDataException();

    internal static IEnumerable<string> Paragraphs(string text) => text.Split('\n').Select(p => p.Trim()).Where(p => p.Length > 0);

    private static LanguageIdentifier Count(IEnumerable<(string Label, string Paragraph)> texts, LanguageTraining options, double sharpness)
    {
        var byLabel = new SortedDictionary<string, List<string>>(StringComparer.Ordinal);
        foreach (var (label, paragraph) in texts)
        {
            if (!byLabel.TryGetValue(label, out var list))
                byLabel[label] = list = [];
            list.Add(paragraph);
        }

        var labels = byLabel.Keys.ToArray();
        var totals = new long[labels.Length * Longest];
        var builder = new GramTable.Builder();
        for (var l = 0; l < labels.Length; l++)
        {
            var counts = new Dictionary<uint, int>[Longest];
            for (var n = 0; n < Longest; n++)
                counts[n] = [];
            foreach (var paragraph in byLabel[labels[l]])
            {
                var normal = CharGrams.Normal(paragraph);
                for (var end = 1; end <= normal.Length; end++)
                    for (var n = 1; n <= Math.Min(Longest, end); n++)
                        System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(counts[n - 1], CharGrams.Hash(normal, end, n), out _)++;
            }

            for (var n = 0; n < Longest; n++)
                foreach (var (gram, count) in counts[n])
                {
                    totals[l * Longest + n] += count;
                    builder.Seen(n, gram);
                    if (n < 3 || count >= options.MinCount)
                        builder.Add(gram, l, count);
                }
        }

        return new LanguageIdentifier(labels, totals, builder.Build(), options.Alpha, sharpness);
    }

    /// <summary>The log-likelihood of a text under each label, averaged over the orders. Returns how many characters it rests on.</summary>
    private int Score(ReadOnlySpan<char> text, int most, Span<double> scores)
    {
        var normal = CharGrams.Normal(text, most);
        Span<int> known = stackalloc int[Longest];
        known.Clear();
        for (var end = 1; end <= normal.Length; end++)
            for (var n = 1; n <= Math.Min(Longest, end); n++)
            {
                if (!_grams.TryFind(CharGrams.Hash(normal, end, n), out var postings))
                    continue; // what no language has says nothing
                known[n - 1]++;
                foreach (var posting in postings)
                    scores[posting.Label] += _deltas[posting.Count];
            }

        for (var l = 0; l < scores.Length; l++)
        {
            for (var n = 0; n < Longest; n++)
                scores[l] += known[n] * _unseen[l * Longest + n];
            scores[l] /= Longest;
        }

        return normal.AsSpan().Count(' ') == normal.Length ? 0 : normal.Length;
    }

    private (double[] ByLanguage, int[] BestLabel) Posterior(ReadOnlySpan<double> scores, double sharpness)
    {
        var best = double.NegativeInfinity;
        foreach (var s in scores)
            best = Math.Max(best, s);
        var (byLanguage, bestLabel) = (new double[_languages.Length], new int[_languages.Length]);
        Array.Fill(bestLabel, -1);
        var sum = 0.0;
        for (var l = 0; l < scores.Length; l++)
        {
            var p = Math.Exp(sharpness * (scores[l] - best));
            var language = _languageOf[l];
            byLanguage[language] += p;
            if (bestLabel[language] < 0 || scores[l] > scores[bestLabel[language]])
                bestLabel[language] = l;
            sum += p;
        }

        for (var i = 0; i < byLanguage.Length; i++)
            byLanguage[i] /= sum;
        return (byLanguage, bestLabel);
    }

    /// <summary>The one factor on the log-likelihoods that makes unseen paragraphs likeliest under their own language: temperature scaling.</summary>
    private double Calibrate(IEnumerable<(string Label, string Paragraph)> texts)
    {
        var rows = new List<(double[] Scores, int Language)>();
        foreach (var (label, paragraph) in texts)
        {
            var scores = new double[_labels.Length];
            var language = Array.BinarySearch(_languages, Language(label), StringComparer.Ordinal);
            if (language >= 0 && Score(paragraph, 4000, scores) >= 20 && rows.Count < 2000)
                rows.Add((scores, language));
        }

        if (rows.Count == 0)
            return 1;
        var (best, bestLoss) = (1.0, double.PositiveInfinity);
        for (var step = -16; step <= 8; step++)
        {
            var sharpness = Math.Pow(2, step / 4.0);
            var loss = rows.Sum(r => -Math.Log(Math.Max(1e-12, Posterior(r.Scores, sharpness).ByLanguage[r.Language])));
            if (loss < bestLoss)
                (best, bestLoss) = (sharpness, loss);
        }

        return best;
    }
}

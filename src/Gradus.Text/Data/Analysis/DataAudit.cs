using System.Globalization;
using System.Text;
using Gradus.Foundation.Kernels;
using Gradus.Text.Data.Pii;

namespace Gradus.Text.Data.Analysis;

/// <summary>
/// Looks at documents one after the other and says what the dataset is. Memory does not grow with it: what cannot be summed is counted on an
/// even sample by hash. The order of the documents changes nothing but the last digits of means.
/// </summary>
public sealed class DataAudit
{
    private const int DistinctWords = 1 << 20, DistinctDocuments = 1 << 20, ReadableWords = 5000, MostShares = 500;

    private readonly AuditOptions _options;
    private readonly LanguageIdentifier? _identifier;
    private readonly Func<ReadOnlyMemory<byte>, int>? _tokens;
    private readonly GroupCounter[] _groups;
    private readonly Shares _sources = new(), _languages = new(), _licenses = new(), _splits = new();
    private readonly LogHistogram _lengths = new();
    private readonly SampledCounts _words = new(DistinctWords), _texts = new(DistinctDocuments);
    private readonly HashSample<List<string>> _sample;
    private readonly Dictionary<string, string> _interned = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, long> _years = new(StringComparer.Ordinal), _private = new(StringComparer.Ordinal);
    private readonly long[] _easeBins = new long[12];
    private readonly List<PiiMatch> _found = [];
    private readonly bool[] _kinds = [.. Enum.GetValues<PiiKind>().Select(_ => true)];
    private long _documents, _bytes, _characters, _tokenCount, _thousands, _readable, _dated, _privateDocuments;
    private double _ratios, _ease, _grade;
    private string _firstDate = "", _lastDate = "";

    /// <param name="options">What is looked at.</param>
    /// <param name="tokens">Counts the tokens of a text, or null.</param>
    /// <exception cref="Foundation.Files.UserException">A model that is named is missing or wrong.</exception>
    public DataAudit(AuditOptions? options = null, Func<ReadOnlyMemory<byte>, int>? tokens = null)
        : this(options ?? new AuditOptions(), tokens, Scorer(options ?? new AuditOptions()))
    {
    }

    internal DataAudit(AuditOptions options, Func<ReadOnlyMemory<byte>, int>? tokens, Func<string, double>? sentiment)
    {
        (_options, _tokens) = (options, tokens);
        _identifier = options.LanguageModel is { } model ? LanguageIdentifier.Load(model) : null;
        foreach (var (key, message) in options.Groups.SelectMany(g => g.Value.Problems().Select(p => ($"groups.{g.Key}.{p.Key}", p.Message))))
            throw new Foundation.Files.UserException($"{key}: {message}");
        _groups = [.. options.Groups.OrderBy(g => g.Key, StringComparer.Ordinal).Select(g => new GroupCounter(g.Key, g.Value, sentiment))];
        _sample = new HashSample<List<string>>(options.SampleDocuments);
    }

    /// <summary>Adds a document.</summary>
    public void Add(Document document)
    {
        ArgumentNullException.ThrowIfNull(document);
        var text = Encoding.UTF8.GetString(document.Utf8.Span);
        var size = document.Utf8.Length;
        _documents++;
        _bytes += size;
        var characters = text.EnumerateRunes().Count();
        _characters += characters;
        _lengths.Add(characters);
        _tokenCount += _tokens?.Invoke(document.Utf8) ?? 0;
        var hash = Hash64.Of(document.Utf8.Span);
        _texts.Add(hash);
        var words = Words.Of(text);
        Vocabulary(words);
        var language = Meta(document, MetaKeys.Language) ?? _identifier?.Identify(text)?.Language;
        _sources.Add(Meta(document, MetaKeys.Source) ?? FileOf(document.Origin), size);
        _languages.Add(language ?? "unknown", size);
        _licenses.Add(Meta(document, MetaKeys.License) ?? "unknown", size);
        _splits.Add(document.Split?.ToString().ToLowerInvariant() ?? "unset", size);
        Date(Meta(document, MetaKeys.Date));
        if (language is null ? LooksEnglish(words) : LanguageIdentifier.Language(language) == "en")
            Readable(text);
        List<(string, List<string>)>? sentences = null;
        foreach (var group in _groups)
            group.Add(words, () => sentences ??= [.. Words.Sentences(text).Select(s => (s, Words.Of(s)))]);
        PiiScanner.Find(document.Utf8.Span, _found, _kinds);
        _privateDocuments += _found.Count > 0 ? 1 : 0;
        foreach (var match in _found)
        {
            var kind = match.Kind.ToString().ToLowerInvariant();
            _private[kind] = _private.GetValueOrDefault(kind) + 1;
        }

        _sample.Add(hash, () => [.. words.Take(_options.SampleWords).Select(Interned)]);
    }

    /// <summary>The report on everything added.</summary>
    /// <param name="name">What was looked at.</param>
    /// <param name="preparation">The counts of the preparation, if there are any.</param>
    public AuditReport Finish(string name, AuditPreparation? preparation = null)
    {
        var sample = _sample.Kept.ToList();
        var topics = TopicModel.Train(sample, _options.Topics)?.Topics ?? [];
        var always = _options.Associations.SelectMany(t => t.X.Concat(t.Y).Concat(t.A).Concat(t.B)).Concat(topics.SelectMany(t => t.Words)).ToHashSet(StringComparer.Ordinal);
        var vectors = WordVectors.Train(sample, _options.Vectors, always);
        return new AuditReport
        {
            Version = AuditReport.CurrentVersion,
            Name = name,
            Documents = _documents,
            Bytes = _bytes,
            Characters = _characters,
            Tokens = _tokens is null ? null : _tokenCount,
            Sources = _sources.Report(MostShares),
            Languages = _languages.Report(MostShares),
            Licenses = _licenses.Report(MostShares),
            Splits = _splits.Report(MostShares),
            EffectiveSources = _sources.Effective,
            EffectiveLanguages = _languages.Effective,
            Lengths = _lengths.Report(),
            Vocabulary = new AuditVocabulary(_words.Total, _words.Distinct, _words.Exact, _words.Total == 0 ? 0 : _words.Distinct / _words.Total, _thousands == 0 ? null : _ratios / _thousands, _words.Entropy()),
            Readability = _readable == 0 ? null : new AuditReadability(_readable, _ease / _readable, _grade / _readable, [.. _easeBins.Select((n, i) => new AuditBin(10 * (i - 1), 10 * i, n))]),
            Time = _dated == 0 ? null : new AuditTime(_dated, _firstDate, _lastDate, _years),
            Duplicates = new AuditDuplicates(_texts.Repeats, _texts.Exact),
            Preparation = preparation,
            Groups = [.. _groups.Select(g => g.Report())],
            Sentiment = [.. _groups.Select(g => g.Sentiment()).OfType<AuditSentiment>()],
            Topics = topics,
            Words = Map(topics, vectors),
            Associations = vectors is null ? [] : [.. _options.Associations.Select(t => WordAssociation.Test(t, vectors)).OfType<AssociationResult>()],
            Private = new AuditPrivate(_privateDocuments, _private),
        };
    }

    private static List<AuditWord> Map(IReadOnlyList<Topic> topics, WordVectors? vectors)
    {
        const int WordsOfTopic = 5, Fewest = 8;
        var words = topics.Select((t, i) => (t, i)).SelectMany(x => x.t.Words.Take(WordsOfTopic).Select(w => (Word: w, Topic: x.i))).DistinctBy(x => x.Word)
            .Select(x => (x.Word, x.Topic, Vector: vectors?.Of(x.Word))).Where(x => x.Vector is not null).ToList();
        if (words.Count < Fewest)
            return [];
        var components = PrincipalComponents.Fit([.. words.Select(w => w.Vector!)], 3);
        return [.. words.Select(w => new AuditWord(w.Word, w.Topic, [.. components.Project(w.Vector!).Select(x => Math.Round(x, 4))]))];
    }

    private static Func<string, double>? Scorer(AuditOptions options)
    {
        if (options.Sentiment is not { } path)
            return null;
        var classifier = TextClassifier.Load(path);
        classifier.Probability("", options.SentimentLabel); // a class that is not there is said before anything is read
        return sentence => classifier.Probability(sentence, options.SentimentLabel);
    }

    private static string? Meta(Document document, string key) => document.Meta is { } meta && meta.TryGetValue(key, out var value) && value.Length > 0 ? value : null;

    /// <summary>The file of an origin: <c>web.jsonl.gz</c> of <c>data/web.jsonl.gz:17</c>.</summary>
    private static string FileOf(string origin)
    {
        var name = origin[(origin.LastIndexOf('/') + 1)..];
        var colon = name.LastIndexOf(':');
        return colon > 0 && name.AsSpan(colon + 1).IndexOfAnyExceptInRange('0', '9') < 0 ? name[..colon] : name;
    }

    private static bool LooksEnglish(List<string> words)
    {
        var n = words.Take(500).Count(w => w is "the" or "of" or "and" or "to" or "in" or "a" or "is" or "that");
        return n >= 0.12 * Math.Min(500, words.Count) && words.Count >= 10;
    }

    private void Vocabulary(List<string> words)
    {
        var seen = new HashSet<ulong>();
        for (var i = 0; i < words.Count; i++)
        {
            var hash = Hash64.Of(Encoding.UTF8.GetBytes(words[i]));
            _words.Add(hash);
            seen.Add(hash);
            if ((i + 1) % 1000 != 0)
                continue;
            _thousands++;
            _ratios += seen.Count / 1000.0;
            seen.Clear();
        }
    }

    private void Date(string? date)
    {
        if (date is null || date.Length < 4 || !int.TryParse(date.AsSpan(0, 4), NumberStyles.None, CultureInfo.InvariantCulture, out _))
            return;
        _dated++;
        _years[date[..4]] = _years.GetValueOrDefault(date[..4]) + 1;
        _firstDate = _firstDate.Length == 0 || string.CompareOrdinal(date, _firstDate) < 0 ? date : _firstDate;
        _lastDate = string.CompareOrdinal(date, _lastDate) > 0 ? date : _lastDate;
    }

    private void Readable(string text)
    {
        var part = text.Length > ReadableWords * 6 ? text[..(ReadableWords * 6)] : text;
        if (Analysis.Readability.FleschEase(part) is not { } ease || Analysis.Readability.FleschKincaidGrade(part) is not { } grade)
            return;
        _readable++;
        _ease += ease;
        _grade += grade;
        _easeBins[(int)Math.Clamp(Math.Floor(ease / 10) + 1, 0, _easeBins.Length - 1)]++;
    }

    private string Interned(string word)
    {
        if (_interned.TryGetValue(word, out var same))
            return same;
        if (_interned.Count < DistinctWords)
            _interned[word] = word;
        return word;
    }

    /// <summary>Documents and bytes by name. More names than are worth telling apart are counted together.</summary>
    private sealed class Shares
    {
        private const int Most = 100_000;

        private readonly Dictionary<string, (long Documents, long Bytes)> _shares = new(StringComparer.Ordinal);

        public double Effective => _shares.Count == 0 ? 0 : Math.Pow(2, Statistics.Entropy(_shares.OrderBy(s => s.Key, StringComparer.Ordinal).Select(s => (double)s.Value.Bytes)));

        public void Add(string name, long bytes)
        {
            name = _shares.Count < Most || _shares.ContainsKey(name) ? name : "others";
            var (documents, before) = _shares.GetValueOrDefault(name);
            _shares[name] = (documents + 1, before + bytes);
        }

        public IReadOnlyList<AuditShare> Report(int most)
        {
            var all = _shares.OrderByDescending(s => s.Value.Bytes).ThenBy(s => s.Key, StringComparer.Ordinal).Select(s => new AuditShare(s.Key, s.Value.Documents, s.Value.Bytes)).ToList();
            return all.Count <= most ? all : [.. all.Take(most), new AuditShare("others", all.Skip(most).Sum(s => s.Documents), all.Skip(most).Sum(s => s.Bytes))];
        }
    }
}

using Gradus.Foundation.Recipes;

namespace Gradus.Text.Data.Analysis;

/// <summary>Groups of people (or of anything) and the words that name them; with the shares they should have, if that can be said.</summary>
public sealed record GroupSet : IValidated
{
    /// <summary>Words by group, lower case. A word stands for one group only.</summary>
    public required IReadOnlyDictionary<string, IReadOnlyList<string>> Words { get; init; }

    /// <summary>The share each group should have of the documents that name any, in any unit; unset: no test is made.</summary>
    public IReadOnlyDictionary<string, double>? Reference { get; init; }

    /// <summary>What is looked at unless the user says otherwise: gender (against equal shares), and religion and age, without a reference since none is right for all.</summary>
    /// <remarks>Small lists of frequent English words that seldom mean anything else. They find imbalance; they do not prove fairness.</remarks>
    internal static IReadOnlyDictionary<string, GroupSet> Defaults { get; } = new SortedDictionary<string, GroupSet>(StringComparer.Ordinal)
    {
        ["gender"] = Set("female: she her hers herself woman women girl girls mother mothers daughter daughters sister sisters wife wives aunt aunts female females",
            "male: he him his himself man men boy boys father fathers son sons brother brothers husband husbands uncle uncles male males") with
        {
            Reference = new SortedDictionary<string, double>(StringComparer.Ordinal) { ["female"] = 1, ["male"] = 1 },
        },
        ["religion"] = Set("buddhist: buddhist buddhists buddhism", "christian: christian christians christianity church churches", "hindu: hindu hindus hinduism", "jewish: jewish jew jews judaism synagogue", "muslim: muslim muslims islam islamic mosque mosques"),
        ["age"] = Set("old: elderly aged retired pensioner pensioners grandmother grandfather grandparents senior seniors", "young: young youth youths teenager teenagers teen teens adolescent adolescents child children"),
    };

    public IEnumerable<(string Key, string Message)> Problems()
    {
        if (Words.Count < 2)
            yield return (nameof(Words), "names fewer than two groups");
        foreach (var word in Words.SelectMany(w => w.Value).GroupBy(w => w, StringComparer.Ordinal).Where(g => g.Count() > 1).Select(g => g.Key))
            yield return (nameof(Words), $"'{word}' stands twice");
        if (Reference is null)
            yield break;
        foreach (var (group, share) in Reference)
            if (!(share > 0))
                yield return (nameof(Reference), FormattableString.Invariant($"'{group}' has {share}; a share is above 0"));
        if (!Reference.Keys.ToHashSet(StringComparer.Ordinal).SetEquals(Words.Keys))
            yield return (nameof(Reference), "must name the same groups as words");
    }

    private static GroupSet Set(params string[] groups)
    {
        var words = new SortedDictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        foreach (var group in groups)
            words[group[..group.IndexOf(':', StringComparison.Ordinal)]] = group[(group.IndexOf(':', StringComparison.Ordinal) + 2)..].Split(' ');
        return new GroupSet { Words = words };
    }
}

/// <summary>Counts who is named, and how the sentences sound that name one group only.</summary>
internal sealed class GroupCounter
{
    private const int MostSentences = 200; // of a document: one book does not outweigh all

    private readonly string _name;
    private readonly GroupSet _set;
    private readonly string[] _groups;
    private readonly Dictionary<string, int> _words = new(StringComparer.Ordinal);
    private readonly long[] _documents, _mentions;
    private readonly (long N, double Sum, double Squares)[] _sentiment;
    private readonly Func<string, double>? _score;

    /// <param name="name">Of the set.</param>
    /// <param name="set">The groups.</param>
    /// <param name="score">From 0, a sentence says something bad, to 1, something good; null: not looked at.</param>
    public GroupCounter(string name, GroupSet set, Func<string, double>? score)
    {
        (_name, _set, _score) = (name, set, score);
        _groups = [.. set.Words.Keys.Order(StringComparer.Ordinal)];
        for (var g = 0; g < _groups.Length; g++)
            foreach (var word in set.Words[_groups[g]])
                _words[word.ToLowerInvariant()] = g;
        (_documents, _mentions, _sentiment) = (new long[_groups.Length], new long[_groups.Length], new (long, double, double)[_groups.Length]);
    }

    /// <summary>Adds a document.</summary>
    /// <param name="words">Its words in lower case.</param>
    /// <param name="sentences">Its sentences, asked for when needed.</param>
    public void Add(List<string> words, Func<IReadOnlyList<(string Text, List<string> Words)>> sentences)
    {
        Span<long> found = stackalloc long[_groups.Length];
        found.Clear();
        foreach (var word in words)
            if (Group(word) is { } group)
                found[group]++;
        var any = false;
        for (var g = 0; g < found.Length; g++)
        {
            _mentions[g] += found[g];
            _documents[g] += found[g] > 0 ? 1 : 0;
            any |= found[g] > 0;
        }

        if (!any || _score is null)
            return;
        var heard = 0;
        foreach (var (text, own) in sentences())
        {
            var only = Only(own);
            if (only < 0 || ++heard > MostSentences)
                continue;
            var score = _score(text);
            var (n, sum, squares) = _sentiment[only];
            _sentiment[only] = (n + 1, sum + score, squares + score * score);
        }
    }

    public AuditGroups Report()
    {
        var total = _documents.Sum();
        double[]? reference = _set.Reference is { } r ? [.. _groups.Select(g => r[g])] : null;
        var test = reference is not null && total > 0 ? Statistics.ChiSquare([.. _documents.Select(d => (double)d)], reference) : null;
        var rows = _groups.Select((g, i) =>
        {
            double? expected = reference is null ? null : total * reference[i] / reference.Sum();
            return new AuditGroup(g, _documents[i], _mentions[i], total == 0 ? 0 : _documents[i] / (double)total, expected, expected is > 0 and { } e ? (_documents[i] - e) / Math.Sqrt(e) : null);
        }).ToList();
        return new AuditGroups(_name, rows, test);
    }

    public AuditSentiment? Sentiment()
    {
        const int Fewest = 5;
        if (_score is null)
            return null;
        var rows = _groups.Select((g, i) =>
        {
            var (n, sum, squares) = _sentiment[i];
            var mean = n == 0 ? 0 : sum / n;
            var variance = n < 2 ? 0 : Math.Max(0, (squares - n * mean * mean) / (n - 1));
            return new AuditSentimentGroup(g, n, mean, n < 2 ? 0 : Math.Sqrt(variance / n));
        }).ToList();
        var enough = rows.Where(g => g.Sentences >= Fewest).ToList();
        if (enough.Count < 2)
            return new AuditSentiment(_name, rows, null, null);
        var (high, low) = (enough.MaxBy(g => g.Mean)!, enough.MinBy(g => g.Mean)!);
        var error = Math.Sqrt(high.Error * high.Error + low.Error * low.Error);
        // The two ends of several groups were chosen for being far apart: Bonferroni over the pairs.
        var pairs = enough.Count * (enough.Count - 1) / 2.0;
        var p = high.Mean == low.Mean ? 1 : error == 0 ? 0 : Math.Min(1, 2 * pairs * Statistics.NormalTail((high.Mean - low.Mean) / error));
        return new AuditSentiment(_name, rows, high.Mean - low.Mean, p);
    }

    // "her" and "her's", "women's": the word itself.
    private int? Group(string word) => _words.TryGetValue(word, out var g) || word.Length > 2 && word[^1] == 's' && word[^2] is '\'' or '’' && _words.TryGetValue(word[..^2], out g) ? g : null;

    private int Only(List<string> words)
    {
        var only = -1;
        foreach (var word in words)
        {
            if (Group(word) is not { } group)
                continue;
            if (only >= 0 && only != group)
                return -1;
            only = group;
        }

        return only;
    }
}

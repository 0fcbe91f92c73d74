using System.Globalization;

namespace Gradus.Text.Data.Analysis;

/// <summary>One thing that differs between two audits.</summary>
/// <param name="Area">Which part of the audit: <c>size</c>, <c>languages</c>, <c>groups</c> …</param>
/// <param name="Name">What.</param>
/// <param name="Before">The figure in the first.</param>
/// <param name="After">The figure in the second.</param>
public sealed record AuditChange(string Area, string Name, double Before, double After);

/// <summary>What changed from one version of a dataset to the next.</summary>
/// <param name="Changes">Every figure that is another one, in the order of the audit.</param>
/// <param name="Divergence">By what documents are divided by (sources, languages, licences, lengths): Jensen-Shannon divergence in bits, 0 the same, 1 nothing in common.</param>
public sealed record AuditDifference(IReadOnlyList<AuditChange> Changes, SortedDictionary<string, double> Divergence)
{
    /// <summary>Compares two audits.</summary>
    public static AuditDifference Of(AuditReport before, AuditReport after)
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(after);
        var changes = new List<AuditChange>();
        var (a, b) = (Figures(before), Figures(after));
        foreach (var key in a.Keys.Concat(b.Keys.Where(k => !a.ContainsKey(k))))
        {
            var (x, y) = (a.GetValueOrDefault(key), b.GetValueOrDefault(key));
            if (x != y)
                changes.Add(new AuditChange(key.Area, key.Name, x, y));
        }

        var divergence = new SortedDictionary<string, double>(StringComparer.Ordinal)
        {
            ["languages"] = Statistics.JensenShannon(Bytes(before.Languages), Bytes(after.Languages)),
            ["lengths"] = Statistics.JensenShannon(Bars(before.Lengths), Bars(after.Lengths)),
            ["licences"] = Statistics.JensenShannon(Bytes(before.Licenses), Bytes(after.Licenses)),
            ["sources"] = Statistics.JensenShannon(Bytes(before.Sources), Bytes(after.Sources)),
        };
        return new AuditDifference(changes, divergence);
    }

    private static Dictionary<string, double> Bytes(IReadOnlyList<AuditShare> shares) => shares.ToDictionary(s => s.Name, s => (double)s.Bytes, StringComparer.Ordinal);

    private static Dictionary<string, double> Bars(AuditSpread spread) => spread.Bins.ToDictionary(b => b.From.ToString("R", CultureInfo.InvariantCulture), b => (double)b.Count, StringComparer.Ordinal);

    private static Dictionary<(string Area, string Name), double> Figures(AuditReport r)
    {
        var figures = new Dictionary<(string, string), double>();
        void Add(string area, string name, double? value)
        {
            if (value is { } v)
                figures[(area, name)] = v;
        }

        Add("size", "documents", r.Documents);
        Add("size", "bytes", r.Bytes);
        Add("size", "tokens", r.Tokens);
        Add("size", "words", r.Vocabulary.Words);
        Add("size", "different words", r.Vocabulary.Distinct);
        Add("size", "exact copies", r.Duplicates.Documents);
        Add("size", "median length", r.Lengths.Median);
        Add("reading", "mean ease", r.Readability?.Ease);
        foreach (var (area, shares) in new[] { ("sources", r.Sources), ("languages", r.Languages), ("licences", r.Licenses), ("splits", r.Splits) })
            foreach (var share in shares)
                Add(area, share.Name, share.Documents);
        foreach (var rule in r.Preparation?.Rules ?? [])
            Add("left out", $"{rule.Step}: {rule.Rule}", rule.Documents);
        foreach (var set in r.Groups)
        {
            foreach (var group in set.Groups)
                Add("groups", $"{set.Name}: {group.Name}", group.Share);
            Add("groups", $"{set.Name}: effect", set.Test?.Effect);
        }

        foreach (var set in r.Sentiment)
            Add("sentiment", $"{set.Name}: gap", set.Gap);
        foreach (var test in r.Associations)
            Add("associations", test.Name, test.Effect);
        foreach (var (kind, count) in r.Private.Kinds)
            Add("private data", kind, count);
        return figures;
    }
}

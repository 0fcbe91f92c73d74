using System.Text;
using Gradus.Text.Data.Augmentation;
using Gradus.Text.Data.Pipeline;

namespace Gradus.Text.Data.Mixing;

/// <summary>What a mixture came to, for <c>report.json</c>.</summary>
/// <param name="Documents">Documents of all splits, copies included.</param>
/// <param name="Groups">By group: what there was of the training split, and what is in the mixture.</param>
public sealed record MixReport(long Documents, SortedDictionary<string, MixGroup> Groups);

/// <summary>
/// The documents of finished parts in the order of a mixture: the training split mixed, then the others as they came. Keeps some 20 bytes a
/// document in memory; texts stay on disk and are read when their turn comes.
/// </summary>
internal sealed class MixedDocuments(MixOptions options, SplitOptions split, IReadOnlyList<(string Folder, string Source)> parts)
{
    private const int MostOpen = 256;

    /// <summary>What the last <see cref="Read"/> came to; null before its end.</summary>
    public MixReport? Report { get; private set; }

    public IEnumerable<Document> Read()
    {
        var (scores, mixture) = (new DifficultyScores(options), new Mixture(options));
        if (scores.NeedsCounts)
            foreach (var (document, _, _) in All())
                if (SplitOf(document) == DataSplit.Train)
                    scores.Count(document.Utf8.Span);
        var (places, others) = (new List<long>(), new List<long>());
        foreach (var (document, part, place) in All())
        {
            if (SplitOf(document) != DataSplit.Train)
            {
                others.Add(place);
                continue;
            }

            places.Add(place);
            mixture.Add(GroupOf(document, part), document.Utf8.Length, scores.Of(document.Utf8.Span));
        }

        using var store = new Store(parts);
        var changes = options.Augment.Select(a => a.Build()).ToArray();
        var written = 0L;
        foreach (var (number, copy) in mixture.Order())
        {
            written++;
            // A changed text must stay in the split of the one it was.
            var document = store.Read(places[(int)number]) with { Split = DataSplit.Train };
            yield return copy == 0 || changes.Length == 0 ? document : Changed(document, copy, changes);
        }

        foreach (var place in others)
        {
            written++;
            var document = store.Read(place);
            yield return document with { Split = SplitOf(document) };
        }

        Report = new MixReport(written, mixture.Report);
    }

    private DataSplit SplitOf(Document document) => document.Split ?? split.Of(document.Utf8.Span);

    private string GroupOf(Document document, int part) => options.By == MetaKeys.Source ? parts[part].Source
        : document.Meta is { } meta && meta.TryGetValue(options.By, out var group) && group.Length > 0 ? group : "unknown";

    private Document Changed(Document document, int copy, ITextChange[] changes)
    {
        var draws = new Draws(document.Utf8.Span, options.Seed, copy);
        var text = changes.Aggregate(Encoding.UTF8.GetString(document.Utf8.Span), (t, change) => change.Apply(t, draws));
        return string.IsNullOrWhiteSpace(text) ? document : document with { Utf8 = Encoding.UTF8.GetBytes(text) };
    }

    private IEnumerable<(Document Document, int Part, long Place)> All()
    {
        for (var p = 0; p < parts.Count; p++)
        {
            using var reader = new DocumentReader(parts[p].Folder);
            var ordinal = 0L;
            foreach (var document in reader.Read())
                yield return (document, p, ((long)p << 40) | ordinal++);
        }
    }

    /// <summary>Reads single documents; keeps some files open.</summary>
    private sealed class Store(IReadOnlyList<(string Folder, string Source)> parts) : IDisposable
    {
        private readonly DocumentReader?[] _readers = new DocumentReader?[parts.Count];
        private readonly Queue<int> _open = new();

        public Document Read(long place)
        {
            var part = (int)(place >> 40);
            if (_readers[part] is not { } reader)
            {
                if (_open.Count == MostOpen)
                {
                    var oldest = _open.Dequeue();
                    _readers[oldest]!.Dispose();
                    _readers[oldest] = null;
                }

                _readers[part] = reader = new DocumentReader(parts[part].Folder);
                _open.Enqueue(part);
            }

            return reader.Read(place & ((1L << 40) - 1));
        }

        public void Dispose()
        {
            foreach (var reader in _readers)
                reader?.Dispose();
        }
    }
}

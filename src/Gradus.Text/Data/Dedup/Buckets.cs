using Gradus.Text.Data.Pipeline;

namespace Gradus.Text.Data.Dedup;

/// <summary>What follows a locality-sensitive hash: documents of one bucket are candidates, those really alike become clusters, and of each cluster the first document stands for all.</summary>
internal static class Buckets
{
    private const int MaxRepresentatives = 16;

    /// <summary>Joins what is alike. A bucket's documents are compared with those that began a cluster in it, not all with all: a bucket can be any size.</summary>
    /// <param name="input">All documents.</param>
    /// <param name="entries">Sorted: one document after the other of each bucket, the bucket being the key.</param>
    /// <param name="clusters">Where they are joined.</param>
    /// <param name="areAlike">The exact comparison.</param>
    public static (long Candidates, long Confirmed) Join(GlobalInput input, IEnumerable<IndexEntry> entries, Clusters clusters, Func<long, long, bool> areAlike)
    {
        var (candidates, confirmed, seen, any) = (0L, 0L, 0L, false);
        var representatives = new List<long>();
        IndexEntry key = default;
        foreach (var entry in entries)
        {
            if ((++seen & 0xFFF) == 0)
                input.Cancel.ThrowIfCancellationRequested();
            var document = input.Global(entry.Partition, entry.Ordinal);
            if (!any || !entry.HasKeyOf(key))
            {
                (key, any) = (entry, true);
                representatives.Clear();
                representatives.Add(document);
                continue;
            }

            var joined = false;
            foreach (var representative in representatives)
            {
                if (clusters.Find(representative) == clusters.Find(document))
                {
                    joined = true;
                    break;
                }

                candidates++;
                if (!areAlike(representative, document))
                    continue;
                confirmed++;
                clusters.Join(representative, document);
                joined = true;
                break;
            }

            if (!joined && representatives.Count < MaxRepresentatives)
                representatives.Add(document);
        }

        return (candidates, confirmed);
    }

    /// <summary>Says of every document but the first of each cluster what becomes of it.</summary>
    public static void Write(GlobalInput input, Clusters clusters, NearAction action, DecisionWriter output)
    {
        var (together, found) = (0L, 0L);
        for (var document = 0L; document < input.Documents; document++)
        {
            var first = clusters.Find(document);
            if (first == document)
                continue;
            together++;
            found += clusters.Mark(first) ? 1 : 0;
            var (partition, ordinal) = input.Local(document);
            var (keptPartition, keptOrdinal) = input.Local(first);
            if (action == NearAction.Drop)
                output.Drop(partition, ordinal, keptPartition, keptOrdinal);
            else
                output.KeepTogether(partition, ordinal, keptPartition, keptOrdinal);
        }

        output.Note("clusters", found);
        output.Note("copies", together);
    }
}

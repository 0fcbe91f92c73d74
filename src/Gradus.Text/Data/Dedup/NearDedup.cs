using Gradus.Foundation.Kernels;
using Gradus.Foundation.Recipes;
using Gradus.Text.Data.Pipeline;
using Gradus.Text.Data.Steps;

namespace Gradus.Text.Data.Dedup;

/// <summary>What becomes of documents that are nearly equal.</summary>
public enum NearAction
{
    /// <summary>The first stays, the others go.</summary>
    Drop,

    /// <summary>All stay, and all in one split: that of the first.</summary>
    KeepTogether,
}

/// <summary>
/// Near-duplicates by MinHash and locality-sensitive hashing (Broder, 1997; 14 bands of 8 over word 5-grams, as for FineWeb). Candidates
/// share all numbers of a band; each is then compared exactly, n-gram set with n-gram set, and what is similar enough becomes one cluster.
/// </summary>
/// <remarks>
/// Two documents of Jaccard similarity s are candidates with probability 1 − (1 − s^rows)^bands: 0.92 at 0.8, 0.985 at 0.85, 0.9997 at 0.9.
/// Memory: a bounded cache of sets, and four bytes a document in a file that is mapped.
/// </remarks>
[Component("near-dedup")]
public sealed record NearDedup : GlobalStep
{
    /// <summary>Words in an n-gram.</summary>
    [AtLeast(1)]
    [AtMost(64)]
    public int NGram { get; init; } = 5;

    /// <summary>Bands; more find more.</summary>
    [AtLeast(1)]
    [AtMost(256)]
    public int Bands { get; init; } = 14;

    /// <summary>Numbers that must agree in a band; more find less.</summary>
    [AtLeast(1)]
    [AtMost(64)]
    public int Rows { get; init; } = 8;

    /// <summary>Least Jaccard similarity of near-duplicates; 0: every candidate is one, unseen (as FineWeb did).</summary>
    [AtLeast(0)]
    [AtMost(1)]
    public double Similarity { get; init; } = 0.8;

    /// <summary>What becomes of them.</summary>
    public NearAction Action { get; init; }

    /// <summary>Of the hash functions.</summary>
    [AtLeast(0)]
    public long Seed { get; init; } = 1;

    internal override string Rule => Action == NearAction.Drop ? "near-duplicate" : "kept-together";

    internal override IIndexer BuildIndexer() => new Indexer(this);

    internal override void Decide(GlobalInput input, DecisionWriter output)
    {
        using var clusters = new Clusters(Path.Combine(input.Scratch, "clusters"), input.Documents);
        var sets = new SetCache(input, NGram);
        var (candidates, confirmed) = Buckets.Join(input, input.Entries(), clusters, (a, b) => Similarity == 0 || Shingles.Jaccard(sets.Of(a), sets.Of(b)) >= Similarity);
        output.Note("candidates", candidates);
        output.Note("confirmed", confirmed);
        Buckets.Write(input, clusters, Action, output);
    }

    private sealed class Indexer(NearDedup o) : IIndexer
    {
        private readonly Shingles _shingles = new(o.NGram);
        private readonly MinHashKernel _kernel = new(o.Bands * o.Rows, (ulong)o.Seed);
        private readonly uint[] _signature = new uint[o.Bands * o.Rows];

        public void Index(Draft draft, List<IndexEntry> entries)
        {
            var hashes = _shingles.Of(draft.Text);
            if (hashes.IsEmpty)
                return;
            _kernel.Sign(hashes, _signature);
            for (var band = 0; band < o.Bands; band++)
            {
                var rows = System.Runtime.InteropServices.MemoryMarshal.AsBytes(_signature.AsSpan(band * o.Rows, o.Rows));
                entries.Add(new IndexEntry(Hash64.Of(rows, (ulong)band), (ulong)band << 48 | Hash64.Of(rows, ~(ulong)band) >> 16, 0, 0, 0, 0));
            }
        }
    }
}

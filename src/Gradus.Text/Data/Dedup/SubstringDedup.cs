using Gradus.Foundation.Recipes;
using Gradus.Text.Data.Pipeline;
using Gradus.Text.Data.Steps;

namespace Gradus.Text.Data.Dedup;

/// <summary>
/// Cuts out text that stood word for word before, anywhere in the documents (Lee et al., 2022, "Deduplicating training data makes language
/// models better"): every run of at least <c>length</c> bytes whose every window of that length occurred earlier.
/// </summary>
/// <remarks>
/// Suffix arrays of pieces of the text are merged on disk: memory is about ten times <c>chunk_bytes</c>, whatever the input; disk about five
/// times the text while it works. The published lengths are 50 tokens or 100 bytes.
/// </remarks>
[Component("substring-dedup")]
public sealed record SubstringDedup : GlobalStep
{
    /// <summary>Bytes of text that count as a copy.</summary>
    [AtLeast(16)]
    [AtMost(100_000)]
    public int Length { get; init; } = 100;

    /// <summary>Text that is sorted at once.</summary>
    [AtLeast(1)]
    [AtMost(1 << 28)]
    public int ChunkBytes { get; init; } = 16 << 20;

    internal override string Rule => "duplicate-substring";

    internal override IIndexer BuildIndexer() => new Nothing();

    internal override void Decide(GlobalInput input, DecisionWriter output)
    {
        using var text = new MappedText(input, Length);
        var files = new List<string>();
        var (chunk, size) = (0L, 0L);
        for (var document = 0L; document < text.Documents; document++)
        {
            size = text.End(document) - text.Start(chunk);
            if (size < ChunkBytes && document + 1 < text.Documents)
                continue;
            input.Cancel.ThrowIfCancellationRequested();
            files.Add(SortedPositions.Write(Path.Combine(input.Scratch, FormattableString.Invariant($"suffixes-{files.Count}")), text, text.Start(chunk), text.End(document)));
            chunk = document + 1;
            // The sorted piece was some ten times its bytes; the next needs as much, and the collector would let several stand side by side.
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        }

        long windows = 0;
        foreach (var position in SortedPositions.Repeated(files, text, input.Cancel))
        {
            text.Mark(position);
            windows++;
        }

        var (ranges, bytes) = (0L, 0L);
        for (var document = 0L; document < text.Documents; document++)
        {
            var (partition, ordinal) = input.Local(document);
            foreach (var (start, length) in text.MarkedRanges(document))
            {
                output.Cut(partition, ordinal, start, length, Decision.Nobody, Decision.Nobody);
                (ranges, bytes) = (ranges + 1, bytes + length);
            }
        }

        output.Note("bytes", bytes);
        output.Note("ranges", ranges);
        output.Note("windows", windows);
    }

    /// <summary>The decision reads the documents themselves.</summary>
    private sealed class Nothing : IIndexer
    {
        public void Index(Draft draft, List<IndexEntry> entries)
        {
        }
    }
}

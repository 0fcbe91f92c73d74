using Gradus.Foundation.Recipes;
using Gradus.Text.Data.Mixing;
using Gradus.Text.Data.Sources;
using Gradus.Text.Data.Steps;

namespace Gradus.Text.Data;

/// <summary>The <c>data</c> section of a recipe: which documents, what is done to them, and how they are split.</summary>
public sealed record DataOptions
{
    /// <summary>Read one after the other.</summary>
    public required IReadOnlyList<SourceOptions> Sources { get; init; }

    /// <summary>What is done to the documents, in order; nothing when empty.</summary>
    public IReadOnlyList<DataStep> Steps { get; init; } = [];

    /// <summary>How the training documents are mixed and ordered; unset: as the sources come.</summary>
    public MixOptions? Mix { get; init; }

    /// <summary>Training, validation and test shares.</summary>
    public SplitOptions Split { get; init; } = new();

    /// <summary>Tokens a shard file; the last one is shorter.</summary>
    [AtLeast(1)]
    public long TokensPerShard { get; init; } = 1L << 27;

    /// <summary>With steps: neighbouring files are worked on together until they have this many bytes on disk. What is done at once, and again after a kill; the result does not depend on it.</summary>
    [AtLeast(1)]
    public long PartitionBytes { get; init; } = 64L << 20;

    /// <summary>How a text dataset is written.</summary>
    public TextOutputOptions Output { get; init; } = new();

    /// <summary>All documents with the split each belongs to, in source order. Only without steps and mixture: those need a working folder (<see cref="Pipeline.PreparedDocuments"/>).</summary>
    public IEnumerable<Document> Read(SourceReport report)
    {
        if (Steps.Count > 0 || Mix is not null)
            throw new InvalidOperationException("documents with steps or a mixture are read through PreparedDocuments");
        foreach (var source in Sources)
            foreach (var document in source.Read(report))
                yield return document.Split is null ? document with { Split = Split.Of(document.Utf8.Span) } : document;
    }

    /// <summary>The documents of one split: what a tokenizer is trained on.</summary>
    public IEnumerable<Document> Read(DataSplit split, SourceReport? report = null) => Read(report ?? new SourceReport()).Where(d => d.Split == split);
}

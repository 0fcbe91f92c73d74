using Gradus.Foundation.Recipes;

namespace Gradus.Text.Data;

/// <summary>The <c>data</c> section of a recipe: which documents, and how they are split.</summary>
public sealed record DataOptions
{
    /// <summary>Read one after the other.</summary>
    public required IReadOnlyList<SourceOptions> Sources { get; init; }

    /// <summary>Training, validation and test shares.</summary>
    public SplitOptions Split { get; init; } = new();

    /// <summary>Tokens a shard file; the last one is shorter.</summary>
    [AtLeast(1)]
    public long TokensPerShard { get; init; } = 1L << 27;

    /// <summary>All documents with the split each belongs to, in source order.</summary>
    public IEnumerable<Document> Read(SourceReport report)
    {
        foreach (var source in Sources)
            foreach (var document in source.Read(report))
                yield return document.Split is null ? document with { Split = Split.Of(document.Utf8.Span) } : document;
    }

    /// <summary>The documents of one split: what a tokenizer is trained on.</summary>
    public IEnumerable<Document> Read(DataSplit split, SourceReport? report = null) => Read(report ?? new SourceReport()).Where(d => d.Split == split);
}

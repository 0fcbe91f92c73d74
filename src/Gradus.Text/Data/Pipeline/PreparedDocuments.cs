using Gradus.Foundation.Files;
using Gradus.Text.Data.Mixing;
using Gradus.Text.Data.Sources;

namespace Gradus.Text.Data.Pipeline;

/// <summary>
/// The documents of a data section after its steps. Without steps they come straight from the sources; with steps the pipeline has run in
/// a working folder, which also makes the next run (after a kill, or with other options further down) start where this one was.
/// </summary>
public sealed class PreparedDocuments
{
    private readonly DataPipeline? _pipeline;
    private readonly MixedDocuments? _mixed;
    private SourceReport _read = new();

    private PreparedDocuments(DataPlan plan, DataPipeline? pipeline)
    {
        (Plan, _pipeline) = (plan, pipeline);
        if (plan.Options.Mix is { } mix)
            _mixed = new MixedDocuments(mix, plan.Options.Split, pipeline!.Parts());
    }

    internal DataPlan Plan { get; }

    /// <summary>Runs what steps there are, as far as that was not done before.</summary>
    /// <param name="options">The data section.</param>
    /// <param name="work">The working folder; not touched when there are no steps.</param>
    /// <param name="run">Threads, progress, cancellation.</param>
    /// <exception cref="UserException">Bad sources or steps, or a source that changes while it is read.</exception>
    public static PreparedDocuments Open(DataOptions options, string work, PrepareRun? run = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        return Open(DataPlan.Make(options), work, run ?? new PrepareRun(), merge: false);
    }

    /// <summary>The documents of one split after the steps: what a tokenizer is trained on.</summary>
    public static IEnumerable<Document> ReadSplit(DataOptions options, DataSplit split, string work, PrepareRun? run = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options is { Steps.Count: 0, Mix: null } ? options.Read(split) : Open(options, work, run).Read().Where(d => d.Split == split);
    }

    /// <summary>Finishes the working folder that shards have filled, beside what is to be made in <paramref name="folder"/>.</summary>
    /// <exception cref="UserException">A shard has not finished.</exception>
    public static void Merge(DataOptions options, string folder, PrepareRun run)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(run);
        Open(DataPlan.Make(options), PreparedData.WorkOf(folder, run), run, merge: true);
    }

    /// <summary>All documents in the order of the sources or of the mixture, each with its split.</summary>
    public IEnumerable<Document> Read()
    {
        foreach (var document in ReadRaw())
            yield return document.Split is null ? document with { Split = Plan.Options.Split.Of(document.Utf8.Span) } : document;
    }

    /// <summary>The counts, proven to add up. Without steps they are those of the last <see cref="Read"/>.</summary>
    public DataReport Report() => _pipeline is not null ? _pipeline.Report() with { Mix = _mixed?.Report } : new DataReport
    {
        Read = _read.Documents, Sources = ReadCounts.Of(_read), Steps = [], Kept = _read.Documents, KeptBytes = _read.Bytes, Notes = new(StringComparer.Ordinal),
    };

    internal static PreparedDocuments Open(DataPlan plan, string work, PrepareRun run, bool merge)
    {
        if (plan.IsPlain)
            return new PreparedDocuments(plan, null);
        var pipeline = new DataPipeline(plan, work, run);
        if (merge)
            pipeline.Merge();
        else
            pipeline.Run();
        return new PreparedDocuments(plan, pipeline);
    }

    /// <summary>As <see cref="Read"/>, but the split is not asked for where the source has not set it.</summary>
    internal IEnumerable<Document> ReadRaw() => _mixed?.Read() ?? _pipeline?.Read() ?? Plan.Options.Sources.SelectMany(s => s.Read(_read));

    /// <summary>Without steps the records that cannot be used are met while reading; they go here.</summary>
    internal void QuarantineTo(QuarantineFile? file) => _read = new SourceReport { Quarantine = file };

    /// <summary>With steps the parts know what was dropped and what could not be used: their files, one after the other. Nothing is made of nothing.</summary>
    internal void Collect(string name, string folder)
    {
        FileStream? all = null;
        try
        {
            foreach (var path in _pipeline?.FilesOf(name) ?? [])
            {
                all ??= new FileStream(Path.Combine(folder, name), FileMode.CreateNew, FileAccess.Write);
                using var part = new FileStream(path, FileMode.Open, FileAccess.Read);
                part.CopyTo(all);
            }
        }
        finally
        {
            all?.Dispose();
        }
    }

    internal void Prune() => _pipeline?.Prune();
}

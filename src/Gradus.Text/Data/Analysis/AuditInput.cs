using Gradus.Foundation.Files;
using Gradus.Text.Data.Pipeline;
using Gradus.Text.Data.Sources;

namespace Gradus.Text.Data.Analysis;

/// <summary>What an audit reads: documents, and the counts of their preparation where there was one.</summary>
public sealed class AuditInput
{
    private readonly Func<AuditPreparation?> _preparation;

    private AuditInput(IEnumerable<Document> documents, Func<AuditPreparation?> preparation) => (Documents, _preparation) = (documents, preparation);

    /// <summary>The documents, in order.</summary>
    public IEnumerable<Document> Documents { get; }

    /// <summary>The counts; asked for when the documents have been read.</summary>
    public AuditPreparation? Preparation() => _preparation();

    /// <summary>A folder that <c>gradus data prepare</c> made without a tokenizer, or files, folders and globs.</summary>
    /// <exception cref="UserException">A folder of tokens, or nothing to read.</exception>
    public static AuditInput Open(IReadOnlyList<string> paths)
    {
        ArgumentNullException.ThrowIfNull(paths);
        if (paths is [var folder] && File.Exists(Path.Combine(folder, DataReport.FileName)) && TextFolders(folder) is { Count: > 0 } splits)
            return new AuditInput(splits.SelectMany(s => Prepared(folder, s)), () => Counts(StrictJson.Read<DataReport>(File.ReadAllBytes(Path.Combine(folder, DataReport.FileName)), Path.Combine(folder, DataReport.FileName))));
        if (paths is [var tokens] && File.Exists(Path.Combine(tokens, "dataset.json")))
            throw new UserException($"{tokens}: holds tokens, not texts. Prepare without --tokenizer, and audit that.");
        return Of(paths.SelectMany(SourceOptions.AllFromPath));
    }

    /// <summary>The sources of a data section; its steps are not run.</summary>
    public static AuditInput Of(IEnumerable<SourceOptions> sources)
    {
        ArgumentNullException.ThrowIfNull(sources);
        var report = new SourceReport();
        return new AuditInput(sources.SelectMany(s => s.Read(report)), () => new AuditPreparation(report.Documents, report.Skipped, report.Documents, []));
    }

    /// <summary>The documents that came through a data section's steps.</summary>
    public static AuditInput Of(PreparedDocuments prepared)
    {
        ArgumentNullException.ThrowIfNull(prepared);
        return new AuditInput(prepared.Read(), () => Counts(prepared.Report()));
    }

    private static List<DataSplit> TextFolders(string folder) => [.. Enum.GetValues<DataSplit>().Where(s => Directory.Exists(SplitOf(folder, s)) && Directory.EnumerateFiles(SplitOf(folder, s), "shard-*.jsonl*").Any())];

    private static string SplitOf(string folder, DataSplit split) => Path.Combine(folder, split.ToString().ToLowerInvariant());

    /// <summary>The rows of a split. Their own origin is kept, so that examples can be found again.</summary>
    private static IEnumerable<Document> Prepared(string folder, DataSplit split) =>
        new JsonlSource { Path = SplitOf(folder, split), Field = "text", Keep = ["origin"], Split = split }.Read(new SourceReport())
            .Select(d => d.Meta is { } meta && meta.TryGetValue("origin", out var origin) ? d with { Origin = origin } : d);

    private static AuditPreparation Counts(DataReport report) => new(report.Read, report.Sources.Skipped, report.Kept,
        [.. report.Steps.SelectMany(s => s.Rules.Select(r => new AuditExclusion(s.Step, r.Key, r.Value.Documents, r.Value.Bytes, r.Value.Edits, [.. r.Value.Examples.Select(e => new AuditExample(e.Origin, e.Text, e.Detail))])))]);
}

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

    /// <summary>A folder that was prepared, or files, folders and globs.</summary>
    public static AuditInput Open(IReadOnlyList<string> paths)
    {
        ArgumentNullException.ThrowIfNull(paths);
        return new AuditInput(paths.SelectMany(SourceOptions.AllFromPath).SelectMany(s => s.Read(new SourceReport())), () => null);
    }
}

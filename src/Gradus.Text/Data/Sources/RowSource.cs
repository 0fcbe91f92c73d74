namespace Gradus.Text.Data.Sources;

/// <summary>A source whose files are rows of named fields; one field is the document's text, the usual others its metadata.</summary>
public abstract record RowSource : SourceOptions
{
    /// <summary>
    /// The field that holds the text; dots step into objects (<c>meta.body</c>). Null takes the first row's <c>text</c>, <c>content</c>,
    /// <c>body</c>, <c>document</c>, <c>raw_content</c>, <c>article</c>, <c>passage</c>, <c>story</c>, <c>sentence</c>, <c>review</c> or <c>abstract</c>.
    /// </summary>
    public string? Field { get; init; }

    /// <summary>Fields kept as metadata beside the usual ones (url, date, title, author, license, language, source, id, score and their known spellings).</summary>
    public IReadOnlyList<string> Keep { get; init; } = [];

    /// <summary>The rows of one file, in order.</summary>
    protected internal abstract IEnumerable<SourceRow> Rows(SourceFile file);

    /// <summary>The rows of one of the <see cref="SourceOptions.Files"/>.</summary>
    public IEnumerable<SourceRow> ReadRows(string path, SourceReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        foreach (var row in Opened(path, report, Rows))
            yield return row;
        report.Files++;
    }

    /// <summary>What <paramref name="make"/> takes from the rows of one file, counted as documents.</summary>
    internal IEnumerable<T> ReadRows<T>(string path, SourceReport report, Func<SourceRow, SourceFile, IReadOnlyList<T>> make)
    {
        var before = report.Documents;
        foreach (var item in Opened(path, report, file => Rows(file).SelectMany(row => make(row, file))))
        {
            report.Documents++;
            yield return item;
        }

        report.Files++;
        if (report.Documents == before)
            report.EmptyFiles++;
    }

    /// <inheritdoc/>
    protected sealed override IEnumerable<Document> ReadFile(SourceFile file)
    {
        RowText? reader = null;
        foreach (var row in Rows(file))
        {
            reader ??= new RowText(Field ?? RowText.GuessField(row.Json.Span), Keep);
            var (text, meta, why) = reader.Read(row.Json.Span);
            if (text is null)
                file.Bad(row.Place, why, row.Offset, row.Json.Span);
            else if (text.Length == 0)
                file.Report.Empty++;
            else
                yield return new Document(text, row.Place, Meta: meta);
        }
    }
}

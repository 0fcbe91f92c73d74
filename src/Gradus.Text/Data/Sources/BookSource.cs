using System.Text;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Data.Sources;

/// <summary>Plain books: Project Gutenberg's header and licence are cut away, and title, author, language and date read from them.</summary>
[Component("book")]
public sealed record BookSource : SourceOptions
{
    private static readonly string[] s_starts = ["*** START OF TH", "***START OF TH", "*END*THE SMALL PRINT", "*END THE SMALL PRINT"];
    private static readonly string[] s_ends = ["*** END OF TH", "***END OF TH", "End of the Project Gutenberg", "End of Project Gutenberg", "End of The Project Gutenberg"];

    /// <summary>What a document is: the book, a passage, a paragraph or a line. Places then count from the book's own first line.</summary>
    public TextUnit Documents { get; init; } = TextUnit.File;

    /// <summary>Join the lines of each paragraph: books are often broken at 70 letters.</summary>
    public bool JoinLines { get; init; }

    protected internal override IReadOnlyList<string> FileEndings => [".txt"];

    protected internal override bool ClaimsByName => false;

    // At the beginning, or where the header ends: other texts mention the name too.
    protected internal override bool Recognises(ReadOnlySpan<byte> head)
    {
        var start = (head.StartsWith("\uFEFF"u8) ? head[3..] : head).TrimStart(" \r\n*"u8);
        return start.StartsWith("The Project Gutenberg"u8) || start.StartsWith("Project Gutenberg"u8) || (head.IndexOf("\n*** START OF TH"u8) >= 0 && head.IndexOf("Gutenberg"u8) >= 0);
    }

    protected override IEnumerable<Document> ReadFile(SourceFile file)
    {
        if (file.ReadWhole() is not { } bytes)
            yield break;
        var start = bytes.Span.StartsWith("\uFEFF"u8) ? 3 : 0;
        if (file.Utf8Text(bytes.Span[start..], file.Name, start) is not { } utf8)
            yield break;
        var meta = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var body = Body(Encoding.UTF8.GetString(utf8).ReplaceLineEndings("\n"), meta);
        if (JoinLines)
            body = Joined(body);
        if (body.Length == 0)
            file.Report.Empty++;
        else if (Documents == TextUnit.File)
            yield return new Document(Encoding.UTF8.GetBytes(body), file.Name, Meta: meta);
        else
            foreach (var part in new TextSource { Path = Path, Documents = Documents }.Cut(new SourceFile(this, file.Name, null, new MemoryStream(Encoding.UTF8.GetBytes(body)), file.Report)))
                yield return part with { Meta = meta };
    }

    /// <summary>What stands between the marks; all of it when there are none.</summary>
    private static string Body(string text, SortedDictionary<string, string> meta)
    {
        var (from, to) = (0, text.Length);
        var mark = First(text, s_starts, 0);
        if (mark >= 0)
        {
            ReadHeader(text[..mark], meta);
            from = text.IndexOf('\n', mark) is >= 0 and var line ? line + 1 : text.Length;
        }

        var end = First(text, s_ends, from);
        if (end >= 0)
            to = end;
        if (mark >= 0 || end >= 0)
            meta.TryAdd(MetaKeys.Source, "Project Gutenberg");
        return text[from..to].Trim('\n', ' ', '\r', '\t');
    }

    private static int First(string text, string[] marks, int from)
    {
        var first = -1;
        foreach (var mark in marks)
        {
            var at = text.IndexOf(mark, from, StringComparison.OrdinalIgnoreCase);
            if (at >= 0 && (first < 0 || at < first) && (at == 0 || text[at - 1] == '\n'))
                first = at;
        }

        return first;
    }

    private static void ReadHeader(string header, SortedDictionary<string, string> meta)
    {
        foreach (var line in header.Split('\n'))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0 || line[(colon + 1)..].Trim() is not { Length: > 0 } value)
                continue;
            switch (line[..colon].Trim())
            {
                case "Title": meta.TryAdd(MetaKeys.Title, value); break;
                case "Author": meta.TryAdd(MetaKeys.Author, value); break;
                case "Language": meta.TryAdd(MetaKeys.Language, Languages.Bcp47(value)); break;
                case "Release Date" or "Release date":
                    var open = value.IndexOf('[', StringComparison.Ordinal);
                    if (IsoDate.Of(open > 0 ? value[..open] : value) is { } date)
                        meta.TryAdd(MetaKeys.Date, date);
                    if (open > 0 && value.IndexOf('#', open) is > 0 and var number)
                        meta.TryAdd(MetaKeys.Id, value[(number + 1)..].TrimEnd(']', ' '));
                    break;
            }
        }
    }

    private static string Joined(string text)
    {
        var joined = new StringBuilder(text.Length);
        foreach (var paragraph in text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries))
        {
            // Verse and tables stand in short or indented lines, which mean something.
            var lines = paragraph.Split('\n');
            var prose = lines.Length == 1 || (lines[..^1].Average(l => l.Length) > 50 && !lines.Any(l => l.StartsWith("  ", StringComparison.Ordinal)));
            joined.Append(joined.Length > 0 ? "\n\n" : "").Append(prose ? string.Join(' ', lines.Select(l => l.Trim())) : paragraph.Trim('\n'));
        }

        return joined.ToString();
    }
}

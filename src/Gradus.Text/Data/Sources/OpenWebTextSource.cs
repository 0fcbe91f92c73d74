using Gradus.Foundation.Recipes;

namespace Gradus.Text.Data.Sources;

/// <summary>
/// OpenWebText's layout: tar archives (<c>urlsf_subset00-1_data.xz</c>, alone or once more inside a tar) of text files, a page each, whose
/// numbers are their ids. Folders of the unpacked files work too.
/// </summary>
[Component("openwebtext")]
public sealed record OpenWebTextSource : SourceOptions
{
    protected internal override IReadOnlyList<string> FileEndings => [".txt", "_data"];

    protected internal override bool ClaimsByName => false;

    protected override int ArchiveDepth => 2;

    protected internal override bool RecognisesName(string name) => name.StartsWith("urlsf_subset", StringComparison.Ordinal) && name.Contains("_data", StringComparison.Ordinal);

    protected internal override bool RecognisesFolder(string path) => Directory.EnumerateFiles(path).Take(1000).Any(f => RecognisesName(System.IO.Path.GetFileName(f)));

    protected override IEnumerable<Document> ReadFile(SourceFile file)
    {
        if (file.ReadWhole() is not { } bytes)
            yield break;
        var start = bytes.Span.StartsWith("\uFEFF"u8) ? 3 : 0;
        if (bytes.Span[start..].IndexOfAnyExcept(" \t\r\n"u8) < 0)
            file.Report.Empty++;
        else if (file.Utf8Text(bytes.Span[start..], file.Name, start) is { } text)
            yield return new Document(text, file.Name, Meta: Meta(file.Name));
    }

    /// <summary><c>0000123-f3a9….txt</c>: the number of the page in its subset, and a hash.</summary>
    private static SortedDictionary<string, string> Meta(string name)
    {
        var stem = System.IO.Path.GetFileNameWithoutExtension(name[(name.LastIndexOf('!') + 1)..]);
        return new(StringComparer.Ordinal) { [MetaKeys.Source] = "openwebtext", [MetaKeys.Id] = stem };
    }
}

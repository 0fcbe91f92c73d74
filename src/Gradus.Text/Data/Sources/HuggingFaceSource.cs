using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;
using Gradus.Text.Data.Compression;

namespace Gradus.Text.Data.Sources;

/// <summary>
/// A Hugging Face dataset on disk: what <c>save_to_disk</c> writes (Arrow files, a folder a split) or what a repository holds (Parquet,
/// jsonl or csv under <c>data/</c>, a name a split).
/// </summary>
[Component("huggingface")]
public sealed record HuggingFaceSource : RowSource
{
    private static readonly RowSource[] s_formats = [new ArrowSource { Path = "" }, new ParquetSource { Path = "" }, new JsonlSource { Path = "" }, new CsvSource { Path = "" }, new JsonSource { Path = "" }];

    /// <summary>The split that is read: <c>train</c>, <c>validation</c>, <c>test</c> …; null reads all.</summary>
    public string? Subset { get; init; }

    protected internal override IReadOnlyList<string> FileEndings => [.. s_formats.SelectMany(f => f.FileEndings).Distinct()];

    protected internal override bool ClaimsByName => false;

    protected override bool ReadsPath => true;

    protected internal override bool RecognisesFolder(string path) =>
        File.Exists(System.IO.Path.Combine(path, "dataset_dict.json")) || File.Exists(System.IO.Path.Combine(path, "dataset_info.json")) || File.Exists(System.IO.Path.Combine(path, "state.json"));

    /// <inheritdoc/>
    public override IReadOnlyList<string> Files()
    {
        var all = SourceFiles.Find(Path, FileEndings).Where(f => !IsAbout(f) && (Subset is null || IsSubset(f))).ToList();
        // One format a dataset: a repository may hold the same rows twice.
        foreach (var format in s_formats)
            if (all.Where(f => SourceFiles.HasEnding(f, format.FileEndings)).ToList() is { Count: > 0 } files)
                return files;
        throw new UserException(Subset is null ? $"{Path}: the folder holds no Arrow, Parquet, jsonl, csv or json file of rows." : $"{Path}: no file belongs to the split '{Subset}'.");
    }

    protected internal override IEnumerable<SourceRow> Rows(SourceFile file)
    {
        var format = s_formats.First(f => SourceFiles.HasEnding(file.Path!, f.FileEndings)) with { Path = file.Path!, BadRecords = BadRecords, BadUtf8 = BadUtf8, MaxRecordBytes = MaxRecordBytes };
        if (format is ParquetSource)
        {
            foreach (var row in format.Rows(file))
                yield return row;
            yield break;
        }

        using var disk = CompressedFile.OpenPlain(file.Path!);
        using var bytes = CompressedFile.Decompress(disk, file.Name, () => disk.Position);
        foreach (var row in format.Rows(new SourceFile(this, file.Name, file.Path, bytes, file.Report)))
            yield return row;
    }

    // The dataset's own descriptions.
    private static bool IsAbout(string path) => System.IO.Path.GetFileName(path) is "dataset_info.json" or "dataset_dict.json" or "state.json" or "dataset_infos.json" or "config.json";

    // train/data-00000-of-00001.arrow, data/train-00000-of-00002.parquet, train.jsonl
    private bool IsSubset(string path)
    {
        var parts = System.IO.Path.GetRelativePath(Path, path).Split(System.IO.Path.DirectorySeparatorChar);
        var name = parts[^1];
        return parts.AsSpan(0, parts.Length - 1).Contains(Subset) || (name.StartsWith(Subset!, StringComparison.Ordinal) && name.Length > Subset!.Length && name[Subset.Length] is '-' or '.' or '_' && name.StartsWith(Subset, StringComparison.Ordinal));
    }
}

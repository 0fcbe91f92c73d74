using Gradus.Foundation.Recipes;
using Gradus.Text.Data.Compression;

namespace Gradus.Text.Data.Sources;

/// <summary>
/// Which source suits a path. The first bytes decide where a format has marks of its own; else the name's ending; else it is text. In a
/// folder or glob each kind of file gets its own source.
/// </summary>
internal static class SourceGuess
{
    /// <summary>Bytes of a file that are looked at.</summary>
    public const int HeadBytes = 4096;

    private const int MostEntries = 1000; // of an archive, and files of a folder whose bytes are looked at

    public static IReadOnlyList<SourceOptions> Of(string path)
    {
        var kinds = Components.Of(typeof(SourceOptions)).Select(c => (SourceOptions)Activator.CreateInstance(c.Type)!).ToList();
        if (Directory.Exists(path) && kinds.FirstOrDefault(k => k.RecognisesFolder(path)) is { } whole)
            return [whole with { Path = path }];
        if (File.Exists(path))
            return [OfFile(path, kinds) switch
            {
                null or TextSource => new TextSource { Path = path, Documents = TextUnit.Passage },
                BookSource book => book with { Path = path, Documents = TextUnit.Passage },
                var source => source with { Path = path },
            }];
        var endings = kinds.Where(k => k.ClaimsByName || k.FileEndings.Contains(".xml")).SelectMany(k => k.FileEndings).Distinct(StringComparer.Ordinal).ToList();
        var files = SourceFiles.TryFind(path, endings).Take(MostEntries).ToList();
        var found = files.GroupBy(f => OfFile(f, kinds)?.GetType() ?? typeof(TextSource)).OrderByDescending(g => g.Count()).ThenBy(g => g.Key.Name, StringComparer.Ordinal).ToList();
        if (found.Count == 0)
            return [new TextSource { Path = path, Documents = TextUnit.File }];
        // Told apart by content alone, two kinds that share an ending could not be kept apart by a source's own endings.
        return [.. found.Select(g => kinds.First(k => k.GetType() == g.Key) with { Path = path }).Where((k, i) => i == 0 || !found.Take(i).Any(earlier => kinds.First(e => e.GetType() == earlier.Key).FileEndings.Intersect(k.FileEndings).Any()))];
    }

    private static SourceOptions? OfFile(string path, List<SourceOptions> kinds)
    {
        if (kinds.FirstOrDefault(k => k.RecognisesName(Path.GetFileName(path))) is { } named)
            return named;
        byte[] head;
        try
        {
            using var disk = CompressedFile.OpenPlain(path);
            if (Archive.IsZip(disk) && !Recognised(Head(disk), kinds, out _))
            {
                disk.Position = 0;
                return OfArchive(Archive.Zip(disk, path, Silent.Instance), kinds);
            }

            disk.Position = 0;
            var stream = CompressedFile.Decompress(disk, path, () => disk.Position);
            using var owned = stream;
            if (Archive.IsTar(ref stream))
                return OfArchive(Archive.Tar(stream, path, Silent.Instance), kinds);
            head = Head(stream);
        }
        catch (DamagedFileException)
        {
            head = []; // whoever reads it will say what is wrong
        }

        return Recognised(head, kinds, out var by) ? by : ByName(path, kinds);
    }

    private static SourceOptions? OfArchive(IEnumerable<ArchiveEntry> entries, List<SourceOptions> kinds)
    {
        var votes = new Dictionary<SourceOptions, int>();
        SourceOptions? first = null;
        foreach (var entry in entries.Take(MostEntries))
        {
            var plain = CompressedFile.PlainName(entry.Name);
            if (kinds.FirstOrDefault(k => k.RecognisesName(Path.GetFileName(entry.Name))) is { } named)
                return named;
            if (ByName(entry.Name, kinds) is not { } kind)
                continue;
            using var bytes = entry.Open();
            if (votes.Count < 16 && plain.Length == entry.Name.Length && Recognised(Head(bytes), kinds, out var by))
                kind = by!;
            first ??= kind;
            votes[kind] = votes.GetValueOrDefault(kind) + 1;
        }

        return votes.Count == 0 ? null : votes.OrderByDescending(v => v.Value).ThenBy(v => ReferenceEquals(v.Key, first) ? 0 : 1).First().Key;
    }

    private static bool Recognised(byte[] head, List<SourceOptions> kinds, out SourceOptions? by)
    {
        by = kinds.FirstOrDefault(k => k.Recognises(head));
        return by is not null;
    }

    private static SourceOptions? ByName(string name, List<SourceOptions> kinds) => kinds.FirstOrDefault(k => k.ClaimsByName && SourceFiles.HasEnding(name, k.FileEndings));

    private static byte[] Head(Stream stream)
    {
        var head = new byte[HeadBytes];
        return head[..stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false)];
    }

    private sealed class Silent : IArchiveObserver
    {
        public static readonly Silent Instance = new();

        public void Refused(string entry, string why)
        {
        }

        public void NoFile(string rule)
        {
        }
    }
}

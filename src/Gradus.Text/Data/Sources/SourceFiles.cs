using System.IO.Enumeration;
using Gradus.Foundation.Files;
using Gradus.Text.Data.Compression;

namespace Gradus.Text.Data.Sources;

/// <summary>Finds the files a source's path means: one file, a folder, or a glob. Order is ordinal by path: the same on every machine.</summary>
internal static class SourceFiles
{
    /// <exception cref="UserException">Nothing was found.</exception>
    public static IReadOnlyList<string> Find(string path, IReadOnlyList<string> endings)
    {
        if (string.IsNullOrWhiteSpace(path))
            throw new UserException("sources: the path is empty; name a file, a folder or a glob.");
        if (File.Exists(path))
            return [path];
        if (Directory.Exists(path))
        {
            var inFolder = InFolder(path, endings);
            return inFolder.Count > 0 ? inFolder : throw new UserException($"{path}: the folder holds no {string.Join(", ", endings)} file (plain or {string.Join(", ", CompressedFile.Endings)}).");
        }

        if (!IsGlob(path))
            throw new UserException($"{path}: there is no such file or folder{Nearest(path)}");
        var matches = Glob(path);
        return matches.Count > 0 ? matches : throw new UserException($"{path}: no file matches.");
    }

    /// <summary>Like <see cref="Find"/>, but only files with the endings, and empty instead of an error.</summary>
    public static IReadOnlyList<string> TryFind(string path, IReadOnlyList<string> endings) =>
        File.Exists(path) ? HasEnding(path, endings) ? [path] : []
        : Directory.Exists(path) ? InFolder(path, endings)
        : IsGlob(path) ? [.. Glob(path).Where(f => HasEnding(f, endings))]
        : [];

    private static bool IsGlob(string path) => path.AsSpan().IndexOfAny('*', '?') >= 0;

    private static string Nearest(string path)
    {
        var folder = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path));
        if (folder is null || !Directory.Exists(folder))
            return ".";
        var near = NearestName.Of(System.IO.Path.GetFileName(path), Directory.EnumerateFileSystemEntries(folder).Take(1000).Select(f => System.IO.Path.GetFileName(f)!));
        return near is null ? "." : $"; did you mean '{near}'?";
    }

    public static bool HasEnding(string path, IReadOnlyList<string> endings)
    {
        var compression = CompressedFile.Endings.FirstOrDefault(e => path.EndsWith(e, StringComparison.OrdinalIgnoreCase));
        var plain = path.AsSpan(0, path.Length - (compression?.Length ?? 0)).ToString();
        return endings.Any(e => plain.EndsWith(e, StringComparison.OrdinalIgnoreCase));
    }

    private static IReadOnlyList<string> InFolder(string folder, IReadOnlyList<string> endings) =>
        Sorted(Everything(folder).Where(f => HasEnding(f, endings)));

    /// <summary>All files below a folder, hidden ones and linked folders aside (a link can point back up).</summary>
    private static FileSystemEnumerable<string> Everything(string folder) => new(folder, (ref FileSystemEntry entry) => entry.ToSpecifiedFullPath(), new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.Hidden })
    {
        ShouldIncludePredicate = (ref FileSystemEntry entry) => !entry.IsDirectory,
        ShouldRecursePredicate = (ref FileSystemEntry entry) => (entry.Attributes & FileAttributes.ReparsePoint) == 0,
    };

    private static IReadOnlyList<string> Glob(string pattern)
    {
        var normal = pattern.Replace('\\', System.IO.Path.DirectorySeparatorChar).Replace('/', System.IO.Path.DirectorySeparatorChar);
        var parts = normal.Split(System.IO.Path.DirectorySeparatorChar);
        var fixedParts = parts.TakeWhile(p => !IsGlob(p)).ToArray();
        var root = fixedParts.Length == 0 ? "." : string.Join(System.IO.Path.DirectorySeparatorChar, fixedParts);
        if (root.Length == 0)
            root = System.IO.Path.DirectorySeparatorChar.ToString();
        if (!Directory.Exists(root))
            return [];
        var rest = parts[fixedParts.Length..];
        return Sorted(Everything(root).Where(f => Matches(System.IO.Path.GetRelativePath(root, f).Split(System.IO.Path.DirectorySeparatorChar), rest)));
    }

    private static bool Matches(ReadOnlySpan<string> path, ReadOnlySpan<string> pattern)
    {
        if (pattern.Length == 0)
            return path.Length == 0;
        if (pattern[0] == "**")
        {
            for (var skip = 0; skip <= path.Length; skip++)
                if (Matches(path[skip..], pattern[1..]))
                    return true;
            return false;
        }

        return path.Length > 0 && FileSystemName.MatchesSimpleExpression(pattern[0], path[0], ignoreCase: false) && Matches(path[1..], pattern[1..]);
    }

    private static IReadOnlyList<string> Sorted(IEnumerable<string> files) => [.. files.Order(StringComparer.Ordinal)];
}

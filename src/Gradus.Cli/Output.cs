using Gradus.Foundation.Files;

namespace Gradus.Cli;

/// <summary>Where a command is to write.</summary>
internal static class Output
{
    /// <exception cref="UserException">The name is taken by something that is not a folder: said before any work is done.</exception>
    public static void Folder(string path)
    {
        if (path.Length == 0) throw new UserException("--out: is empty; name a folder");
        for (var part = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)); part is not null; part = Path.GetDirectoryName(part))
            if (System.IO.File.Exists(part)) throw new UserException($"{path}: {(part == Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)) ? "is a file; name a folder" : $"cannot be made: {part} is a file")}");
    }

    /// <exception cref="UserException">The name is a folder's, or leads through a file.</exception>
    public static void File(string path)
    {
        if (path.Length == 0) throw new UserException("--out: is empty; name a file");
        if (Directory.Exists(path)) throw new UserException($"{path}: is a folder; name a file");
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder)
        {
            Folder(folder);
            Directory.CreateDirectory(folder);
        }
    }
}

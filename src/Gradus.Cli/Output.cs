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
            if (File.Exists(part)) throw new UserException($"{path}: {(part == Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)) ? "is a file; name a folder" : $"cannot be made: {part} is a file")}");
    }
}

using System.Globalization;
using System.Text;

namespace Gradus.Foundation.Files;

/// <summary>
/// Writes that survive a crash: a reader sees the old file or the new one, never a part. The order is temporary file, fsync,
/// rename, fsync of the folder. An fsync that fails once fails the write; it is never tried again and believed.
/// </summary>
/// <remarks>
/// Failpoints: <c>durable.create</c>, <c>durable.write</c>, <c>durable.fsync</c>, <c>durable.rename</c>, <c>durable.fsync-folder</c>,
/// <c>durable.publish</c>. Errors are <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/> naming the path.
/// </remarks>
public static class Durable
{
    private const string TemporarySuffix = ".gradus-tmp";
    private static int s_temporaries;

    /// <summary>Replaces <paramref name="path"/> by what <paramref name="write"/> produces, or leaves it untouched. Missing folders are made.</summary>
    public static void WriteFile(string path, Action<Stream> write)
    {
        ArgumentNullException.ThrowIfNull(write);
        // Through a link the target is replaced, as a plain write would.
        var final = new FileInfo(path) is { LinkTarget: not null } link ? link.ResolveLinkTarget(returnFinalTarget: true)!.FullName : Path.GetFullPath(path);
        if (Directory.Exists(final))
            throw new IOException($"{path}: is a folder, not a file");
        var folder = Path.GetDirectoryName(final)!;
        Directory.CreateDirectory(folder);
        var number = Interlocked.Increment(ref s_temporaries);
        var temporary = string.Create(CultureInfo.InvariantCulture, $"{final}.{Environment.ProcessId}-{number}{TemporarySuffix}");
        try
        {
            Failpoint.Visit("durable.create");
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16))
            {
                write(stream);
                Failpoint.Visit("durable.write");
                stream.Flush(flushToDisk: false);
                SyncHandle(stream, temporary);
            }
            Failpoint.Visit("durable.rename");
            File.Move(temporary, final, overwrite: true);
        }
        catch
        {
            RemoveQuietly(temporary);
            throw;
        }
        SyncFolder(folder);
    }

    /// <summary>Writes UTF-8 text without a byte-order mark.</summary>
    public static void WriteText(string path, string text) =>
        WriteFile(path, stream => stream.Write(new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true).GetBytes(text)));

    /// <summary>Forces a file's bytes to the disk.</summary>
    public static void SyncFile(string path)
    {
        // Windows flushes only through a handle that may write.
        using var stream = new FileStream(path, FileMode.Open, OperatingSystem.IsWindows() ? FileAccess.ReadWrite : FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1);
        SyncHandle(stream, path);
    }

    /// <summary>Forces a folder's entries (names created, renamed, deleted) to the disk. Windows does this with the file itself.</summary>
    public static void SyncFolder(string path)
    {
        Failpoint.Visit("durable.fsync-folder");
        if (OperatingSystem.IsWindows())
            return;
        using var handle = Posix.OpenRead(path);
        Posix.Sync(handle, path, folder: true);
    }

    /// <summary>
    /// Gives a finished temporary folder its final name, as one step: fsync of every file and folder in it, rename, fsync of the
    /// parent. The final name must be free; on the same file system. On failure before the rename nothing bears the final name.
    /// </summary>
    public static void PublishFolder(string temporaryFolder, string finalFolder)
    {
        var from = Path.TrimEndingDirectorySeparator(Path.GetFullPath(temporaryFolder));
        var to = Path.TrimEndingDirectorySeparator(Path.GetFullPath(finalFolder));
        if (Directory.Exists(to) || File.Exists(to))
            throw new IOException($"{finalFolder}: already exists");
        SyncTree(from);
        Failpoint.Visit("durable.publish");
        Directory.CreateDirectory(Path.GetDirectoryName(to)!);
        Directory.Move(from, to);
        SyncFolder(Path.GetDirectoryName(to)!);
        if (Path.GetDirectoryName(from) is { } source && source != Path.GetDirectoryName(to))
            SyncFolder(source);
    }

    /// <summary>
    /// Makes a folder anew under its final name: <paramref name="fill"/> writes into a temporary one beside it, which then takes the place of
    /// what was there. A killed writer leaves <c>.tmp</c> or <c>.old</c> beside it, which the next one removes.
    /// </summary>
    public static void ReplaceFolder(string finalFolder, Action<string> fill)
    {
        ArgumentNullException.ThrowIfNull(fill);
        var final = Path.TrimEndingDirectorySeparator(Path.GetFullPath(finalFolder));
        var (building, old) = (final + ".tmp", final + ".old");
        foreach (var leftover in new[] { building, old })
            if (Directory.Exists(leftover)) Directory.Delete(leftover, recursive: true);
        Directory.CreateDirectory(building);
        fill(building);
        if (Directory.Exists(final)) Directory.Move(final, old);
        PublishFolder(building, final);
        if (Directory.Exists(old)) Directory.Delete(old, recursive: true);
    }

    /// <summary>Deletes temporary files that killed writers left in <paramref name="folder"/>. Only for the owner of the folder (<see cref="RunLock"/>).</summary>
    public static int RemoveLeftovers(string folder)
    {
        var removed = 0;
        foreach (var file in Directory.EnumerateFiles(folder, "*" + TemporarySuffix, SearchOption.AllDirectories))
        {
            File.Delete(file);
            removed++;
        }
        return removed;
    }

    private static void SyncTree(string folder)
    {
        foreach (var file in Directory.EnumerateFiles(folder))
            SyncFile(file);
        foreach (var inner in Directory.EnumerateDirectories(folder))
            SyncTree(inner);
        SyncFolder(folder);
    }

    private static void SyncHandle(FileStream stream, string path)
    {
        Failpoint.Visit("durable.fsync");
        if (OperatingSystem.IsWindows())
            stream.Flush(flushToDisk: true);
        else
            Posix.Sync(stream.SafeFileHandle, path, folder: false);
    }

    private static void RemoveQuietly(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The error that brought us here is the one to report.
        }
    }
}

using System.Diagnostics;
using System.Formats.Tar;
using System.IO.Compression;
using System.Runtime.InteropServices;
using Gradus.Foundation.Files;

namespace Gradus.Text.Data.Sources.DuckDb;

/// <summary>
/// Finds libduckdb, which reads and writes Parquet: where <c>GRADUS_DUCKDB</c> says, in the user's cache, on the system; else it is fetched
/// once through the npm client as this machine has it set up (70 MB) and kept in the cache.
/// </summary>
internal static class DuckDbLibrary
{
    public const string Variable = "GRADUS_DUCKDB";

    private const string Package = "@duckdb/node-bindings-linux-x64", Version = "1.5.6-r.1", FileName = "libduckdb.so";
    private const long MostBytes = 400L << 20;

    private static readonly Lock s_gate = new();
    private static nint s_handle;

    /// <summary>The loaded library.</summary>
    /// <exception cref="UserException">It is nowhere, and npm does not give it.</exception>
    public static nint Load()
    {
        lock (s_gate)
        {
            if (s_handle == 0)
                s_handle = NativeLibrary.Load(Find());
            return s_handle;
        }
    }

    /// <summary>Whether it is here without fetching anything.</summary>
    public static bool IsHere() => Here() is not null;

    private static string Find()
    {
        if (Here() is { } path)
            return path;
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64)
            throw new UserException($"Parquet needs libduckdb 1.x, which is not on this machine; install it and set {Variable} to its path.");
        Fetch();
        return Cached();
    }

    private static string? Here()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named)
            return File.Exists(named) ? named : throw new UserException($"{Variable}: {named}: there is no such file.");
        if (File.Exists(Cached()))
            return Cached();
        if (!NativeLibrary.TryLoad(FileName, out var handle))
            return null;
        NativeLibrary.Free(handle);
        return FileName;
    }

    private static string Cached() => Path.Combine(Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } cache ? cache : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache"), "gradus", "duckdb-" + Version, FileName);

    private static void Fetch()
    {
        var folder = Path.GetDirectoryName(Cached())!;
        var making = $"{folder}.{Environment.ProcessId}";
        Directory.CreateDirectory(making);
        try
        {
            Unpack(Pack(making), making);
            if (!Directory.Exists(folder)) // another process may have been quicker: its file is as good
                Durable.PublishFolder(making, folder);
        }
        finally
        {
            if (Directory.Exists(making))
                Directory.Delete(making, recursive: true);
        }
    }

    private static string Pack(string folder)
    {
        var start = new ProcessStartInfo("npm") { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false, WorkingDirectory = folder };
        foreach (var argument in new[] { "pack", "--silent", "--ignore-scripts", $"{Package}@{Version}" })
            start.ArgumentList.Add(argument);
        try
        {
            using var npm = Process.Start(start) ?? throw new UserException("npm did not start");
            var errors = npm.StandardError.ReadToEndAsync();
            var name = npm.StandardOutput.ReadToEnd().Trim().Split('\n')[^1].Trim();
            npm.WaitForExit();
            return npm.ExitCode == 0 && File.Exists(Path.Combine(folder, name)) ? Path.Combine(folder, name)
                : throw new UserException($"Parquet needs libduckdb, and npm could not fetch {Package}: {errors.Result.Trim().Split('\n')[^1]}; install libduckdb and set {Variable} to its path.");
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new UserException($"Parquet needs libduckdb, which comes through npm, and npm is not installed; install libduckdb and set {Variable} to its path.", e);
        }
    }

    private static void Unpack(string archive, string folder)
    {
        using (var tar = new System.Formats.Tar.TarReader(new GZipStream(File.OpenRead(archive), CompressionMode.Decompress)))
        {
            while (tar.GetNextEntry() is { } entry)
            {
                if (entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile) || Path.GetFileName(entry.Name) != FileName)
                    continue;
                if (entry.Length > MostBytes)
                    throw new UserException($"{Path.GetFileName(archive)}: holds a larger library than it should; not used.");
                entry.ExtractToFile(Path.Combine(folder, FileName), overwrite: false);
            }
        }

        File.Delete(archive);
        if (!File.Exists(Path.Combine(folder, FileName)))
            throw new UserException($"{Path.GetFileName(archive)}: holds no {FileName}; not used.");
    }
}

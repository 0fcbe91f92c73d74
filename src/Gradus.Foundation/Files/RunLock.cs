using System.Globalization;
using System.Text;

namespace Gradus.Foundation.Files;

/// <summary>
/// One process at a time in a run folder. The operating system's file lock decides, so the lock of a killed process is gone with
/// it; the file says who holds it (pid, the process's start, boot id, host) for the error line and for file systems without locks.
/// </summary>
public sealed class RunLock : IDisposable
{
    /// <summary>The lock file's name inside the folder. It stays behind, empty: deleting it would race with the next taker.</summary>
    public const string FileName = "run.lock";

    private readonly FileStream _file;

    private RunLock(FileStream file) => _file = file;

    /// <summary>Takes the folder (made if missing), or throws a <see cref="UserException"/> naming the process that has it.</summary>
    public static RunLock Take(string folder)
    {
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, FileName);
        FileStream file;
        try
        {
            // Elsewhere than on Windows, FileShare.None is an exclusive flock, which the kernel drops when the process dies.
            file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, OperatingSystem.IsWindows() ? FileShare.Read : FileShare.None, 1);
        }
        catch (IOException e) when (e is not (FileNotFoundException or DirectoryNotFoundException or PathTooLongException))
        {
            throw new UserException($"{folder}: another run is using this folder ({Describe(ReadOwner(path))}); wait for it, stop it, or choose another --out", e);
        }
        try
        {
            if (Owner.Parse(ReadAll(file)) is { } last && last.MayLive(path))
                throw new UserException($"{folder}: another run may be using this folder ({Describe(last)}); if it is gone, delete {path}");
            file.SetLength(0);
            file.Position = 0;
            file.Write(Encoding.UTF8.GetBytes(Owner.Current.ToString()));
            file.Flush(flushToDisk: true);
        }
        catch
        {
            file.Dispose();
            throw;
        }
        return new RunLock(file);
    }

    /// <summary>Frees the folder.</summary>
    public void Dispose()
    {
        if (_file.CanWrite)
            _file.SetLength(0);
        _file.Dispose();
    }

    private static string Describe(Owner? owner) =>
        owner is null ? "its owner is not recorded" : string.Create(CultureInfo.InvariantCulture, $"process {owner.Pid} on {owner.Host}");

    private static string ReadAll(FileStream file)
    {
        var bytes = new byte[Math.Min(file.Length, 4096)];
        file.ReadExactly(bytes);
        return Encoding.UTF8.GetString(bytes);
    }

    private static Owner? ReadOwner(string path)
    {
        try
        {
            using var handle = OperatingSystem.IsWindows() ? File.OpenHandle(path, share: FileShare.ReadWrite) : Posix.OpenRead(path);
            var bytes = new byte[4096];
            return Owner.Parse(Encoding.UTF8.GetString(bytes, 0, RandomAccess.Read(handle, bytes, 0)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Who wrote the lock. Pid alone is not enough: pids are reused, hence the start time and the boot id.</summary>
    internal sealed record Owner(int Pid, string Start, string Boot, string Host)
    {
        public static Owner Current { get; } = new(Environment.ProcessId, StartOf(Environment.ProcessId), BootId(), Environment.MachineName);

        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"pid={Pid}\nstart={Start}\nboot={Boot}\nhost={Host}\n");

        public static Owner? Parse(string text)
        {
            var lines = text.Split('\n').Select(line => line.Split('=', 2)).Where(pair => pair.Length == 2)
                .GroupBy(pair => pair[0]).ToDictionary(pair => pair.Key, pair => pair.Last()[1]);
            return lines.TryGetValue("pid", out var pid) && int.TryParse(pid, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                && lines.TryGetValue("start", out var start) && lines.TryGetValue("boot", out var boot) && lines.TryGetValue("host", out var host)
                ? new Owner(number, start, boot, host) : null;
        }

        /// <summary>Asked only once we hold the operating system's lock, which means the owner is gone unless the file system has no locks.</summary>
        public bool MayLive(string path)
        {
            if (Boot == BootId() && Host == Environment.MachineName)
                return Pid != Environment.ProcessId && Start.Length > 0 && Start == StartOf(Pid);
            // Another machine (or container): believable only on a shared file system, where locks may not reach across.
            return Host != Environment.MachineName && OnNetwork(path);
        }

        private static bool OnNetwork(string path)
        {
            try
            {
                var full = Path.GetFullPath(path);
                var drive = DriveInfo.GetDrives().Where(d => full.StartsWith(d.Name, StringComparison.Ordinal)).MaxBy(d => d.Name.Length);
                return drive is { DriveType: DriveType.Network };
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return false;
            }
        }

        private static string BootId() =>
            File.Exists("/proc/sys/kernel/random/boot_id") ? File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim() : "";

        private static string StartOf(int pid)
        {
            try
            {
                if (OperatingSystem.IsLinux())
                {
                    // Field 22 of stat, counted after the parenthesis that closes the (free-form) command name.
                    var stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
                    return stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[19];
                }
                using var process = System.Diagnostics.Process.GetProcessById(pid);
                return process.StartTime.ToUniversalTime().Ticks.ToString(CultureInfo.InvariantCulture);
            }
            catch (Exception e) when (e is IOException or ArgumentException or InvalidOperationException or UnauthorizedAccessException or System.ComponentModel.Win32Exception)
            {
                return "";
            }
        }
    }
}

using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Gradus.Foundation.Files;

/// <summary>The few libc calls .NET lacks: it cannot open a directory to fsync it, and it cannot read a file another process has locked.</summary>
internal static partial class Posix
{
    public const int SigKill = 9;
    public static readonly int SigStop = OperatingSystem.IsMacOS() ? 17 : 19;

    private const int Eintr = 4;
    private const int Einval = 22;
    private static readonly int s_closeOnExec = OperatingSystem.IsMacOS() ? 0x1000000 : 0x80000;

    /// <summary>Opens a file or directory read-only, without the advisory lock that FileStream takes.</summary>
    public static SafeFileHandle OpenRead(string path)
    {
        int fd;
        do
            fd = Open(path, s_closeOnExec);
        while (fd < 0 && Marshal.GetLastPInvokeError() == Eintr);
        return fd < 0 ? throw Failed("open", path) : new SafeFileHandle(fd, ownsHandle: true);
    }

    /// <summary>One fsync, never a second try: after a failure the kernel may drop the dirty pages and report success next time.</summary>
    public static void Sync(SafeFileHandle handle, string path, bool folder)
    {
        int result;
        do
            result = Fsync(handle);
        while (result < 0 && Marshal.GetLastPInvokeError() == Eintr);
        // Some network file systems cannot sync a directory and say EINVAL; there the rename is as durable as it gets.
        if (result < 0 && !(folder && Marshal.GetLastPInvokeError() == Einval))
            throw Failed("fsync", path);
    }

    public static void SignalSelf(int signal)
    {
        if (OperatingSystem.IsWindows())
            System.Diagnostics.Process.GetCurrentProcess().Kill();
        else
            _ = Kill(Environment.ProcessId, signal);
    }

    private static IOException Failed(string call, string path)
    {
        var error = Marshal.GetLastPInvokeError();
        return new IOException($"{path}: {call} failed: {Marshal.GetPInvokeErrorMessage(error)}", error);
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Fsync(SafeFileHandle fd);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int pid, int signal);
}

using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Gradus.Engine.Native;

/// <summary>Finds and loads <c>libgradus.so</c>, after giving the process the settings that libtorch wants from the start.</summary>
internal static partial class NativeLibrary
{
    private const int MmapMax = -4, TrimThreshold = -1, TopPad = -2, ArenaMax = -8;

    public static void Initialise() => System.Runtime.InteropServices.NativeLibrary.SetDllImportResolver(typeof(NativeLibrary).Assembly, Resolve);

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? search)
    {
        if (name != Abi.Library) return 0;
        if (OperatingSystem.IsLinux()) Tune();
        var tried = Candidates().ToList();
        string? failure = null;
        foreach (var path in tried.Where(File.Exists))
        {
            if (System.Runtime.InteropServices.NativeLibrary.TryLoad(path, out var handle)) return UseAllCores(handle);
            try { System.Runtime.InteropServices.NativeLibrary.Load(path); }
            catch (DllNotFoundException e) { failure = e.Message.Split('\n')[0]; }
        }
        throw new EngineMissingException(failure is null
            ? $"libtorch engine not found: libgradus.so is in none of {string.Join(", ", tried.Select(Path.GetDirectoryName))}; run ./gradus doctor, or native/build.sh, or set GRADUS_NATIVE to its folder"
            : $"libtorch engine found but not loadable: {failure}; run native/build.sh again (it finds libtorch in the system or in GRADUS_LIBTORCH)");
    }

    /// <summary>Debian's libtorch starts with one thread; we start with every core unless OMP_NUM_THREADS says otherwise.</summary>
    private static unsafe nint UseAllCores(nint library)
    {
        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable("OMP_NUM_THREADS")))
            _ = ((delegate* unmanaged<int, int>)System.Runtime.InteropServices.NativeLibrary.GetExport(library, "gradus_threads"))(Environment.ProcessorCount);
        return library;
    }

    private static IEnumerable<string> Candidates()
    {
        if (Environment.GetEnvironmentVariable("GRADUS_NATIVE") is { Length: > 0 } named)
        {
            yield return Path.Combine(named, "libgradus.so");
            yield break;
        }
        yield return Path.Combine(AppContext.BaseDirectory, "libgradus.so");
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (Directory.Exists(Path.Combine(folder.FullName, "native")))
                yield return Path.Combine(folder.FullName, "build", "native", "libgradus.so");
    }

    /// <summary>
    /// Freshly mapped pages cost 8 to 30 times a copy, so malloc keeps what libtorch frees: worth 15-50 % of a training step.
    /// The SIMD level is named because Debian's libtorch 1.13 stops at AVX2 by itself.
    /// </summary>
    private static void Tune()
    {
        _ = Mallopt(MmapMax, 0);
        _ = Mallopt(TrimThreshold, -1);
        _ = Mallopt(TopPad, 256 << 20);
        _ = Mallopt(ArenaMax, 1);
        // By default libgomp's waiting threads spin for milliseconds, and one busy program beside takes half the speed or nearly all of it. A
        // thousand turns bridge the gaps between kernels and then give the core up: docs/log.md.
        if (Environment.GetEnvironmentVariable("OMP_WAIT_POLICY") is null) _ = SetEnv("GOMP_SPINCOUNT", "1000", overwrite: 0);
        if (Vector512.IsHardwareAccelerated) _ = SetEnv("ATEN_CPU_CAPABILITY", "avx512", overwrite: 0);
    }

    [LibraryImport("libc", EntryPoint = "mallopt")]
    private static partial int Mallopt(int parameter, int value);

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnv(string name, string value, int overwrite);
}

using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Gradus.Engine;
using Gradus.Engine.Ops;
using Gradus.Engine.Tensors;

namespace Gradus.Cli;

/// <summary><c>gradus doctor</c>: what this machine has, measured, and what holds it back.</summary>
internal static class DoctorCommand
{
    private const int Side = 1024;

    private sealed record Finding(string What, string Found, string Verdict, string? Advice = null);

    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "One JSON object a line" };
        var command = new Command("doctor", "Looks at this machine: SDK, libtorch, BLAS, threads, SIMD, memory; measures the speed of matrix products and says what slows it down.\n\nExample:\n  gradus doctor") { json };
        command.SetAction(result =>
        {
            var worst = ExitCode.Done;
            foreach (var finding in Examine())
            {
                if (result.GetValue(json)) Terminal.Json(finding);
                else Terminal.Out($"{Mark(finding.Verdict)} {finding.What,-18} {finding.Found}{(finding.Advice is null ? "" : $"\n  {"",-18} → {finding.Advice}")}");
                if (finding.Verdict == "bad") worst = ExitCode.Failed;
            }
            return worst;
        });
        return command;
    }

    private static string Mark(string verdict) => verdict switch { "good" => "✓", "slow" => "!", "bad" => "✗", _ => "·" };

    private static IEnumerable<Finding> Examine()
    {
        yield return new("system", $"{RuntimeInformation.OSDescription}, {RuntimeInformation.ProcessArchitecture}, .NET {Environment.Version}", "good");
        yield return Simd();
        yield return Memory();
        if (Engine() is { } missing)
        {
            yield return missing;
            yield break;
        }
        var threads = EngineInfo.Threads;
        yield return new("libtorch", $"{EngineInfo.LibtorchVersion}, {Op.All().Count} operators, process groups: {(EngineInfo.HasProcessGroups ? "gloo" + (EngineInfo.HasNccl ? ", nccl" : "") + (EngineInfo.HasMpi ? ", mpi" : "") : "none")}", "good");
        yield return threads >= Environment.ProcessorCount
            ? new("threads", $"{threads} of {Environment.ProcessorCount} cores", "good")
            : new("threads", $"{threads} of {Environment.ProcessorCount} cores", "slow", "Gradus sets this itself unless OMP_NUM_THREADS or trainer.threads says otherwise");
        var single = Speed(DType.Float32);
        yield return Blas(single, threads);
        yield return Reduced(single, Speed(DType.BFloat16));
        var devices = EngineInfo.CudaDevices;
        yield return new("CUDA", devices == 0 ? "no device (the CPU is a first-class device here)" : $"{devices} device{(devices == 1 ? "" : "s")}", "fact");
    }

    private static Finding Simd()
    {
        var levels = new List<string>();
        if (Avx2.IsSupported) levels.Add("AVX2");
        if (Vector512.IsHardwareAccelerated) levels.Add("AVX-512");
        var flags = File.Exists("/proc/cpuinfo") ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("flags", StringComparison.Ordinal)) ?? "" : "";
        foreach (var flag in new[] { "avx512_bf16", "avx512_vnni", "amx_bf16" })
            if (flags.Contains(flag, StringComparison.Ordinal))
                levels.Add(flag);
        return levels.Count > 0 ? new("SIMD", string.Join(", ", levels), "good") : new("SIMD", "none that the kernels use", "slow", "an x64 processor with AVX2 runs them many times faster");
    }

    private static Finding Memory()
    {
        var free = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (double)(1L << 30);
        return free >= 4 ? new("memory", $"{free:F1} GiB", "good") : new("memory", $"{free:F1} GiB", "slow", "GPT-2 124M trains in about 3.5 GiB; smaller shapes in less");
    }

    private static Finding? Engine()
    {
        try
        {
            _ = EngineInfo.LibtorchVersion;
            return null;
        }
        catch (Exception e) when (e is EngineMissingException or TypeInitializationException)
        {
            return new("libtorch", (e.InnerException ?? e).Message, "bad", "./gradus installs and builds it; native/build.sh says what is missing");
        }
    }

    private static Finding Blas(double gflops, int threads)
    {
        var library = File.Exists("/proc/self/maps")
            ? File.ReadLines("/proc/self/maps").Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries).Last()).FirstOrDefault(l => l.Contains("blas", StringComparison.Ordinal)) ?? "built in"
            : "unknown";
        var found = string.Create(CultureInfo.InvariantCulture, $"float32 {gflops:F0} GFLOP/s in a {Side}³ product, {library}");
        if (library.Contains("pthread", StringComparison.Ordinal))
            return new("BLAS", found, "slow", "OpenBLAS's pthread build fights libtorch's OpenMP threads (half the speed is lost): apt-get install libopenblas0-openmp");
        return gflops < 8 * threads
            ? new("BLAS", found, "slow", "this looks like the reference BLAS, up to 50 times slower: apt-get install libopenblas0-openmp, then update-alternatives --config libblas.so.3-x86_64-linux-gnu")
            : new("BLAS", found, "good");
    }

    private static Finding Reduced(double single, double reduced)
    {
        var found = string.Create(CultureInfo.InvariantCulture, $"bfloat16 {reduced:F0} GFLOP/s, {reduced / single:F1} × float32");
        return reduced > 1.3 * single ? new("bfloat16", found, "good") : new("bfloat16", found, "slow", "this processor gains nothing from bfloat16: use trainer.precision: fp32");
    }

    private static double Speed(DType type)
    {
        using var scope = Tensor.Scope();
        using var off = Grad.Off();
        using var random = new Generator(1);
        var (a, b) = (Tensor.Normal(random, 0, 1, Side, Side).To(type), Tensor.Normal(random, 0, 1, Side, Side).To(type));
        var best = double.MaxValue;
        for (var i = 0; i < 6; i++)
        {
            var clock = Stopwatch.StartNew();
            F.Linear(a, b).Dispose();
            best = Math.Min(best, clock.Elapsed.TotalSeconds);
        }
        return 2.0 * Side * Side * Side / best / 1e9;
    }
}

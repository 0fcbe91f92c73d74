using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

// dotnet run -c Release --project bench/Gradus.Bench -- --filter '*'
// In this process: the native library is found as the programs find it, and nothing is generated or restored meanwhile.
var config = DefaultConfig.Instance.AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance)).WithArtifactsPath(Path.Combine("build", "bench", "dotnet"));
return BenchmarkSwitcher.FromAssembly(typeof(Gradus.Bench.FusedKernels).Assembly).Run(args, config).Any(summary => summary.HasCriticalValidationErrors || summary.Reports.Any(report => !report.Success)) ? 1 : 0;

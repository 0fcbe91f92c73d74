using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Text.Json;
using Gradus.Engine;
using Gradus.Foundation.Files;

namespace Gradus.Training.Loop;

/// <summary>What the bits of a run depend on besides its recipe: the determinism contract.</summary>
/// <param name="Gradus">Version of this program.</param>
/// <param name="Libtorch">Version of libtorch.</param>
/// <param name="Threads">Threads of its kernels and ours.</param>
/// <param name="Simd">Widest vectors of our kernels.</param>
/// <param name="Processor">Architecture of the processor.</param>
/// <param name="Device">Where the run computes.</param>
public sealed record RunEnvironment(string Gradus, string Libtorch, int Threads, string Simd, string Processor, string Device)
{
    /// <summary>This machine, now.</summary>
    public static RunEnvironment Now(string device) => new(
        typeof(RunEnvironment).Assembly.GetName().Version?.ToString(3) ?? "0.0.0", EngineInfo.LibtorchVersion, EngineInfo.Threads,
        Vector512.IsHardwareAccelerated ? "512 bits" : Vector256.IsHardwareAccelerated ? "256 bits" : Vector128.IsHardwareAccelerated ? "128 bits" : "none",
        RuntimeInformation.ProcessArchitecture.ToString(), device);

    /// <summary>What changed, as <c>threads: 2 → 4</c>.</summary>
    public IEnumerable<string> Changes(RunEnvironment now)
    {
        foreach (var property in typeof(RunEnvironment).GetProperties())
            if (property.GetMethod is { IsStatic: false, IsPublic: true } && property.GetValue(this) is var before && property.GetValue(now) is var after && !Equals(before, after))
                yield return string.Create(CultureInfo.InvariantCulture, $"{JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name)}: {before} → {after}");
    }
}

/// <summary>One start of the run.</summary>
/// <param name="Started">UTC.</param>
/// <param name="FromStep">Steps done when it started.</param>
/// <param name="Environment">Where it ran.</param>
/// <param name="Changes">What of the recipe was changed, within what a run can take.</param>
public sealed record RunSession(DateTime Started, long FromStep, RunEnvironment Environment, IReadOnlyList<string> Changes);

/// <summary><c>run.json</c>: what the run is and every time it was started.</summary>
public sealed record RunRecord
{
    /// <summary>The file's name.</summary>
    public const string FileName = "run.json";

    private static readonly JsonSerializerOptions s_json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true, NewLine = "\n", Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Given once; checkpoints carry it.</summary>
    public required string RunId { get; init; }

    /// <summary>Name in the recipe.</summary>
    public required string Name { get; init; }

    /// <summary>Seed of initial weights, data order and dropout.</summary>
    public required long Seed { get; init; }

    /// <summary>The promise in words.</summary>
    public string Determinism { get; init; } = "same recipe, data, program, libtorch, threads, vector width and device: the same weights and losses, bit for bit, however often the run was stopped and resumed";

    /// <summary>What was checked before the first step, and the forecast; null where nothing was.</summary>
    public PreflightReport? Preflight { get; init; }

    /// <summary>Every start, oldest first.</summary>
    public required IReadOnlyList<RunSession> Sessions { get; init; }

    /// <summary>The record of a run folder, or null when it holds none.</summary>
    public static RunRecord? Read(string folder)
    {
        var path = Path.Combine(folder, FileName);
        return File.Exists(path) ? StrictJson.Read<RunRecord>(File.ReadAllBytes(path), path) : null;
    }

    internal void Write(string folder) => Durable.WriteText(Path.Combine(folder, FileName), JsonSerializer.Serialize(this, s_json) + "\n");
}

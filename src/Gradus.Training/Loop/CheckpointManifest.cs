using System.Text;
using System.Text.Json;
using Gradus.Foundation.Files;

namespace Gradus.Training.Loop;

/// <summary>What a run is, as far as a checkpoint must agree with it.</summary>
/// <param name="RunId">Given to the run at its first start.</param>
/// <param name="Recipe">SHA-256 of the recipe.</param>
/// <param name="Data">SHA-256 of the prepared data.</param>
/// <param name="Tokenizer">SHA-256 of the tokenizer.</param>
/// <param name="Frozen">SHA-256 of the weights that do not train and that checkpoints therefore do not hold; null when all train.</param>
public sealed record RunIdentity(string RunId, string Recipe, string Data, string Tokenizer, string? Frozen = null);

internal sealed record CheckpointFile(string Name, long Bytes, string Sha256);

/// <summary>
/// The file <c>MANIFEST</c> of a checkpoint: a line of JSON and a line with its own SHA-256. What it does not name is not part of
/// the checkpoint; what it names must be there, to the bit.
/// </summary>
internal sealed record CheckpointManifest
{
    public const string FileName = "MANIFEST";
    public const int CurrentVersion = 1;

    private static readonly JsonSerializerOptions s_json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull };

    public required int Version { get; init; }
    public required long Step { get; init; }
    public required string RunId { get; init; }
    public required int WorldSize { get; init; }
    public required string Recipe { get; init; }
    public required string Data { get; init; }
    public required string Tokenizer { get; init; }
    public string? Frozen { get; init; }
    public required IReadOnlyList<CheckpointFile> Files { get; init; }

    /// <summary>Describes the files that are in <paramref name="folder"/> and puts itself beside them.</summary>
    public static void Write(string folder, long step, RunIdentity identity, int worldSize)
    {
        var manifest = new CheckpointManifest
        {
            Version = CurrentVersion, Step = step, RunId = identity.RunId, WorldSize = worldSize,
            Recipe = identity.Recipe, Data = identity.Data, Tokenizer = identity.Tokenizer, Frozen = identity.Frozen,
            Files = [.. Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal)
                .Select(path => new CheckpointFile(Path.GetFileName(path), new FileInfo(path).Length, Hashing.Sha256File(path)))],
        };
        var json = JsonSerializer.Serialize(manifest, s_json);
        Durable.WriteText(Path.Combine(folder, FileName), $"{json}\n{Hashing.Sha256(Encoding.UTF8.GetBytes(json))}\n");
    }

    /// <summary>Reads the manifest of a checkpoint and holds every file against it, byte for byte.</summary>
    /// <exception cref="UserException">One line: what is wrong.</exception>
    public static CheckpointManifest Verify(string folder, long step, string runId)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path)) throw new UserException($"{folder}: holds no {FileName}");
        var text = File.ReadAllBytes(path);
        var end = text.AsSpan().IndexOf((byte)'\n');
        if (end < 0 || text.Length != end + 66 || text[^1] != '\n' || Encoding.ASCII.GetString(text, end + 1, 64) != Hashing.Sha256(text.AsSpan(0, end)))
            throw new UserException($"{path}: damaged: its own checksum does not fit");
        var manifest = StrictJson.Read<CheckpointManifest>(text.AsMemory(0, end), path);
        if (manifest.Version != CurrentVersion) throw new UserException($"{path}: version {manifest.Version} is not known; this build reads version {CurrentVersion}");
        if (manifest.Step != step) throw new UserException(FormattableString.Invariant($"{path}: belongs to step {manifest.Step}, not {step}"));
        if (manifest.RunId != runId) throw new UserException($"{path}: belongs to another run ({manifest.RunId})");
        foreach (var file in manifest.Files)
        {
            if (file.Name.Length == 0 || Path.GetFileName(file.Name) != file.Name) throw new UserException($"{path}: names a file outside the checkpoint");
            var full = Path.Combine(folder, file.Name);
            if (!File.Exists(full)) throw new UserException($"{full}: missing");
            if (new FileInfo(full).Length != file.Bytes) throw new UserException(FormattableString.Invariant($"{full}: {new FileInfo(full).Length} bytes instead of {file.Bytes}"));
            if (Hashing.Sha256File(full) != file.Sha256) throw new UserException($"{full}: damaged: its SHA-256 does not fit the manifest");
        }
        return manifest;
    }
}

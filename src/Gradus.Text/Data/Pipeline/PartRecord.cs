using System.Text.Json;
using Gradus.Foundation.Files;
using Gradus.Text.Data.Sources;

namespace Gradus.Text.Data.Pipeline;

/// <summary><c>counts.json</c> of a finished part: what went in, what came out, what became of the rest.</summary>
internal sealed record PartRecord
{
    public const string FileName = "counts.json";
    public const int CurrentVersion = 1;

    private static readonly JsonSerializerOptions s_json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true, NewLine = "\n" };

    public required int Version { get; init; }

    /// <summary>Documents read: from the sources, or from the part before.</summary>
    public required long Read { get; init; }

    public required long Documents { get; init; }

    public required long TextBytes { get; init; }

    public required ReadCounts? Sources { get; init; }

    public required IReadOnlyList<StepCounts> Steps { get; init; }

    public void Write(string folder) => File.WriteAllText(Path.Combine(folder, FileName), JsonSerializer.Serialize(this, s_json) + "\n");

    public static PartRecord ReadFrom(string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
            throw new UserException($"{folder}: holds no {FileName}. Delete the folder; it is made again.");
        return StrictJson.Read<PartRecord>(File.ReadAllBytes(path), path);
    }
}

/// <summary>What reading the sources of a part came to.</summary>
public sealed record ReadCounts
{
    /// <summary>Files read to their end.</summary>
    public long Files { get; set; }

    /// <summary>Records that could not be used.</summary>
    public long Skipped { get; set; }

    /// <summary>Records without text.</summary>
    public long Empty { get; set; }

    /// <summary>Ill-formed bytes replaced.</summary>
    public long Replaced { get; set; }

    /// <summary>Well-formed records that are no documents by their format's own rules, by rule.</summary>
    public SortedDictionary<string, long> LeftOut { get; set; } = new(StringComparer.Ordinal);

    /// <summary>Why records were skipped: the first few.</summary>
    public List<string> SkippedBecause { get; set; } = [];

    internal static ReadCounts Of(SourceReport report) => new() { Files = report.Files, Skipped = report.Skipped, Empty = report.Empty, Replaced = report.Replaced, LeftOut = new SortedDictionary<string, long>(report.LeftOut.ToDictionary(l => l.Key, l => l.Value), StringComparer.Ordinal), SkippedBecause = [.. report.Reasons] };

    internal void Add(ReadCounts other)
    {
        (Files, Skipped, Empty, Replaced) = (Files + other.Files, Skipped + other.Skipped, Empty + other.Empty, Replaced + other.Replaced);
        foreach (var (rule, count) in other.LeftOut)
            LeftOut[rule] = LeftOut.GetValueOrDefault(rule) + count;
        SkippedBecause.AddRange(other.SkippedBecause.Take(SourceReport.MaxReasons - SkippedBecause.Count));
    }
}

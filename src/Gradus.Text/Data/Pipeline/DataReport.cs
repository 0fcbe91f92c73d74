using System.Text.Encodings.Web;
using System.Text.Json;
using Gradus.Text.Data.Mixing;

namespace Gradus.Text.Data.Pipeline;

/// <summary><c>report.json</c>: what was read, what each step let through, and what was dropped under which rule, with examples.</summary>
public sealed record DataReport
{
    /// <summary>The file's name in a prepared folder.</summary>
    public const string FileName = "report.json";

    private static readonly JsonSerializerOptions s_json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Documents read from the sources.</summary>
    public required long Read { get; init; }

    /// <summary>What the sources left out before any step.</summary>
    public required ReadCounts Sources { get; init; }

    /// <summary>The steps in order.</summary>
    public required IReadOnlyList<StepCounts> Steps { get; init; }

    /// <summary>Documents that came through all of them.</summary>
    public required long Kept { get; init; }

    /// <summary>Their text in UTF-8 bytes.</summary>
    public required long KeptBytes { get; init; }

    /// <summary>What global steps found, by step: candidates compared, clusters.</summary>
    public required SortedDictionary<string, SortedDictionary<string, long>> Notes { get; init; }

    /// <summary>Documents and text of each split that has any.</summary>
    public SortedDictionary<string, SplitCounts> Splits { get; init; } = new(StringComparer.Ordinal);

    /// <summary>What the mixture made of them, if there is one.</summary>
    public MixReport? Mix { get; init; }

    /// <summary>Documents in the dataset: those that were kept, or what the mixture made of them.</summary>
    internal long Written => Mix?.Documents ?? Kept;

    internal string ToJson() => JsonSerializer.Serialize(this, s_json) + "\n";
}

/// <summary>How much of a dataset is in one split.</summary>
/// <param name="Documents">Documents.</param>
/// <param name="Bytes">UTF-8 bytes of text.</param>
public sealed record SplitCounts(long Documents, long Bytes);

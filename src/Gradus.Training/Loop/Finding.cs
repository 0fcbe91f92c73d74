using System.Text.Json.Serialization;

namespace Gradus.Training.Loop;

/// <summary>How much a finding weighs.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<FindingLevel>))]
public enum FindingLevel
{
    /// <summary>As it should be.</summary>
    [JsonStringEnumMemberName("ok")]
    Ok,

    /// <summary>To be looked at; the run goes on.</summary>
    [JsonStringEnumMemberName("warning")]
    Warning,

    /// <summary>The run would be worth nothing: it does not begin, unless <c>--force</c> names the check.</summary>
    [JsonStringEnumMemberName("stop")]
    Stop,
}

/// <summary>What one check of the preflight found.</summary>
/// <param name="Name">The check, one of <see cref="Names"/>.</param>
/// <param name="Level">How much it weighs.</param>
/// <param name="Text">What was found, in a line.</param>
public sealed record Finding(string Name, FindingLevel Level, string Text)
{
    internal const string Template = "template", Masks = "masks", EndOfTurn = "end-of-turn", Leaks = "leaks", Truncated = "truncated", Overfit = "overfit", Moved = "moved", Frozen = "frozen";

    /// <summary>Every check's name; they stay as they are, since <c>--force</c> takes them.</summary>
    public static IReadOnlyList<string> Names { get; } = [Template, Masks, EndOfTurn, Leaks, Truncated, Overfit, Moved, Frozen];

    /// <summary>A stop that <c>--force</c> let through.</summary>
    public bool Forced { get; init; }

    internal bool Stops => Level == FindingLevel.Stop && !Forced;

    /// <summary><c>stop, forced: overfit: …</c></summary>
    public override string ToString() => $"{(Level switch { FindingLevel.Ok => "ok", FindingLevel.Warning => "warning", _ => "stop" })}{(Forced ? ", forced" : "")}: {Name}: {Text}";
}

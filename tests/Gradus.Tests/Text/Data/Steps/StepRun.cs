using System.Text;
using Gradus.Text.Data;
using Gradus.Text.Data.Steps;

namespace Gradus.Tests.Text.Data.Steps;

/// <summary>What a step made of one text.</summary>
/// <param name="Text">Its text afterwards; null when it was dropped.</param>
/// <param name="Rule">The rule that dropped it.</param>
/// <param name="Detail">What the rule said.</param>
/// <param name="Edits">Changes by rule.</param>
internal sealed record StepRun(string? Text, string? Rule, string? Detail, IReadOnlyDictionary<string, long> Edits)
{
    public static StepRun Of(LocalStep step, string text, params (string Key, string Value)[] meta)
    {
        var draft = new Draft();
        draft.Start(new Document(Encoding.UTF8.GetBytes(text), "test:1", null, meta.ToDictionary(m => m.Key, m => m.Value, StringComparer.Ordinal)));
        step.Build().Apply(draft);
        return new StepRun(draft.DroppedBy is null ? Encoding.UTF8.GetString(draft.Text) : null, draft.DroppedBy, draft.Detail, draft.Edits.GroupBy(e => e.Rule, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Sum(e => e.Count), StringComparer.Ordinal));
    }

    /// <summary>Words of English that no rule minds: no two lines, 5-grams or frequent pairs alike.</summary>
    public static string Prose(int words, ulong seed = 1)
    {
        string[] pool = ["river", "stone", "letter", "window", "harbour", "morning", "teacher", "garden", "winter", "story", "market", "travel", "silver", "forest", "engine", "summer", "kitchen", "doctor", "evening", "people", "paper", "mountain", "answer", "village", "music",
            "carried", "wrote", "found", "built", "painted", "followed", "opened", "crossed", "remembered", "watched", "small", "bright", "old", "quiet", "narrow", "early", "distant", "warm", "hidden", "plain", "the", "and", "of", "with", "to", "that", "have", "be"];
        var draws = new Gradus.Foundation.Files.Counter(seed, "prose");
        var text = new StringBuilder();
        for (var i = 0; i < words; i++)
        {
            var word = i % 4 == 1 ? pool[45 + draws.Below((ulong)i, 8)] : pool[draws.Below((ulong)i, 45)];
            text.Append(i % 12 == 0 ? char.ToUpperInvariant(word[0]) + word[1..] : word).Append(i % 12 == 11 || i == words - 1 ? ". " : " ");
        }

        return text.ToString().Trim();
    }
}

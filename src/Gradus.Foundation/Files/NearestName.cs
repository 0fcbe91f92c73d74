namespace Gradus.Foundation.Files;

/// <summary>"Did you mean": the known name closest to what was typed, by edits and swapped neighbours (Damerau-Levenshtein, optimal string alignment).</summary>
public static class NearestName
{
    /// <summary>The closest of <paramref name="known"/>, or null when none is close enough to be a likely slip. Ties go to ordinal order.</summary>
    public static string? Of(string name, IEnumerable<string> known)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(known);
        if (name.Length is 0 or > 200)
            return null;
        // A third of the letters may be wrong: 'lr' finds nothing by accident, 'leanring_rate' finds 'learning_rate'.
        var limit = Math.Max(1, name.Length / 3);
        var typed = Plain(name);
        var candidates = known.ToArray();
        return candidates.Select(candidate => (Name: candidate, Edits: Distance(typed, Plain(candidate))))
            .Where(c => c.Edits <= limit && c.Edits < Math.Max(c.Name.Length, name.Length))
            .OrderBy(c => c.Edits).ThenBy(c => c.Name, StringComparer.Ordinal)
            .Select(c => c.Name).FirstOrDefault() ?? Shortened(name, candidates);
    }

    // 'lr' for learning_rate, 'warmup' for warmup_steps: said only when one name alone can be meant.
    private static string? Shortened(string name, string[] known)
    {
        var meant = known.Where(candidate => candidate.Split('_', '-', '.') is { Length: > 1 } words
            && (words.Contains(name, StringComparer.OrdinalIgnoreCase) || string.Concat(words.Select(word => word.Length > 0 ? word[..1] : "")).Equals(name, StringComparison.OrdinalIgnoreCase))).Take(2).ToArray();
        return meant is [var only] ? only : null;
    }

    /// <summary>The end of an error line: <c>; did you mean 'x'?</c>, else the known names when they fit a line, else nothing.</summary>
    public static string Hint(string name, IEnumerable<string> known)
    {
        var names = known.Order(StringComparer.Ordinal).ToArray();
        if (Of(name, names) is { } near)
            return $"; did you mean '{near}'?";
        var all = string.Join(", ", names);
        return all.Length is > 0 and <= 200 ? $"; known: {all}" : "";
    }

    /// <summary>Insertions, deletions, substitutions and swaps of neighbours that turn <paramref name="a"/> into <paramref name="b"/>.</summary>
    public static int Distance(string a, string b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        var (before, previous, current) = (new int[b.Length + 1], new int[b.Length + 1], new int[b.Length + 1]);
        for (var j = 0; j <= b.Length; j++)
            previous[j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            current[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var substitute = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                current[j] = Math.Min(substitute, Math.Min(previous[j], current[j - 1]) + 1);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    current[j] = Math.Min(current[j], before[j - 2] + 1);
            }
            (before, previous, current) = (previous, current, before);
        }
        return previous[b.Length];
    }

    // Case and the choice of separator are not worth an edit: 'LearningRate' and 'learning-rate' are 'learning_rate'.
    private static string Plain(string name) => name.Replace("_", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal).ToLowerInvariant();
}

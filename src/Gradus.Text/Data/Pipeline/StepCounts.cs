namespace Gradus.Text.Data.Pipeline;

/// <summary>A dropped document, for a person to look at.</summary>
/// <param name="Origin">Where it came from.</param>
/// <param name="Text">Its beginning, with private data taken out.</param>
/// <param name="Detail">The figure or the finding that decided; empty when there is none.</param>
public sealed record DropExample(string Origin, string Text, string Detail);

/// <summary>What one rule of a step did.</summary>
public sealed class RuleCounts
{
    /// <summary>Examples kept of each rule.</summary>
    public const int MaxExamples = 3;

    /// <summary>Documents dropped.</summary>
    public long Documents { get; set; }

    /// <summary>Their text, in UTF-8 bytes.</summary>
    public long Bytes { get; set; }

    /// <summary>Changes made to documents that stayed: lines removed, addresses replaced.</summary>
    public long Edits { get; set; }

    /// <summary>The first few that were dropped, in the order of the documents.</summary>
    public List<DropExample> Examples { get; set; } = [];
}

/// <summary>What one step took in, let through and dropped. What goes in comes out or is counted under a rule.</summary>
public sealed class StepCounts
{
    /// <summary>Place in the recipe (from 1) and kind: <c>3 gopher-quality</c>.</summary>
    public string Step { get; set; } = "";

    /// <summary>Documents that reached the step.</summary>
    public long In { get; set; }

    /// <summary>Documents it let through.</summary>
    public long Kept { get; set; }

    /// <summary>UTF-8 bytes of text that reached it.</summary>
    public long InBytes { get; set; }

    /// <summary>UTF-8 bytes of text it let through, changes made to it included.</summary>
    public long KeptBytes { get; set; }

    /// <summary>By rule, in ordinal order.</summary>
    public SortedDictionary<string, RuleCounts> Rules { get; set; } = new(StringComparer.Ordinal);

    /// <summary>Documents dropped under all rules.</summary>
    public long Dropped() => Rules.Values.Sum(r => r.Documents);

    internal RuleCounts Rule(string name)
    {
        if (!Rules.TryGetValue(name, out var rule))
            Rules[name] = rule = new RuleCounts();
        return rule;
    }

    internal void Add(StepCounts other)
    {
        (In, Kept, InBytes, KeptBytes) = (In + other.In, Kept + other.Kept, InBytes + other.InBytes, KeptBytes + other.KeptBytes);
        foreach (var (name, counts) in other.Rules)
        {
            var rule = Rule(name);
            (rule.Documents, rule.Bytes, rule.Edits) = (rule.Documents + counts.Documents, rule.Bytes + counts.Bytes, rule.Edits + counts.Edits);
            rule.Examples.AddRange(counts.Examples.Take(RuleCounts.MaxExamples - rule.Examples.Count));
        }
    }

    /// <summary>
    /// Proves a chain of counts: each step lets through what it took in less what it dropped, and takes in what the one before let
    /// through; the first takes in what was read, the last lets through what was written.
    /// </summary>
    /// <exception cref="InvalidOperationException">A document was lost or counted twice: a fault of the program, never of the data.</exception>
    internal static void Check(IReadOnlyList<StepCounts> steps, long read, long written, string where)
    {
        var before = read;
        foreach (var step in steps)
        {
            if (step.In != before)
                throw new InvalidOperationException(FormattableString.Invariant($"{where}: step {step.Step} took in {step.In} documents, but {before} came to it"));
            if (step.In != step.Kept + step.Dropped())
                throw new InvalidOperationException(FormattableString.Invariant($"{where}: step {step.Step} took in {step.In} documents, let {step.Kept} through and dropped {step.Dropped()}: the totals do not add up"));
            before = step.Kept;
        }

        if (before != written)
            throw new InvalidOperationException(FormattableString.Invariant($"{where}: {written} documents were written, but {before} were let through"));
    }
}

using System.Globalization;
using Gradus.Foundation.Recipes;
using Gradus.Text.Data.Sources;
using Gradus.Text.Data.Steps;

namespace Gradus.Text.Data.Dedup;

/// <summary>What becomes of a document that holds a part of an evaluation set.</summary>
public enum ContaminationAction
{
    /// <summary>It goes.</summary>
    Drop,

    /// <summary>It stays, and is counted.</summary>
    Count,
}

/// <summary>
/// Drops documents that hold items of evaluation sets, so that what a model is asked later is not what it has read: a shared run of 13
/// words (GPT-3) or of 50 letters and digits (GPT-4). The report says which item was found where. Case, punctuation and spaces do not count.
/// </summary>
/// <remarks>The evaluation sets are kept in memory, about 16 bytes for each of theirs; the documents are not.</remarks>
[Component("decontaminate")]
public sealed record Decontaminate : LocalStep
{
    private readonly Lock _gate = new();
    private EvaluationIndex? _index;
    private IReadOnlyList<SourceOptions>? _indexOf;

    /// <summary>The evaluation sets: each document of these sources is an item.</summary>
    public required IReadOnlyList<SourceOptions> Against { get; init; }

    /// <summary>Words in a run that must not be shared; 0: runs of words are not looked at.</summary>
    [AtLeast(0)]
    [AtMost(64)]
    public int NGram { get; init; } = 13;

    /// <summary>An item with fewer words than <c>n_gram</c>, but at least so many, is looked for whole.</summary>
    [AtLeast(1)]
    public int MinWords { get; init; } = 8;

    /// <summary>Letters and digits in a run that must not be shared; 0: they are not looked at.</summary>
    [AtLeast(0)]
    [AtMost(10_000)]
    public int Substring { get; init; } = 50;

    /// <summary>What becomes of a document that holds one.</summary>
    public ContaminationAction Action { get; init; }

    protected internal override IReadOnlyList<string> Inputs() => [.. Against.SelectMany(s => s.Files())];

    protected internal override IReadOnlyDictionary<string, long>? Notes() => Index().Notes;

    public override IDocumentStep Build() => new Step(this, Index());

    /// <summary>One index for all threads.</summary>
    private EvaluationIndex Index()
    {
        lock (_gate)
        {
            if (_index is null || !ReferenceEquals(_indexOf, Against))
                (_index, _indexOf) = (new EvaluationIndex(Against, NGram, MinWords, Substring), Against);
            return _index;
        }
    }

    public bool Equals(Decontaminate? other) => other is not null && Against.SequenceEqual(other.Against) && (NGram, MinWords, Substring, Action) == (other.NGram, other.MinWords, other.Substring, other.Action);

    public override int GetHashCode() => NGram;

    private sealed class Step(Decontaminate o, EvaluationIndex index) : IDocumentStep
    {
        private readonly EvaluationIndex.Searcher _searcher = index.CreateSearcher();

        public void Apply(Draft draft)
        {
            if (_searcher.Find(draft.Text) is not { } found)
                return;
            if (o.Action == ContaminationAction.Drop)
                draft.Drop(found.Rule, string.Create(CultureInfo.InvariantCulture, $"{found.Item} at byte {found.At}"));
            else
                draft.CountEdits(found.Rule);
        }
    }
}

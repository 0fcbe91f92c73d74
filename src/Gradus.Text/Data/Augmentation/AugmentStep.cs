using System.Text;
using Gradus.Foundation.Recipes;
using Gradus.Text.Data.Steps;

namespace Gradus.Text.Data.Augmentation;

/// <summary>Changes a share of the documents in place. To keep the original and add changed copies, use <c>mix.augment</c>.</summary>
[Component("augment")]
public sealed record AugmentStep : LocalStep
{
    /// <summary>What is done, one after the other.</summary>
    public required IReadOnlyList<TextAugmentation> With { get; init; }

    /// <summary>Share of the documents that are changed; their own content decides.</summary>
    [Above(0)]
    [AtMost(1)]
    public double Share { get; init; } = 1;

    /// <summary>Another seed makes other changes.</summary>
    [AtLeast(0)]
    public long Seed { get; init; }

    protected internal override IReadOnlyList<string> Inputs() => [.. With.SelectMany(w => w.Inputs())];

    public override IDocumentStep Build() => new Step(this);

    private sealed class Step(AugmentStep o) : IDocumentStep
    {
        private readonly ITextChange[] _changes = [.. o.With.Select(w => w.Build())];

        public void Apply(Draft draft)
        {
            var draws = new Draws(draft.Text, o.Seed, copy: 0);
            if (draws.Unit() >= o.Share)
                return;
            var text = Encoding.UTF8.GetString(draft.Text);
            var changed = _changes.Aggregate(text, (t, change) => change.Apply(t, draws));
            if (changed == text)
                return;
            if (string.IsNullOrWhiteSpace(changed))
            {
                draft.Drop("nothing-left");
                return;
            }

            draft.Replace(Encoding.UTF8.GetBytes(changed));
            draft.CountEdits("document");
        }
    }
}

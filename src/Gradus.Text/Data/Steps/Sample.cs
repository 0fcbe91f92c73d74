using Gradus.Foundation.Kernels;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Data.Steps;

/// <summary>Keeps a share of the documents. A document's own content decides, so adding documents changes nothing for the others.</summary>
[Component("sample")]
public sealed record Sample : LocalStep
{
    /// <summary>The share to keep.</summary>
    [Above(0)]
    [AtMost(1)]
    public required double Share { get; init; }

    /// <summary>Another seed is another sample.</summary>
    [AtLeast(0)]
    public long Seed { get; init; }

    public override IDocumentStep Build() => new Step(this);

    private sealed class Step(Sample o) : IDocumentStep
    {
        public void Apply(Draft draft)
        {
            var unit = (Hash64.Mix(Hash64.Of(draft.Text, Hash64.Mix((ulong)o.Seed))) >> 11) * (1.0 / (1UL << 53));
            if (unit >= o.Share)
                draft.Drop("not-sampled");
        }
    }
}

using Gradus.Foundation.Recipes;
using Gradus.Text.Data.Pipeline;

namespace Gradus.Text.Data.Steps;

/// <summary>Keeps the first documents, up to a number.</summary>
[Component("limit")]
public sealed record Limit : GlobalStep
{
    /// <summary>How many documents to keep.</summary>
    [AtLeast(1)]
    public required long Documents { get; init; }

    internal override string Rule => "over-the-limit";

    internal override IIndexer BuildIndexer() => new Nothing();

    internal override void Decide(GlobalInput input, DecisionWriter output)
    {
        for (var global = Documents; global < input.Documents; global++)
        {
            var (partition, ordinal) = input.Local(global);
            output.Drop(partition, ordinal, Decision.Nobody, Decision.Nobody);
        }
    }

    /// <summary>The number of documents is all that is needed, and known.</summary>
    private sealed class Nothing : IIndexer
    {
        public void Index(Draft draft, List<IndexEntry> entries)
        {
        }
    }
}

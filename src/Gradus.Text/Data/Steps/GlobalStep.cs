using Gradus.Text.Data.Pipeline;

namespace Gradus.Text.Data.Steps;

/// <summary>
/// A step that needs all documents to judge one. Each document leaves entries in an index, on the way and in parallel; one decision is
/// taken over the sorted index of all partitions; what it says is applied to each document when it is next read.
/// </summary>
public abstract record GlobalStep : DataStep
{
    /// <summary>The name under which dropped documents are counted.</summary>
    internal abstract string Rule { get; }

    /// <summary>Adds the entries of one document: called in parallel, made once a thread.</summary>
    internal abstract IIndexer BuildIndexer();

    /// <summary>Reads the index of all documents and says what goes.</summary>
    internal abstract void Decide(GlobalInput input, DecisionWriter output);
}

/// <summary>What a <see cref="GlobalStep"/> builds to look at each document.</summary>
internal interface IIndexer
{
    /// <summary>Adds what the decision needs to know; partition and ordinal are filled in by the caller.</summary>
    void Index(Draft draft, List<IndexEntry> entries);
}

using Gradus.Foundation.Recipes;

namespace Gradus.Text.Data.Steps;

/// <summary>
/// What a pipeline does to its documents, one step after the other: cleans, filters, removes duplicates. A step is one sealed record with
/// <c>[Component]</c> in one file, derived from <see cref="LocalStep"/> or, when one document cannot be judged without the others, from
/// <see cref="GlobalStep"/>.
/// </summary>
[Socket("steps")]
public abstract record DataStep
{
    /// <summary>Files whose content decides (word lists, evaluation sets). Their bytes count for the cache, their names do not.</summary>
    protected internal virtual IReadOnlyList<string> Inputs() => [];

    /// <summary>Raised when the rule changes, so that what an older build cached is made anew.</summary>
    protected internal virtual int Version => 1;

    /// <summary>Figures about the step itself for the report, such as how many items it looks for; null: none.</summary>
    protected internal virtual IReadOnlyDictionary<string, long>? Notes() => null;
}

/// <summary>A step that looks at one document at a time: keeps it, changes it, or drops it under the name of a rule.</summary>
public abstract record LocalStep : DataStep
{
    /// <summary>The worker: made once a thread, so it may hold scratch memory; what it does may depend on nothing but the document.</summary>
    /// <exception cref="Gradus.Foundation.Files.UserException">A file it needs is missing or wrong.</exception>
    public abstract IDocumentStep Build();
}

/// <summary>What a <see cref="LocalStep"/> builds.</summary>
public interface IDocumentStep
{
    /// <summary>Looks at the document and says what becomes of it, by <see cref="Draft.Drop"/>, <see cref="Draft.Replace"/> or nothing.</summary>
    void Apply(Draft draft);
}

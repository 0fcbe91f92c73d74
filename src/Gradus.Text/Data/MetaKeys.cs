namespace Gradus.Text.Data;

/// <summary>The names under which <see cref="Document.Meta"/> holds what a format says about a document. Others may stand beside them.</summary>
public static class MetaKeys
{
    /// <summary>Address it was fetched from.</summary>
    public const string Url = "url";

    /// <summary>ISO 8601: <c>2019-04-25</c> or <c>2019-04-25T12:57:54Z</c>, or a year alone.</summary>
    public const string Date = "date";

    public const string Title = "title";

    public const string Author = "author";

    /// <summary>As the file says it: an SPDX id where it can be told.</summary>
    public const string License = "license";

    /// <summary>BCP 47 for a natural language, the usual lower-case name for source code: <c>en</c>, <c>python</c>.</summary>
    public const string Language = "language";

    /// <summary>Which collection it belongs to.</summary>
    public const string Source = "source";

    /// <summary>Its id within its collection.</summary>
    public const string Id = "id";

    /// <summary>Votes, karma, or a filter's score: a number, invariant.</summary>
    public const string Score = "score";
}

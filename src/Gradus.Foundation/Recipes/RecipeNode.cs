using System.Globalization;

namespace Gradus.Foundation.Recipes;

internal enum NodeKind { Scalar, List, Map }

/// <summary>Where a piece of the recipe was written: a place in the file, or (line 0) an override, with the path it sets.</summary>
internal sealed record Origin(string File, int Line, int Column, string? Path = null)
{
    public RecipeProblem Problem(string message) => new(File, Line, Column, message);

    /// <summary>A problem of the value at <paramref name="path"/>; an override already names its own path.</summary>
    public RecipeProblem Problem(string path, string message) => Problem(path.Length == 0 || path == Path ? message : $"{path}: {message}");
}

/// <summary>A node of the recipe: YAML syntax reduced to what recipes use, every piece knowing where it was written.</summary>
internal sealed class RecipeNode(NodeKind kind, Origin origin)
{
    public NodeKind Kind { get; } = kind;
    public Origin Origin { get; } = origin;

    /// <summary>A scalar's text.</summary>
    public string Text { get; init; } = "";

    /// <summary>A scalar written without quotes, which may be a number, a truth value or null.</summary>
    public bool Plain { get; init; }

    public List<RecipeNode> Items { get; } = [];
    public List<Entry> Entries { get; } = [];

    public bool IsNull => Kind == NodeKind.Scalar && Plain && Text is "" or "~" or "null" or "Null" or "NULL";

    public Entry? Find(string key) => Entries.Find(entry => entry.Key == key);

    /// <summary>For the end of "expected a number, got …".</summary>
    public string Describe() => Kind switch
    {
        NodeKind.List => "a list",
        NodeKind.Map => "a section",
        _ when IsNull => "nothing",
        _ => Quote(Text),
    };

    /// <summary>A user's text inside a message: one line, no control characters, not endless.</summary>
    public static string Quote(string text)
    {
        const int Most = 60;
        var shown = string.Concat(text.Take(Most).Select(c => char.IsControl(c) || char.IsSurrogate(c) || c is '\u2028' or '\u2029'
            ? char.IsSurrogate(c) ? c.ToString() : string.Create(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}") : c.ToString()));
        return text.Length > Most ? $"'{shown.TrimEnd()}…'" : $"'{shown}'";
    }
}

/// <summary>One <c>key: value</c> of a section.</summary>
internal sealed record Entry(string Key, Origin At, RecipeNode Value);

namespace Gradus.Text.Tokenizers.Chat;

/// <summary>The names of a macro or of the whole template: how many values a call of it needs room for.</summary>
internal sealed class Layout(Layout? outer)
{
    public Layout? Outer => outer;

    public int Count { get; set; }

    /// <summary>Names that decide what a macro accepts.</summary>
    public HashSet<string> Mentions { get; } = new(StringComparer.Ordinal);
}

/// <summary>A block that has names of its own (a loop's body, a macro's): what is set in it is gone behind it.</summary>
internal sealed class Scope(Layout layout, Scope? outer)
{
    private readonly Dictionary<string, int> _places = new(StringComparer.Ordinal);

    public Layout Layout => layout;

    public Scope? Outer => outer;

    /// <summary>The places to clear at its beginning; asked after parsing.</summary>
    public int[] Places => field ??= [.. _places.Values];

    public int Declare(string name)
    {
        if (!_places.TryGetValue(name, out var place))
            _places[name] = place = layout.Count++;
        return place;
    }

    /// <summary>Where a name may be found, from the inside out: calls up, place.</summary>
    public (int Up, int Place)[] Find(string name)
    {
        var found = new List<(int, int)>();
        var (up, at) = (0, layout);
        for (var scope = this; scope is not null; scope = scope.Outer)
        {
            for (; at != scope.Layout; at = at.Outer!)
                up++;
            if (scope._places.TryGetValue(name, out var place))
                found.Add((up, place));
        }

        return [.. found];
    }
}

/// <summary>The values of one call of a macro, or of the template.</summary>
internal sealed class Frame(int count, Frame? outer)
{
    public ChatValue?[] Values { get; } = new ChatValue?[count];

    public Frame? Outer => outer;

    public void Clear(int[] places)
    {
        foreach (var place in places)
            Values[place] = null;
    }
}

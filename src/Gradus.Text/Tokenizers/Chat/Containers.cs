namespace Gradus.Text.Tokenizers.Chat;

/// <summary>A list or a tuple. What the caller gave is read-only; a template may append to lists of its own.</summary>
internal sealed class ListValue(List<ChatValue> items, bool isTuple = false, bool isFixed = false, string[]? names = null) : ChatValue
{
    public List<ChatValue> Items => items;

    public bool IsTuple => isTuple;

    public bool IsFixed => isTuple || isFixed;

    public override string TypeName => isTuple ? "tuple" : "list";

    public override bool Truth => items.Count > 0;

    /// <summary>A place that has a name (the groups of <c>groupby</c>).</summary>
    public ChatValue? Attribute(string name) => names is not null && Array.IndexOf(names, name) is >= 0 and var place ? items[place] : null;

    public static ListValue Tuple(params List<ChatValue> items) => new(items, isTuple: true);
}

/// <summary>A dictionary in the order of its making.</summary>
internal sealed class DictValue(bool isFixed = false) : ChatValue
{
    private readonly List<(ChatValue Key, ChatValue Value)> _entries = [];
    private Dictionary<string, int>? _places; // only when there are many

    public List<(ChatValue Key, ChatValue Value)> Entries => _entries;

    public bool IsFixed => isFixed;

    public int Count => _entries.Count;

    public override string TypeName => "dict";

    public override bool Truth => _entries.Count > 0;

    public ChatValue? Find(string key)
    {
        var place = PlaceOf(key);
        return place < 0 ? null : _entries[place].Value;
    }

    public ChatValue? Find(ChatValue key, Render render)
    {
        var place = PlaceOf(key, render);
        return place < 0 ? null : _entries[place].Value;
    }

    public void Set(ChatValue key, ChatValue value, Render render)
    {
        var place = PlaceOf(key, render);
        if (place >= 0)
        {
            _entries[place] = (_entries[place].Key, value);
            return;
        }

        render.Budget.Take(48);
        Add(key, value);
    }

    /// <summary>Adds a key that is not there.</summary>
    public void Add(ChatValue key, ChatValue value)
    {
        _entries.Add((key, value));
        if (_places is not null && key is TextValue text)
            _places[text.Text] = _entries.Count - 1;
    }

    public ChatValue? Remove(ChatValue key, Render render)
    {
        var place = PlaceOf(key, render);
        if (place < 0)
            return null;
        render.Budget.Steps(_entries.Count);
        var value = _entries[place].Value;
        _entries.RemoveAt(place);
        _places = null;
        return value;
    }

    private int PlaceOf(ChatValue key, Render render)
    {
        if (key is TextValue text)
            return PlaceOf(text.Text);
        if (key is ListValue { IsTuple: false } or DictValue)
            throw new TemplateFault($"unhashable type: '{key.TypeName}'");
        render.Budget.Steps(_entries.Count);
        for (var i = 0; i < _entries.Count; i++)
            if (Python.Equal(render, _entries[i].Key, key))
                return i;
        return -1;
    }

    private int PlaceOf(string key)
    {
        if (_entries.Count > 8)
        {
            if (_places is null)
            {
                _places = new(_entries.Count, StringComparer.Ordinal);
                for (var i = 0; i < _entries.Count; i++)
                    if (_entries[i].Key is TextValue text)
                        _places[text.Text] = i;
            }

            return _places.TryGetValue(key, out var place) ? place : -1;
        }

        for (var i = 0; i < _entries.Count; i++)
            if (_entries[i].Key is TextValue text && text.Text == key)
                return i;
        return -1;
    }
}

/// <summary>What <c>namespace()</c> gives: names that blocks inside may set.</summary>
internal sealed class NamespaceValue(DictValue names) : ChatValue
{
    public DictValue Names => names;

    public override string TypeName => "Namespace";

    public override bool Truth => true;
}

/// <summary>The <c>loop</c> of a for block.</summary>
internal sealed class LoopValue(List<ChatValue> items) : ChatValue
{
    private List<ChatValue>? _last;

    public int Index { get; set; }

    public override string TypeName => "LoopContext";

    public override bool Truth => true;

    public ChatValue? Attribute(string name) => name switch
    {
        "index" => IntValue.Of(Index + 1),
        "index0" => IntValue.Of(Index),
        "revindex" => IntValue.Of(items.Count - Index),
        "revindex0" => IntValue.Of(items.Count - Index - 1),
        "first" => BoolValue.Of(Index == 0),
        "last" => BoolValue.Of(Index == items.Count - 1),
        "length" => IntValue.Of(items.Count),
        "depth" => IntValue.Of(1),
        "depth0" => IntValue.Of(0),
        "previtem" => Index > 0 ? items[Index - 1] : new UndefinedValue("there is no previous item"),
        "nextitem" => Index + 1 < items.Count ? items[Index + 1] : new UndefinedValue("there is no next item"),
        "cycle" => new CallableValue("loop.cycle", (_, a) => a.Values.Length == 0 ? throw new TemplateFault("no items for cycling given") : a.Values[Index % a.Values.Length]),
        "changed" => new CallableValue("loop.changed", Changed),
        _ => null,
    };

    private ChatValue Changed(Render render, Arguments arguments)
    {
        var now = arguments.Values.ToList();
        if (_last is not null && Python.Equal(render, new ListValue(_last), new ListValue(now)))
            return BoolValue.False;
        _last = now;
        return BoolValue.True;
    }
}

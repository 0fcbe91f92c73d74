namespace Gradus.Text.Tokenizers.Chat;

/// <summary>The methods of lists and dictionaries, and where those of strings are found. What the caller gave is never changed.</summary>
internal static class Methods
{
    public delegate ChatValue Method(Render render, ChatValue self, Arguments arguments);

    private static readonly Dictionary<string, Method> s_dict = new(StringComparer.Ordinal)
    {
        ["items"] = (render, self, _) => Items(render, (DictValue)self),
        ["keys"] = (render, self, _) => new ListValue([.. Python.Items(render, self)]),
        ["values"] = (render, self, _) =>
        {
            render.Budget.Take(((DictValue)self).Count * 8L);
            return new ListValue([.. ((DictValue)self).Entries.Select(e => e.Value)]);
        },
        ["get"] = (render, self, a) => ((DictValue)self).Find(a.Bind("get", ["key", "default"]).Need(0, "get"), render) ?? a.At(1) ?? NoneValue.Instance,
        ["copy"] = (render, self, _) => Copy(render, (DictValue)self),
        ["update"] = (render, self, a) =>
        {
            var own = Own((DictValue)self, "update");
            if (a.At(0) is { } other)
                foreach (var (key, value) in other is DictValue dict ? dict.Entries.ToArray() : throw new TemplateFault("update() takes a dictionary"))
                    own.Set(key, value, render);
            foreach (var (key, value) in a.Named)
                own.Set(new TextValue(key), value, render);
            return NoneValue.Instance;
        },
        ["setdefault"] = (render, self, a) =>
        {
            var own = Own((DictValue)self, "setdefault");
            if (own.Find(a.Need(0, "setdefault"), render) is { } found)
                return found;
            own.Set(a.Need(0, "setdefault"), a.At(1) ?? NoneValue.Instance, render);
            return a.At(1) ?? NoneValue.Instance;
        },
        ["pop"] = (render, self, a) => Own((DictValue)self, "pop").Remove(a.Need(0, "pop"), render) ?? a.At(1) ?? throw new TemplateFault("pop(): there is no such key"),
        ["popitem"] = (_, self, _) => throw TemplateFault.NotAllowed("'popitem' of a dict"),
        ["clear"] = (_, self, _) => throw TemplateFault.NotAllowed("'clear' of a dict"),
    };

    private static readonly Dictionary<string, Method> s_list = new(StringComparer.Ordinal)
    {
        ["append"] = (render, self, a) =>
        {
            render.Budget.Take(8);
            Own((ListValue)self, "append").Items.Add(a.Need(0, "append"));
            return NoneValue.Instance;
        },
        ["extend"] = (render, self, a) =>
        {
            var items = Python.Items(render, a.Need(0, "extend"));
            render.Budget.Take(items.Count * 32L);
            var more = items.ToArray(); // a list may be extended by itself
            Own((ListValue)self, "extend").Items.AddRange(more);
            return NoneValue.Instance;
        },
        ["insert"] = (render, self, a) =>
        {
            var items = Own((ListValue)self, "insert").Items;
            render.Budget.Take(8 + items.Count);
            var at = Python.Index(a.Need(0, "insert"), "a place");
            items.Insert(Math.Clamp(at < 0 ? at + items.Count : at, 0, items.Count), a.Need(1, "insert"));
            return NoneValue.Instance;
        },
        ["pop"] = (render, self, a) =>
        {
            var items = Own((ListValue)self, "pop").Items;
            var at = a.At(0) is { } place ? Python.Index(place, "a place") : -1;
            at += at < 0 ? items.Count : 0;
            if (at < 0 || at >= items.Count)
                throw new TemplateFault("pop(): there is no such place in the list");
            render.Budget.Steps(items.Count - at);
            var item = items[at];
            items.RemoveAt(at);
            return item;
        },
        ["remove"] = (render, self, a) =>
        {
            var items = Own((ListValue)self, "remove").Items;
            render.Budget.Steps(items.Count);
            var at = items.FindIndex(item => Python.Equal(render, item, a.Need(0, "remove")));
            if (at < 0)
                throw new TemplateFault("remove(): the list does not hold it");
            items.RemoveAt(at);
            return NoneValue.Instance;
        },
        ["reverse"] = (render, self, _) =>
        {
            var items = Own((ListValue)self, "reverse").Items;
            render.Budget.Steps(items.Count);
            items.Reverse();
            return NoneValue.Instance;
        },
        ["index"] = (render, self, a) =>
        {
            render.Budget.Steps(((ListValue)self).Items.Count);
            var at = ((ListValue)self).Items.FindIndex(item => Python.Equal(render, item, a.Need(0, "index")));
            return at >= 0 ? IntValue.Of(at) : throw new TemplateFault("index(): the list does not hold it");
        },
        ["count"] = (render, self, a) =>
        {
            render.Budget.Steps(((ListValue)self).Items.Count);
            return IntValue.Of(((ListValue)self).Items.Count(item => Python.Equal(render, item, a.Need(0, "count"))));
        },
        ["copy"] = (render, self, _) =>
        {
            render.Budget.Take(((ListValue)self).Items.Count * 8L);
            return new ListValue([.. ((ListValue)self).Items]);
        },
        ["sort"] = (_, _, _) => throw TemplateFault.NotAllowed("'sort' of a list (the filter |sort makes a sorted one)"),
        ["clear"] = (_, _, _) => throw TemplateFault.NotAllowed("'clear' of a list"),
    };

    private static readonly Dictionary<string, Method> s_tuple = new(s_list.Where(m => m.Key is "index" or "count"), StringComparer.Ordinal);

    public static Method? Find(ChatValue self, string name)
    {
        var methods = self switch
        {
            TextValue => TextMethods.All,
            DictValue => s_dict,
            ListValue list => list.IsTuple ? s_tuple : s_list,
            _ => null,
        };
        return methods is not null && methods.TryGetValue(name, out var method) ? method : null;
    }

    public static ListValue Items(Render render, DictValue dict)
    {
        render.Budget.Take(dict.Count * 64L);
        var items = new List<ChatValue>(dict.Count);
        foreach (var (key, value) in dict.Entries)
            items.Add(ListValue.Tuple(key, value));
        return new ListValue(items);
    }

    public static DictValue Copy(Render render, DictValue dict)
    {
        render.Budget.Take(dict.Count * 48L);
        var copy = new DictValue();
        foreach (var (key, value) in dict.Entries)
            copy.Add(key, value);
        return copy;
    }

    private static DictValue Own(DictValue dict, string method) => dict.IsFixed ? throw TemplateFault.NotAllowed($"'{method}' on what was given to the template") : dict;

    private static ListValue Own(ListValue list, string method) => list.IsFixed ? throw TemplateFault.NotAllowed($"'{method}' on what was given to the template") : list;
}

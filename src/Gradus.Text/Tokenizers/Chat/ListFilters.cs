using System.Globalization;

namespace Gradus.Text.Tokenizers.Chat;

/// <summary>The filters that go over lists and dictionaries.</summary>
internal static class ListFilters
{
    public static IEnumerable<Filter> All =>
    [
        new("length", [], (r, v, _) => IntValue.Of(Python.Length(r, v))),
        new("count", [], (r, v, _) => IntValue.Of(Python.Length(r, v))),
        new("list", [], (r, v, _) => Copied(r, Python.Items(r, v))),
        new("first", [], (r, v, _) => Python.Items(r, v) is [var first, ..] ? first : new UndefinedValue("no first item: there is none")),
        new("last", [], (r, v, _) => Python.Items(r, v) is [.., var last] ? last : new UndefinedValue("no last item: there is none")),
        new("join", ["d", "attribute"], Join),
        new("items", [], (r, v, _) => v is UndefinedValue ? new ListValue([]) : v is DictValue dict ? Methods.Items(r, dict) : throw new TemplateFault($"|items needs a dictionary, not '{v.TypeName}'")),
        new("dictsort", ["case_sensitive", "by", "reverse"], DictSort),
        new("sort", ["reverse", "case_sensitive", "attribute"], (r, v, a) => new ListValue(Ordering.Sorted(r, Python.Items(r, v), Key(r, a.At(2), !(a.At(1)?.Truth ?? false), many: true), a.At(0)?.Truth ?? false))),
        new("unique", ["case_sensitive", "attribute"], Unique),
        new("reverse", [], Reverse),
        new("sum", ["attribute", "start"], Sum),
        new("min", ["case_sensitive", "attribute"], (r, v, a) => Extreme(r, v, a, -1)),
        new("max", ["case_sensitive", "attribute"], (r, v, a) => Extreme(r, v, a, 1)),
        new("batch", ["linecount", "fill_with"], Batch),
        new("slice", ["slices", "fill_with"], Slice),
        new("groupby", ["attribute", "default", "case_sensitive"], GroupBy),
        new("map", null, Map),
        new("select", null, (r, v, a) => Choose(r, v, a, attribute: false, wanted: true)),
        new("reject", null, (r, v, a) => Choose(r, v, a, attribute: false, wanted: false)),
        new("selectattr", null, (r, v, a) => Choose(r, v, a, attribute: true, wanted: true)),
        new("rejectattr", null, (r, v, a) => Choose(r, v, a, attribute: true, wanted: false)),
    ];

    private static ChatValue Sum(Render render, ChatValue value, Arguments a)
    {
        var (sum, key) = (a.At(1) ?? IntValue.Of(0), Key(render, a.At(0), false));
        foreach (var item in Python.Items(render, value))
        {
            render.Budget.Step();
            sum = Arithmetic.Add(render, sum, key(item));
        }

        return sum;
    }

    private static ListValue Copied(Render render, List<ChatValue> items)
    {
        render.Budget.Take(items.Count * 8L);
        return new ListValue([.. items]);
    }

    /// <summary>What an attribute like <c>a.b.0</c> finds in an item; several separated by commas give a tuple where <paramref name="many"/>.</summary>
    private static Func<ChatValue, ChatValue> Key(Render render, ChatValue? attribute, bool ignoreCase, bool many = false, ChatValue? otherwise = null)
    {
        ChatValue Plain(ChatValue value)
        {
            if (otherwise is not null && value is UndefinedValue)
                value = otherwise;
            return ignoreCase && value is TextValue text ? TextMethods.Cased(render, text, TextMethods.Lower) : value;
        }

        if (attribute is null or NoneValue)
            return Plain;
        if (attribute is not TextValue path)
            return item => Plain(Python.Item(render, item, attribute));
        var paths = (many ? path.Text.Split(',') : [path.Text]).Select(p => p.Split('.').Select(part => part.Length > 0 && part.All(char.IsAsciiDigit) ? IntValue.Of(long.Parse(part, CultureInfo.InvariantCulture)) : (ChatValue)new TextValue(part)).ToArray()).ToArray();
        ChatValue Follow(ChatValue item, ChatValue[] parts)
        {
            foreach (var part in parts)
            {
                render.Budget.Step();
                item = Python.Item(render, item, part);
            }

            return Plain(item);
        }

        return paths is [var only] ? item => Follow(item, only) : item => new ListValue([.. paths.Select(p => Follow(item, p))]);
    }

    private static TextValue Join(Render render, ChatValue value, Arguments a)
    {
        var items = Python.Items(render, value);
        if (a.At(1) is { } attribute and not NoneValue)
            items = [.. items.Select(Key(render, attribute, false))];
        return TextMethods.Join(render, a.At(0) is { } between ? PythonText.Str(render, between) : TextValue.Empty, items, strict: false);
    }

    private static ListValue DictSort(Render render, ChatValue value, Arguments a)
    {
        if (value is not DictValue dict)
            throw new TemplateFault($"|dictsort needs a dictionary, not '{Python.Defined(value).TypeName}'");
        var place = a.At(1) is null ? 0 : TextMethods.Text(a.At(1)!) switch { "key" => 0, "value" => 1, _ => throw new TemplateFault("|dictsort sorts by 'key' or by 'value'") };
        var key = Key(render, null, !(a.At(0)?.Truth ?? false));
        return new ListValue(Ordering.Sorted(render, Methods.Items(render, dict).Items, pair => key(((ListValue)pair).Items[place]), a.At(2)?.Truth ?? false));
    }

    private static ListValue Unique(Render render, ChatValue value, Arguments a)
    {
        var (seen, kept, key) = (new DictValue(), new List<ChatValue>(), Key(render, a.At(1), !(a.At(0)?.Truth ?? false)));
        foreach (var item in Python.Items(render, value))
        {
            render.Budget.Step();
            var k = key(item);
            if (seen.Find(k, render) is not null)
                continue;
            seen.Set(k, NoneValue.Instance, render);
            kept.Add(item);
        }

        return new ListValue(kept);
    }

    private static ChatValue Reverse(Render render, ChatValue value, Arguments a)
    {
        if (value is TextValue)
            return Python.Slice(render, value, null, null, IntValue.Of(-1));
        var items = Copied(render, Python.Items(render, Python.Defined(value)));
        items.Items.Reverse();
        return items;
    }

    private static ChatValue Extreme(Render render, ChatValue value, Arguments a, int sign)
    {
        var items = Python.Items(render, value);
        if (items.Count == 0)
            return new UndefinedValue("no smallest or greatest item: there is none");
        var key = Key(render, a.At(1), !(a.At(0)?.Truth ?? false));
        var (best, bestKey) = (items[0], key(items[0]));
        foreach (var item in items.Skip(1))
        {
            render.Budget.Step();
            var k = key(item);
            if (Python.Compare(render, k, bestKey, sign < 0 ? "<" : ">") == sign)
                (best, bestKey) = (item, k);
        }

        return best;
    }

    private static ListValue Batch(Render render, ChatValue value, Arguments a)
    {
        var size = Math.Max(1, Python.Index(a.Need(0, "batch"), "a size"));
        var batches = new List<ChatValue>();
        var items = Python.Items(render, value);
        for (long at = 0; at < items.Count; at += size)
        {
            var part = items.GetRange((int)at, (int)Math.Min(size, items.Count - at));
            render.Budget.Take(64 + (part.Count * 8L));
            Fill(render, part, size - part.Count, a.At(1));
            batches.Add(new ListValue(part));
        }

        return new ListValue(batches);
    }

    private static ListValue Slice(Render render, ChatValue value, Arguments a)
    {
        var count = Python.Index(a.Need(0, "slice"), "a number of slices");
        if (count < 1)
            throw new TemplateFault("|slice needs at least one slice");
        render.Budget.Take(count * 64L);
        var (items, slices, at) = (Python.Items(render, value), new List<ChatValue>(), 0);
        var (size, more) = (items.Count / count, items.Count % count);
        for (var i = 0; i < count; i++)
        {
            var part = items.GetRange(at, size + (i < more ? 1 : 0));
            at += part.Count;
            Fill(render, part, i >= more && more > 0 ? 1 : 0, a.At(1));
            slices.Add(new ListValue(part));
        }

        return new ListValue(slices);
    }

    private static void Fill(Render render, List<ChatValue> part, int missing, ChatValue? with)
    {
        if (with is null or NoneValue || missing <= 0)
            return;
        render.Budget.Take(missing * 8L);
        for (var i = 0; i < missing; i++)
            part.Add(with);
    }

    private static ListValue GroupBy(Render render, ChatValue value, Arguments a)
    {
        var attribute = a.Need(0, "groupby");
        var key = Key(render, attribute, !(a.At(2)?.Truth ?? false), otherwise: a.At(1));
        var name = Key(render, attribute, false, otherwise: a.At(1));
        var groups = new List<ChatValue>();
        ChatValue? last = null;
        foreach (var item in Ordering.Sorted(render, Python.Items(render, value), key, reverse: false))
        {
            var k = key(item);
            if (last is null || !Python.Equal(render, last, k))
                groups.Add(new ListValue([name(item), new ListValue([])], isTuple: true, names: ["grouper", "list"]));
            last = k;
            render.Budget.Take(8);
            ((ListValue)((ListValue)groups[^1]).Items[1]).Items.Add(item);
        }

        return new ListValue(groups);
    }

    private static ListValue Map(Render render, ChatValue value, Arguments a)
    {
        var items = value.Truth ? Python.Items(render, value) : []; // nothing is an empty list here
        render.Budget.Take(items.Count * 8L);
        if (a.Values.Length == 0)
        {
            var attribute = a.Named.FirstOrDefault(n => n.Key == "attribute").Value ?? throw new TemplateFault("|map needs the name of a filter or attribute='…'");
            if (a.Named.FirstOrDefault(n => n.Key is not ("attribute" or "default")).Key is { } stranger)
                throw new TemplateFault($"|map has no argument '{stranger}'");
            return new ListValue([.. items.Select(Key(render, attribute, false, otherwise: a.Named.FirstOrDefault(n => n.Key == "default").Value))]);
        }

        var filter = Template.FilterNamed(TextMethods.Text(a.Values[0]));
        var rest = new Arguments(a.Values[1..], a.Named);
        return new ListValue([.. items.Select(item =>
        {
            render.Budget.Step();
            return filter.Apply(render, item, rest);
        })]);
    }

    private static ListValue Choose(Render render, ChatValue value, Arguments a, bool attribute, bool wanted)
    {
        var (key, at) = (Key(render, attribute ? a.Need(0, "selectattr") : null, false), attribute ? 1 : 0);
        var test = a.Values.Length > at ? Template.TestNamed(TextMethods.Text(a.Values[at])) : null;
        var rest = new Arguments(a.Values.Length > at ? a.Values[(at + 1)..] : [], a.Named);
        var kept = new List<ChatValue>();
        foreach (var item in value.Truth ? Python.Items(render, value) : [])
        {
            render.Budget.Step();
            var k = key(item);
            if ((test?.Holds(render, k, rest) ?? k.Truth) == wanted)
                kept.Add(item);
        }

        render.Budget.Take(kept.Count * 8L);
        return new ListValue(kept);
    }
}

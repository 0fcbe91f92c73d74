using System.Globalization;

namespace Gradus.Text.Tokenizers.Chat;

/// <summary>What Python's operators do with values.</summary>
internal static class Python
{
    public static bool TryInt(ChatValue value, out long number)
    {
        number = value switch { IntValue i => i.Value, BoolValue b => b.Value ? 1 : 0, _ => 0 };
        return value is IntValue or BoolValue;
    }

    public static bool TryNumber(ChatValue value, out double number)
    {
        if (value is FloatValue f)
        {
            number = f.Value;
            return true;
        }

        var whole = TryInt(value, out var integer);
        number = integer;
        return whole;
    }

    public static int Index(ChatValue value, string what) => TryInt(value, out var number)
        ? (int)Math.Clamp(number, int.MinValue + 1, int.MaxValue)
        : throw new TemplateFault($"{what} must be a whole number, not '{value.TypeName}'");

    public static bool Equal(Render render, ChatValue a, ChatValue b)
    {
        if (ReferenceEquals(a, b))
            return true;
        switch (a, b)
        {
            case (TextValue x, TextValue y):
                return x.Text == y.Text;
            case (UndefinedValue, UndefinedValue):
                return true;
            case (ListValue x, ListValue y):
                if (x.IsTuple != y.IsTuple || x.Items.Count != y.Items.Count)
                    return false;
                render.Budget.Steps(x.Items.Count);
                render.Budget.Enter();
                for (var i = 0; i < x.Items.Count; i++)
                    if (!Equal(render, x.Items[i], y.Items[i]))
                    {
                        render.Budget.Leave();
                        return false;
                    }

                render.Budget.Leave();
                return true;
            case (DictValue x, DictValue y):
                if (x.Count != y.Count)
                    return false;
                render.Budget.Steps(x.Count);
                render.Budget.Enter();
                foreach (var (key, value) in x.Entries)
                    if (y.Find(key, render) is not { } other || !Equal(render, value, other))
                    {
                        render.Budget.Leave();
                        return false;
                    }

                render.Budget.Leave();
                return true;
        }

        if (TryInt(a, out var i1) && TryInt(b, out var i2))
            return i1 == i2;
        return TryNumber(a, out var n1) && TryNumber(b, out var n2) && n1 == n2;
    }

    /// <summary>-1, 0 or 1; <paramref name="sign"/> is the operator, for the error.</summary>
    public static int Compare(Render render, ChatValue a, ChatValue b, string sign)
    {
        Defined(a);
        Defined(b);
        if (TryInt(a, out var i1) && TryInt(b, out var i2))
            return i1.CompareTo(i2);
        if (TryNumber(a, out var n1) && TryNumber(b, out var n2))
            return n1 < n2 ? -1 : n1 > n2 ? 1 : n1 == n2 ? 0 : throw new TemplateFault("NaN has no order");
        if (a is TextValue x && b is TextValue y)
        {
            render.Budget.Scan(Math.Min(x.Text.Length, y.Text.Length));
            return CompareText(x.Text, y.Text);
        }

        if (a is ListValue p && b is ListValue q && p.IsTuple == q.IsTuple)
        {
            var count = Math.Min(p.Items.Count, q.Items.Count);
            render.Budget.Steps(count);
            render.Budget.Enter();
            for (var i = 0; i < count; i++)
                if (!Equal(render, p.Items[i], q.Items[i]))
                {
                    var order = Compare(render, p.Items[i], q.Items[i], sign);
                    render.Budget.Leave();
                    return order;
                }

            render.Budget.Leave();
            return p.Items.Count.CompareTo(q.Items.Count);
        }

        throw new TemplateFault($"'{sign}' is not supported between '{a.TypeName}' and '{b.TypeName}'");
    }

    public static bool Contains(Render render, ChatValue item, ChatValue container)
    {
        switch (container)
        {
            case TextValue text:
                Defined(item);
                render.Budget.Scan(text.Text.Length);
                return item is TextValue part ? text.Text.Contains(part.Text, StringComparison.Ordinal) : throw new TemplateFault($"'in <string>' requires a string, not '{item.TypeName}'");
            case DictValue dict:
                return dict.Find(item, render) is not null;
            case ListValue list:
                foreach (var other in list.Items)
                {
                    render.Budget.Step();
                    if (Equal(render, item, other))
                        return true;
                }

                return false;
            case UndefinedValue:
                return false;
            default:
                throw new TemplateFault($"'{container.TypeName}' is nothing to look in");
        }
    }

    public static int Length(Render render, ChatValue value)
    {
        switch (value)
        {
            case TextValue text:
                render.Budget.Scan(text.Text.Length);
                return CodePoints.Count(text.Text);
            case ListValue list: return list.Items.Count;
            case DictValue dict: return dict.Count;
            case UndefinedValue: return 0;
            default: throw new TemplateFault($"'{value.TypeName}' has no length");
        }
    }

    /// <summary>The items a loop goes over. Not to be changed by the caller: it may be the list itself.</summary>
    public static List<ChatValue> Items(Render render, ChatValue value)
    {
        switch (value)
        {
            case ListValue list:
                return list.Items;
            case DictValue dict:
                render.Budget.Take(dict.Count * 8);
                return [.. dict.Entries.Select(e => e.Key)];
            case TextValue text:
                render.Budget.Take(text.Text.Length * 48L);
                var starts = CodePoints.Starts(text.Text);
                var chars = new List<ChatValue>(starts.Length);
                for (var i = 0; i + 1 < starts.Length; i++)
                    chars.Add(text.Slice(starts[i], starts[i + 1]));
                return chars;
            case UndefinedValue:
                return [];
            default:
                throw new TemplateFault($"'{value.TypeName}' is nothing to go over (a list, a dictionary or a string is)");
        }
    }

    /// <summary>A place that <c>[…]</c> names, -1 when there is none.</summary>
    public static ChatValue Item(Render render, ChatValue owner, ChatValue key)
    {
        switch (owner)
        {
            case DictValue dict:
                if (key is not (ListValue { IsTuple: false } or DictValue) && dict.Find(key, render) is { } value)
                    return value;
                break;
            case ListValue list when TryInt(key, out var at):
                at += at < 0 ? list.Items.Count : 0;
                return at >= 0 && at < list.Items.Count ? list.Items[(int)at] : new UndefinedValue($"the {owner.TypeName} has no element {at.ToString(CultureInfo.InvariantCulture)}");
            case TextValue text when TryInt(key, out var at):
                render.Budget.Scan(text.Text.Length);
                if (CodePoints.IsPlain(text.Text))
                {
                    at += at < 0 ? text.Text.Length : 0;
                    return at >= 0 && at < text.Text.Length ? text.Slice((int)at, (int)at + 1) : new UndefinedValue("the string has no such place");
                }

                render.Budget.Take(text.Text.Length * 4L);
                var starts = CodePoints.Starts(text.Text);
                at += at < 0 ? starts.Length - 1 : 0;
                return at >= 0 && at + 1 < starts.Length ? text.Slice(starts[at], starts[at + 1]) : new UndefinedValue("the string has no such place");
            case UndefinedValue undefined:
                throw undefined.Fault();
        }

        return key is TextValue name ? Attribute(render, owner, name.Text, itemsFirst: true) : new UndefinedValue($"{Described(owner)} has no element {PythonText.Repr(render, key).Text}");
    }

    /// <summary>What <c>.name</c> gives: methods come before keys, as Jinja has it; after <c>[…]</c> found no key, only methods are left.</summary>
    public static ChatValue Attribute(Render render, ChatValue owner, string name, bool itemsFirst = false)
    {
        if (owner is UndefinedValue undefined)
            throw undefined.Fault();
        if (Methods.Find(owner, name) is { } method)
            return new CallableValue(name, (r, arguments) => method(r, owner, arguments));
        var found = owner switch
        {
            DictValue dict when !itemsFirst => dict.Find(name),
            NamespaceValue space => space.Names.Find(name),
            LoopValue loop => loop.Attribute(name),
            ListValue list => list.Attribute(name),
            CallableValue callable when name == "name" => new TextValue(callable.Name),
            _ => null,
        };
        if (found is not null)
            return found;
        if (name.StartsWith("__", StringComparison.Ordinal) || (name.StartsWith('_') && owner is CallableValue or LoopValue))
            throw TemplateFault.NotAllowed($"'{name}' of a {owner.TypeName}");
        return new UndefinedValue($"{Described(owner)} has no attribute '{name}'");
    }

    public static ChatValue Slice(Render render, ChatValue owner, ChatValue? from, ChatValue? to, ChatValue? step)
    {
        int? Place(ChatValue? value) => value is null or NoneValue ? null : Index(value, "a place in a slice");
        var by = Place(step) ?? 1;
        if (by == 0)
            throw new TemplateFault("the step of a slice cannot be 0");
        switch (owner)
        {
            case ListValue list:
            {
                var (start, end) = Bounds(list.Items.Count, Place(from), Place(to), by);
                var items = new List<ChatValue>();
                for (long i = start; by > 0 ? i < end : i > end; i += by)
                    items.Add(list.Items[(int)i]);
                render.Budget.Take(items.Count * 8);
                return new ListValue(items, list.IsTuple);
            }

            case TextValue text:
            {
                render.Budget.Scan(text.Text.Length);
                if (by == 1 && CodePoints.IsPlain(text.Text))
                {
                    var (s, e) = Bounds(text.Text.Length, Place(from), Place(to), 1);
                    render.Budget.Take(Math.Max(0, e - s) * 2L);
                    return text.Slice(s, Math.Max(s, e));
                }

                render.Budget.Take(text.Text.Length * 4L);
                var starts = CodePoints.Starts(text.Text);
                var (start, end) = Bounds(starts.Length - 1, Place(from), Place(to), by);
                if (by == 1)
                    return text.Slice(starts[start], starts[Math.Max(start, end)]);
                var built = new TextBuilder(render.Budget);
                for (long i = start; by > 0 ? i < end : i > end; i += by)
                    built.Append(text, starts[i], starts[i + 1]);
                return built.ToText();
            }

            case UndefinedValue undefined:
                throw undefined.Fault();
            default:
                return new UndefinedValue($"{Described(owner)} cannot be sliced");
        }
    }

    public static ChatValue Defined(ChatValue value) => value is UndefinedValue undefined ? throw undefined.Fault() : value;

    public static string Described(ChatValue value) => value is NoneValue ? "'None'" : $"'{value.TypeName} object'";

    private static (int Start, int End) Bounds(int length, int? from, int? to, int step)
    {
        int Clamp(int? place, int otherwise)
        {
            if (place is not { } p)
                return otherwise;
            if (p < 0)
                p = Math.Max(p + length, step < 0 ? -1 : 0);
            return Math.Min(p, step < 0 ? length - 1 : length);
        }

        return step > 0 ? (Clamp(from, 0), Clamp(to, length)) : (Clamp(from, length - 1), Clamp(to, -1));
    }

    // By code points: UTF-16 order puts the pairs of U+10000 and up before U+E000.
    private static int CompareText(string a, string b)
    {
        var length = Math.Min(a.Length, b.Length);
        for (var i = 0; i < length; i++)
            if (a[i] != b[i])
                return (char.IsSurrogate(a[i]), char.IsSurrogate(b[i])) switch
                {
                    (true, false) => 1,
                    (false, true) => -1,
                    _ => a[i].CompareTo(b[i]) < 0 ? -1 : 1,
                };
        return a.Length.CompareTo(b.Length);
    }
}

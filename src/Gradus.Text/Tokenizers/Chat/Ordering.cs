using System.Runtime.ExceptionServices;

namespace Gradus.Text.Tokenizers.Chat;

/// <summary>Python's stable sort, paid for by the comparison.</summary>
internal static class Ordering
{
    public static List<T> Sorted<T>(Render render, List<T> items, Func<T, ChatValue> key, bool reverse)
    {
        render.Budget.Take(items.Count * 24L);
        var keyed = items.Select((item, i) => (Key: key(item), Item: item, Place: i)).ToArray();
        // Places decide among equals; in a reversed sort equals keep their order too. What a comparison throws comes out wrapped.
        try
        {
            Array.Sort(keyed, (a, b) =>
            {
                render.Budget.Step();
                var order = a.Place == b.Place ? 0 : Python.Compare(render, a.Key, b.Key, "<");
                return order != 0 ? (reverse ? -order : order) : a.Place.CompareTo(b.Place);
            });
        }
        catch (InvalidOperationException e) when (e.InnerException is TemplateFault fault)
        {
            ExceptionDispatchInfo.Throw(fault);
        }

        return [.. keyed.Select(k => k.Item)];
    }
}

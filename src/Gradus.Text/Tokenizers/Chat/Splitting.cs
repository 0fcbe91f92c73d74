namespace Gradus.Text.Tokenizers.Chat;

/// <summary>Strings taken apart as Python does it.</summary>
internal static class Splitting
{
    public static ListValue Split(Render render, TextValue text, Arguments a, bool fromRight)
    {
        var limit = a.At(1) is { } most ? Python.Index(most, "maxsplit") : -1;
        if (limit < 0)
            limit = int.MaxValue;
        render.Budget.Scan(text.Text.Length);
        var parts = a.At(0) is null or NoneValue
            ? fromRight ? BySpaceFromRight(text, limit) : BySpace(text, limit)
            : By(text, TextMethods.Text(a.At(0)!) is { Length: > 0 } separator ? separator : throw new TemplateFault("split(): the separator is empty"), limit, fromRight);
        render.Budget.Take((parts.Count * 56L) + (text.Text.Length * 2L));
        return new ListValue(parts);
    }

    public static ListValue Partition(Render render, TextValue text, string separator, bool last)
    {
        if (separator.Length == 0)
            throw new TemplateFault("partition(): the separator is empty");
        render.Budget.Take(text.Text.Length * 2L);
        var at = last ? text.Text.LastIndexOf(separator, StringComparison.Ordinal) : text.Text.IndexOf(separator, StringComparison.Ordinal);
        if (at < 0)
            return last ? ListValue.Tuple(TextValue.Empty, TextValue.Empty, text) : ListValue.Tuple(text, TextValue.Empty, TextValue.Empty);
        return ListValue.Tuple(text.Slice(0, at), text.Slice(at, at + separator.Length), text.Slice(at + separator.Length, text.Text.Length));
    }

    public static IEnumerable<TextValue> Lines(Render render, TextValue text, bool keepEnds)
    {
        render.Budget.Take(text.Text.Length * 3L);
        var start = 0;
        for (var i = 0; i < text.Text.Length; i++)
        {
            if (text.Text[i] is not ('\n' or '\r' or '\v' or '\f' or (>= '\x1c' and <= '\x1e') or '\x85' or '\u2028' or '\u2029'))
                continue;
            render.Budget.Take(40);
            var end = text.Text[i] == '\r' && i + 1 < text.Text.Length && text.Text[i + 1] == '\n' ? i + 2 : i + 1;
            yield return text.Slice(start, keepEnds ? end : i);
            (start, i) = (end, end - 1);
        }

        if (start < text.Text.Length)
            yield return text.Slice(start, text.Text.Length);
    }

    private static List<ChatValue> By(TextValue text, string separator, int limit, bool fromRight)
    {
        var parts = new List<ChatValue>();
        if (fromRight)
        {
            var end = text.Text.Length;
            while (limit-- > 0 && end > 0 && text.Text.LastIndexOf(separator, end - 1, end, StringComparison.Ordinal) is >= 0 and var at)
            {
                parts.Add(text.Slice(at + separator.Length, end));
                end = at;
            }

            parts.Add(text.Slice(0, end));
            parts.Reverse();
            return parts;
        }

        var start = 0;
        while (limit-- > 0 && text.Text.IndexOf(separator, start, StringComparison.Ordinal) is >= 0 and var at)
        {
            parts.Add(text.Slice(start, at));
            start = at + separator.Length;
        }

        parts.Add(text.Slice(start, text.Text.Length));
        return parts;
    }

    private static List<ChatValue> BySpace(TextValue text, int limit)
    {
        var (parts, at, s) = (new List<ChatValue>(), 0, text.Text);
        while (true)
        {
            while (at < s.Length && CodePoints.IsSpace(s[at]))
                at++;
            if (at == s.Length)
                return parts;
            var start = at;
            if (limit-- == 0)
            {
                parts.Add(text.Slice(start, s.Length)); // white space at the end stays with the rest
                return parts;
            }

            while (at < s.Length && !CodePoints.IsSpace(s[at]))
                at++;
            parts.Add(text.Slice(start, at));
        }
    }

    private static List<ChatValue> BySpaceFromRight(TextValue text, int limit)
    {
        var (parts, at, s) = (new List<ChatValue>(), text.Text.Length, text.Text);
        while (true)
        {
            while (at > 0 && CodePoints.IsSpace(s[at - 1]))
                at--;
            if (at == 0)
                break;
            var end = at;
            if (limit-- == 0)
            {
                parts.Add(text.Slice(0, end));
                break;
            }

            while (at > 0 && !CodePoints.IsSpace(s[at - 1]))
                at--;
            parts.Add(text.Slice(at, end));
        }

        parts.Reverse();
        return parts;
    }
}

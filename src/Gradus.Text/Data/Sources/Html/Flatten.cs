namespace Gradus.Text.Data.Sources.Html;

/// <summary>
/// Keeps hostile nesting away from the parser: tree builders look through their open elements at every tag, which for a page of
/// nothing but opening tags costs the square of its length. Browsers stop at 512 levels; pages that people wrote have under 100.
/// </summary>
internal static class Flatten
{
    private const int MaxDepth = 512;

    /// <summary>The page, or when more than 512 elements are open at once, the page without the tags beyond (their text stays).</summary>
    public static string DeepNesting(string html)
    {
        if (!IsDeep(html))
            return html;
        var kept = new System.Text.StringBuilder(html.Length);
        var (depth, from) = (0, 0);
        for (var at = 0; Next(html, ref at, out var start, out var end, out var opens);)
        {
            var drop = opens ? depth >= MaxDepth : depth > MaxDepth;
            depth = Math.Max(0, depth + (opens ? 1 : -1));
            if (!drop)
                continue;
            kept.Append(html, from, start - from);
            from = end;
        }

        return kept.Append(html, from, html.Length - from).ToString();
    }

    private static bool IsDeep(string html)
    {
        var depth = 0;
        for (var at = 0; Next(html, ref at, out _, out _, out var opens);)
        {
            depth = Math.Max(0, depth + (opens ? 1 : -1));
            if (depth > MaxDepth * 2) // unclosed p and li, which nobody counts, must not make a long page deep
                return true;
        }

        return false;
    }

    /// <summary>The next tag that opens or closes an element that can nest.</summary>
    private static bool Next(string html, ref int at, out int start, out int end, out bool opens)
    {
        (start, end, opens) = (0, 0, false);
        while (at < html.Length && (start = html.IndexOf('<', at)) >= 0)
        {
            at = start + 1;
            var closes = at < html.Length && html[at] == '/';
            var name = at + (closes ? 1 : 0);
            if (name >= html.Length || !char.IsAsciiLetter(html[name]))
                continue;
            end = name;
            while (end < html.Length && char.IsAsciiLetterOrDigit(html[end]))
                end++;
            var isVoid = IsVoid(html.AsSpan(name, end - name));
            var close = html.IndexOf('>', end);
            end = close < 0 ? html.Length : close + 1;
            at = end;
            if (isVoid || (close > 0 && html[close - 1] == '/'))
                continue;
            opens = !closes;
            return true;
        }

        return false;
    }

    // Without a closing tag of their own, or closed by their next sibling.
    private static bool IsVoid(ReadOnlySpan<char> name)
    {
        Span<char> lower = stackalloc char[12];
        if (name.Length > lower.Length)
            return false;
        name.ToLowerInvariant(lower);
        return lower[..name.Length] is "br" or "hr" or "img" or "input" or "link" or "meta" or "wbr" or "area" or "base" or "col" or "embed" or "source" or "track" or "param"
            or "p" or "li" or "dt" or "dd" or "option" or "tr" or "td" or "th" or "thead" or "tbody" or "tfoot" or "colgroup";
    }
}

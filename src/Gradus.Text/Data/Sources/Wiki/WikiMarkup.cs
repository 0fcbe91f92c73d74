using System.Text;

namespace Gradus.Text.Data.Sources.Wiki;

/// <summary>What becomes of tables.</summary>
public enum WikiTables
{
    /// <summary>They go: numbers without their headings are little text.</summary>
    Drop,

    /// <summary>A row a line, cells between bars.</summary>
    Rows,
}

/// <summary>
/// Wikitext to plain text in one pass: what is opened is kept on a stack and replaced by its text when it closes, so nesting costs no
/// recursion and unclosed marks lose nothing. Templates go, but for the few that are only words in another dress.
/// </summary>
internal sealed class WikiMarkup(WikiTables tables, IReadOnlySet<string> hiddenNamespaces)
{
    private const int MaxOpen = 10_000; // deeper nesting is damage; what opens beyond stays text

    // Elements whose content is not the article's text.
    private static readonly HashSet<string> s_gone = new(StringComparer.OrdinalIgnoreCase) { "ref", "references", "gallery", "timeline", "imagemap", "graph", "score", "mapframe", "maplink", "templatestyles", "templatedata", "inputbox", "hiero", "noinclude", "includeonly" };
    private static readonly HashSet<string> s_verbatim = new(StringComparer.OrdinalIgnoreCase) { "nowiki", "pre", "source", "syntaxhighlight", "math", "chem", "ce" };

    private readonly StringBuilder _out = new();
    private readonly List<(Mark Mark, int At)> _open = [];
    private int _templates; // of what is open
    private readonly HashSet<string> _unclosed = new(StringComparer.OrdinalIgnoreCase); // elements whose end is not ahead: looked for once

    private enum Mark { Template, Parameter, Link, Table }

    /// <summary>The text of a page.</summary>
    public string ToText(string source)
    {
        _out.Clear();
        _open.Clear();
        _unclosed.Clear();
        _templates = 0;
        for (var i = 0; i < source.Length;)
            i = Step(source, i);
        // What is still open: the marks go, the words stay.
        return WikiLines.ToText(_out.ToString());
    }

    private int Step(string s, int i)
    {
        switch (s[i])
        {
            case '<':
                return Element(s, i);
            case '{' when Starts(s, i, "{{{") && !Starts(s, i, "{{{{"):
                return Push(Mark.Parameter, i, 3);
            case '{' when Starts(s, i, "{{"):
                return Push(Mark.Template, i, 2);
            case '{' when Starts(s, i, "{|") && IsLineStart():
                return Push(Mark.Table, i, 2);
            case '}' when Starts(s, i, "}}}") && Top == Mark.Parameter:
                Close(Mark.Parameter);
                return i + 3;
            case '}' when Starts(s, i, "}}") && _templates > 0:
                Close(Mark.Template);
                return i + 2;
            case '|' when Starts(s, i, "|}") && Top == Mark.Table && IsLineStart():
                Close(Mark.Table);
                return i + 2;
            case '[' when Starts(s, i, "[["):
                return Push(Mark.Link, i, 2);
            case ']' when Starts(s, i, "]]") && Top == Mark.Link:
                Close(Mark.Link);
                return i + 2;
            default:
                _out.Append(s[i]);
                return i + 1;
        }
    }

    private Mark? Top => _open.Count > 0 ? _open[^1].Mark : null;

    private int Push(Mark mark, int at, int length)
    {
        if (_open.Count < MaxOpen)
        {
            _open.Add((mark, _out.Length));
            _templates += mark == Mark.Template ? 1 : 0;
        }

        return at + length;
    }

    private void Close(Mark mark)
    {
        // What was opened inside and never closed stays as words.
        while (_open[^1].Mark != mark)
            _open.RemoveAt(_open.Count - 1);
        var at = _open[^1].At;
        _open.RemoveAt(_open.Count - 1);
        _templates -= mark == Mark.Template ? 1 : 0; // none was among those above: the nearest closes
        var content = _out.ToString(at, _out.Length - at);
        _out.Length = at;
        _out.Append(mark switch
        {
            Mark.Template => Template(content),
            Mark.Parameter => content.IndexOf('|', StringComparison.Ordinal) is >= 0 and var bar ? content[(bar + 1)..] : "",
            Mark.Link => Link(content),
            _ => tables == WikiTables.Drop ? "" : WikiLines.Table(content),
        });
    }

    private int Element(string s, int i)
    {
        if (Starts(s, i, "<!--"))
        {
            var stop = _unclosed.Contains("!--") ? -1 : s.IndexOf("-->", i + 4, StringComparison.Ordinal);
            if (stop >= 0)
                return stop + 3;
            _unclosed.Add("!--");
            return s.Length; // as MediaWiki has it: the comment goes on to the end
        }

        var name = i + 1;
        var closes = name < s.Length && s[name] == '/';
        name += closes ? 1 : 0;
        var end = name;
        while (end < s.Length && char.IsAsciiLetterOrDigit(s[end]))
            end++;
        var gt = end == name || end - name > 20 ? -1 : s.IndexOf('>', end, Math.Min(s.Length - end, 2000));
        if (gt < 0)
        {
            _out.Append('<');
            return i + 1;
        }

        var tag = s[name..end];
        var empty = s[gt - 1] == '/';
        if (!closes && !empty && (s_gone.Contains(tag) || s_verbatim.Contains(tag)) && !_unclosed.Contains(tag))
        {
            var stop = s.IndexOf("</" + tag, gt, StringComparison.OrdinalIgnoreCase);
            if (stop < 0)
            {
                _unclosed.Add(tag);
                return gt + 1;
            }

            if (s_verbatim.Contains(tag))
                _out.Append(s, gt + 1, stop - gt - 1);
            var last = s.IndexOf('>', stop);
            return last < 0 ? s.Length : last + 1;
        }

        if (tag.Equals("br", StringComparison.OrdinalIgnoreCase) || tag.Equals("p", StringComparison.OrdinalIgnoreCase))
            _out.Append('\n');
        return gt + 1;
    }

    private string Template(string content)
    {
        var parts = content.Split('|');
        var name = parts[0].Trim().ToLowerInvariant();
        string Positional(int n)
        {
            foreach (var part in parts.AsSpan(1))
                if (part.IndexOf('=', StringComparison.Ordinal) < 0 && n-- == 1)
                    return part.Trim();
            return "";
        }

        return name switch
        {
            "lang" or "langx" or "transl" or "transliteration" => Positional(2),
            "nowrap" or "nobr" or "small" or "big" or "sc" or "smallcaps" or "abbr" or "tooltip" or "em" or "strong" or "nihongo" or "var" or "mvar" or "math" or "zh" => Positional(1),
            "convert" or "cvt" => $"{Positional(1)} {Positional(2)}".Trim(),
            "'" or "`" => "'",
            "ndash" or "en dash" or "–" => "–",
            "mdash" or "em dash" or "—" => "—",
            "spaced ndash" or "snd" or "spnd" => " – ",
            "nbsp" or "space" or "spaces" => " ",
            "!" => "|",
            "=" => "=",
            _ => "",
        };
    }

    private string Link(string content)
    {
        var bar = content.IndexOf('|', StringComparison.Ordinal);
        var target = (bar < 0 ? content : content[..bar]).Trim();
        var colon = target.IndexOf(':', StringComparison.Ordinal);
        if (colon > 0)
        {
            var space = target[..colon].Trim();
            if (hiddenNamespaces.Contains(space) || IsLanguage(space))
                return "";
        }

        var label = bar < 0 ? target.TrimStart(':') : content[(content.LastIndexOf('|') + 1)..];
        if (bar >= 0 && label.Length == 0) // the pipe trick: Berlin (ship) is Berlin
            label = (target.IndexOf(" (", StringComparison.Ordinal) is > 0 and var paren ? target[..paren] : target)[(colon + 1)..];
        return label;
    }

    // [[de:Haus]]: the same page elsewhere. Two or three small letters, so that [[Mac: a history]] stays.
    private static bool IsLanguage(string prefix) => prefix.Length is 2 or 3 && prefix.All(char.IsAsciiLetterLower);

    private bool IsLineStart()
    {
        var i = _out.Length - 1;
        while (i >= 0 && (_out[i] is ' ' or ':' or '*' or '#'))
            i--;
        return i < 0 || _out[i] == '\n';
    }

    private static bool Starts(string s, int i, string mark) => string.CompareOrdinal(s, i, mark, 0, mark.Length) == 0;
}

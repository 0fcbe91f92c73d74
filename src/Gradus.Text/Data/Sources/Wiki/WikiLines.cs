using System.Net;
using System.Text;

namespace Gradus.Text.Data.Sources.Wiki;

/// <summary>The line marks of wikitext: headings, lists, quotes, outward links, rows of tables.</summary>
internal static class WikiLines
{
    private sealed record Line(string Text, int Heading);

    public static string ToText(string marked)
    {
        var lines = new List<Line>();
        foreach (var raw in marked.Split('\n'))
        {
            var text = raw.TrimEnd();
            var level = HeadingLevel(text);
            if (level > 0)
                lines.Add(new Line(Inline(text[level..^level]), level));
            else
                lines.Add(new Line(Item(text), 0));
        }

        return Assemble(WithoutEmptySections(lines));
    }

    /// <summary>Rows of a table, cells between bars. Marks of cells and their attributes go.</summary>
    public static string Table(string content)
    {
        var text = new StringBuilder("\n");
        var row = new List<string>();
        void EndRow()
        {
            if (row.Exists(c => c.Length > 0))
                text.AppendJoin(" | ", row).Append('\n');
            row.Clear();
        }

        var lines = content.Split('\n');
        foreach (var raw in lines.AsSpan(Math.Min(1, lines.Length))) // the first line holds the table's attributes
        {
            var line = raw.Trim();
            if (line.StartsWith("|-", StringComparison.Ordinal))
            {
                EndRow();
            }
            else if (line.StartsWith("|+", StringComparison.Ordinal))
            {
                EndRow();
                row.Add(Cell(line[2..]));
                EndRow();
            }
            else if (line.StartsWith('|') || line.StartsWith('!'))
            {
                foreach (var cell in line[1..].Split(line[0] == '!' ? ["!!", "||"] : ["||"], StringSplitOptions.None))
                    row.Add(Cell(cell));
            }
            else if (row.Count > 0 && line.Length > 0)
            {
                row[^1] = (row[^1] + " " + line).Trim();
            }
        }

        EndRow();
        return text.ToString();
    }

    private static string Cell(string cell)
    {
        var bar = cell.IndexOf('|', StringComparison.Ordinal);
        return (bar >= 0 && cell.AsSpan(0, bar).Contains('=') ? cell[(bar + 1)..] : cell).Trim();
    }

    private static int HeadingLevel(string line)
    {
        var level = 0;
        while (level < 6 && level < line.Length && line[level] == '=')
            level++;
        return level > 0 && line.Length > 2 * level && line.EndsWith(new string('=', level), StringComparison.Ordinal) ? level : 0;
    }

    private static string Item(string line)
    {
        var marks = 0;
        while (marks < line.Length && (line[marks] is '*' or '#' or ':' or ';'))
            marks++;
        var text = Inline(line[marks..]);
        if (text.StartsWith("----", StringComparison.Ordinal))
            text = text.TrimStart('-').Trim();
        return text.Length > 0 && marks > 0 && line.AsSpan(0, marks).IndexOfAny('*', '#') >= 0 ? "- " + text : text;
    }

    /// <summary>Quotes, outward links, behaviour switches, entities, runs of spaces.</summary>
    private static string Inline(string text)
    {
        var to = new StringBuilder(text.Length);
        var lastClose = text.LastIndexOf(']'); // looked for once, not at every bracket
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c == '\'' && i + 1 < text.Length && text[i + 1] == '\'')
            {
                while (i + 1 < text.Length && text[i + 1] == '\'')
                    i++;
            }
            else if (c == '[' && i < lastClose && IsAddress(text, i + 1) && text.IndexOf(']', i) is > 0 and var end)
            {
                var space = text.IndexOf(' ', i, end - i);
                if (space > 0)
                    to.Append(text, space + 1, end - space - 1);
                i = end;
            }
            else if (c == '_' && IsSwitch(text, i, out var length))
            {
                i += length - 1;
            }
            else if (c is ' ' or '\t' or '\u00A0')
            {
                if (to.Length > 0 && to[^1] != ' ')
                    to.Append(' ');
            }
            else
            {
                to.Append(c);
            }
        }

        var plain = to.ToString();
        if (plain.Contains('&', StringComparison.Ordinal))
            plain = WebUtility.HtmlDecode(plain).Replace('\u00A0', ' ');
        // What templates left behind: "( , born 1900)" and empty brackets.
        return plain.Replace("()", "", StringComparison.Ordinal).Replace("( )", "", StringComparison.Ordinal).Replace("(, ", "(", StringComparison.Ordinal).Replace("(; ", "(", StringComparison.Ordinal).Replace("  ", " ", StringComparison.Ordinal).Replace(" ,", ",", StringComparison.Ordinal).Trim();
    }

    private static bool IsAddress(string text, int at)
    {
        foreach (var scheme in (ReadOnlySpan<string>)["http://", "https://", "//", "ftp://", "mailto:"])
            if (string.CompareOrdinal(text, at, scheme, 0, scheme.Length) == 0)
                return true;
        return false;
    }

    // __NOTOC__ and its kin.
    private static bool IsSwitch(string text, int at, out int length)
    {
        length = 0;
        if (string.CompareOrdinal(text, at, "__", 0, 2) != 0)
            return false;
        var end = at + 2;
        while (end < text.Length && char.IsAsciiLetterUpper(text[end]))
            end++;
        if (end == at + 2 || string.CompareOrdinal(text, end, "__", 0, 2) != 0)
            return false;
        length = end + 2 - at;
        return true;
    }

    /// <summary>A heading with nothing under it goes: its section held only a list of sources or a template.</summary>
    private static List<Line> WithoutEmptySections(List<Line> lines)
    {
        var keep = new List<Line>();
        var below = 7; // the level of the nearest kept heading below, or 0 when text follows
        for (var i = lines.Count - 1; i >= 0; i--)
        {
            var line = lines[i];
            if (line.Heading == 0)
            {
                below = line.Text.Length > 0 ? 0 : below;
                keep.Add(line);
            }
            else if (below == 0 || (below < 7 && below > line.Heading))
            {
                below = line.Heading;
                keep.Add(line);
            }
        }

        keep.Reverse();
        return keep;
    }

    private static string Assemble(List<Line> lines)
    {
        var text = new StringBuilder();
        var blank = 0;
        foreach (var line in lines)
        {
            if (line.Text.Length == 0)
            {
                blank++;
                continue;
            }

            if (text.Length > 0)
                text.Append(blank > 0 || line.Heading > 0 ? "\n\n" : "\n");
            text.Append(line.Text);
            blank = line.Heading > 0 ? 1 : 0;
        }

        return text.ToString();
    }
}

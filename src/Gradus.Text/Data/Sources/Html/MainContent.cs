using System.Text;

namespace Gradus.Text.Data.Sources.Html;

/// <summary>
/// Which blocks of a page are what it is about. Long blocks with few links are; short ones and lists of links are not, unless they stand
/// among those that are. Thresholds are in letters, so that they hold without knowing the language.
/// </summary>
internal static class MainContent
{
    private const int Long = 140; // letters of a block that is prose whatever stands around it
    private const int Middling = 60; // of one that is prose next to prose
    private const double ManyLinks = 0.33;
    private const double MostlyLinks = 0.6;
    private const int Reach = 3; // short blocks in a row that may stand between two pieces of prose
    private const int Enough = 250; // letters; a page that has less of prose is taken from another side

    private enum Class { Bad, Short, Near, Good }

    /// <summary>The main text: paragraphs with an empty line between them, items of a list one a line.</summary>
    public static string Extract(IReadOnlyList<HtmlBlock> blocks)
    {
        var judged = Select(blocks);
        if (judged.Sum(b => b.Text.Length) < Enough && blocks.Where(b => b.InContent).ToList() is { Count: > 0 } content)
            judged = Richer(judged, content.Where(b => b.LinkDensity < MostlyLinks && !b.Furniture));
        if (judged.Count == 0) // a page of little text: what is not links
            judged = [.. blocks.Where(b => b.LinkDensity < ManyLinks && !b.Furniture)];
        return Join(judged);
    }

    /// <summary>All text of the page, furniture too.</summary>
    public static string Join(IEnumerable<HtmlBlock> blocks)
    {
        var text = new StringBuilder();
        HtmlBlock? before = null;
        foreach (var block in blocks)
        {
            if (before is not null)
                text.Append(before.Kind == block.Kind && block.Kind is BlockKind.ListItem or BlockKind.TableRow && before.Kind == block.Kind ? "\n" : "\n\n");
            if (block.Kind == BlockKind.ListItem)
                text.Append("- ");
            text.Append(block.Text);
            before = block;
        }

        return text.ToString();
    }

    private static List<HtmlBlock> Select(IReadOnlyList<HtmlBlock> blocks)
    {
        var classes = blocks.Select(Alone).ToArray();
        // Near prose counts as prose when prose stands beside it, looking past short blocks.
        for (var i = 0; i < classes.Length; i++)
            if (classes[i] == Class.Near)
                classes[i] = Neighbour(classes, i, -1) == Class.Good || Neighbour(classes, i, 1) == Class.Good ? Class.Good : Class.Short;
        var keep = new bool[blocks.Count];
        for (var i = 0; i < keep.Length; i++)
            keep[i] = classes[i] == Class.Good;
        FillGaps(blocks, classes, keep);
        KeepHeadings(blocks, classes, keep);
        return [.. blocks.Where((_, i) => keep[i])];
    }

    private static Class Alone(HtmlBlock block)
    {
        if (block.Furniture)
            return Class.Bad;
        if (block.Kind == BlockKind.Heading)
            return block.LinkDensity > MostlyLinks ? Class.Bad : Class.Short;
        if (block.LinkDensity > ManyLinks)
            return block.Text.Length - block.LinkLetters > Long ? Class.Near : Class.Bad;
        if (block.Kind == BlockKind.Preformatted)
            return Class.Near;
        return block.Text.Length >= Long ? Class.Good : block.Text.Length >= Middling || block.InContent ? Class.Near : Class.Short;
    }

    private static Class Neighbour(Class[] classes, int at, int step)
    {
        for (var (i, seen) = (at + step, 0); i >= 0 && i < classes.Length && seen < Reach; i += step)
        {
            if (classes[i] is Class.Good or Class.Bad)
                return classes[i];
            seen++;
        }

        return Class.Bad;
    }

    /// <summary>Up to three short blocks between two pieces of prose are part of it: a line of dialogue, a caption, an item.</summary>
    private static void FillGaps(IReadOnlyList<HtmlBlock> blocks, Class[] classes, bool[] keep)
    {
        var last = -1;
        for (var i = 0; i < keep.Length; i++)
        {
            if (!keep[i])
                continue;
            if (last >= 0)
            {
                var gap = Enumerable.Range(last + 1, i - last - 1).ToList();
                var isList = gap.All(j => blocks[j].Kind is BlockKind.ListItem or BlockKind.TableRow or BlockKind.Preformatted);
                if ((gap.Count <= Reach || isList) && gap.All(j => classes[j] != Class.Bad))
                    gap.ForEach(j => keep[j] = true);
            }

            last = i;
        }

        // A list at the end of an article: items right behind prose.
        for (var i = 1; i < keep.Length; i++)
            if (!keep[i] && keep[i - 1] && classes[i] == Class.Short && blocks[i].Kind is BlockKind.ListItem or BlockKind.TableRow && !keep[i] && classes[i] == Class.Short && blocks[i].LinkDensity == 0)
                keep[i] = true;
    }

    /// <summary>Headings that open kept text.</summary>
    private static void KeepHeadings(IReadOnlyList<HtmlBlock> blocks, Class[] classes, bool[] keep)
    {
        var next = -1;
        for (var i = keep.Length - 1; i >= 0; i--)
        {
            if (keep[i])
                next = i;
            else if (next >= 0 && next - i <= Reach && blocks[i].Kind == BlockKind.Heading && classes[i] != Class.Bad)
                (keep[i], next) = (true, i);
        }
    }

    private static List<HtmlBlock> Richer(List<HtmlBlock> a, IEnumerable<HtmlBlock> b)
    {
        var other = b.ToList();
        return other.Sum(x => x.Text.Length) > a.Sum(x => x.Text.Length) ? other : a;
    }
}

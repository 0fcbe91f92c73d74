using System.Globalization;
using System.Text;

namespace Gradus.Training.Loop;

/// <summary>One line of a chart.</summary>
/// <param name="Name">Its name in the legend.</param>
/// <param name="Points">Points in order of X. A value that is not finite, or not positive on a logarithmic axis, breaks the line.</param>
public sealed record ChartLine(string Name, IReadOnlyList<(double X, double Y)> Points)
{
    /// <summary>Weight of the neighbour in the exponential average, 0 to below 1 (0.97 for hundreds of noisy points). Above 0 the line is the average, with the raw values faint behind it.</summary>
    public double Smoothing { get; init; }
}

/// <summary>A horizontal line to compare with, such as a baseline.</summary>
/// <param name="Label">Written on the line, as in "5-gram Kneser-Ney".</param>
/// <param name="Y">Its height.</param>
public sealed record ChartReference(string Label, double Y);

/// <summary>
/// A line chart as one self-contained SVG: no script, no font file, no link. It follows the reader's light or dark preference, and
/// the same chart is the same bytes on every machine.
/// </summary>
public sealed record SvgChart
{
    private const double Left = 64, Right = 64, Top = 84, Bottom = 52;
    private const string Ink = "M", Raw = "raw";
    private static readonly (string Light, string Dark)[] Colours =
        [("#2166d1", "#6aa9ff"), ("#d4521a", "#ff9a66"), ("#0b8457", "#45cf9b"), ("#7a3fc8", "#b99aff"), ("#a86a00", "#ecc35c"), ("#b5265f", "#ff86b1")];

    /// <summary>Heading.</summary>
    public required string Title { get; init; }

    /// <summary>What the horizontal axis counts, with its unit.</summary>
    public string XLabel { get; init; } = "";

    /// <summary>What the vertical axis measures, with its unit.</summary>
    public string YLabel { get; init; } = "";

    /// <summary>The lines, in the order of the legend.</summary>
    public IReadOnlyList<ChartLine> Lines { get; init; } = [];

    /// <summary>Horizontal lines to compare with.</summary>
    public IReadOnlyList<ChartReference> References { get; init; } = [];

    /// <summary>Logarithmic horizontal axis; the better choice for a loss from the first step, which falls fast and then for long.</summary>
    public bool LogX { get; init; }

    /// <summary>Logarithmic vertical axis.</summary>
    public bool LogY { get; init; }

    /// <summary>Top of the vertical axis when the first values would squeeze the rest; lines above it are cut off.</summary>
    public double? MaxY { get; init; }

    /// <summary>Width in pixels of the page.</summary>
    public int Width { get; init; } = 860;

    /// <summary>Height in pixels of the page.</summary>
    public int Height { get; init; } = 460;

    /// <summary>The picture as SVG text, ending in a newline.</summary>
    public string Render()
    {
        var lines = Lines.Select(line => (line, Points: line.Points.Select(p => Visible(p) ? p : (p.X, Y: double.NaN)).ToArray())).ToArray();
        var shown = lines.SelectMany(line => line.Points).Where(p => double.IsFinite(p.Y)).ToArray();
        var references = References.Where(reference => Visible((1, reference.Y))).ToArray();
        var x = new ChartAxis(shown.Select(p => p.X), LogX, Left, Width - Right, tight: true);
        var y = new ChartAxis([.. shown.Select(p => Math.Min(p.Y, MaxY ?? p.Y)), .. references.Select(reference => reference.Y)], LogY, Height - Bottom, Top, tight: false);

        var svg = new StringBuilder();
        Open(svg, lines.Length);
        Axes(svg, x, y);
        if (shown.Length == 0)
            Label(svg, (Left + Width - Right) / 2, (Top + Height - Bottom) / 2, "middle", "soft", "nothing recorded yet");
        var drawn = lines.Select(line => line.line.Smoothing > 0 ? Smooth(line.Points, line.line.Smoothing) : line.Points).ToArray();
        DrawReferences(svg, references, drawn.Concat(lines.Select(line => line.Points)).SelectMany(points => points).Where(p => double.IsFinite(p.Y)).Select(p => (x.Pixel(p.X), y.Pixel(p.Y))), y);
        svg.Append(CultureInfo.InvariantCulture, $"<clipPath id=\"plot\"><rect x=\"{Left}\" y=\"{Top - 2}\" width=\"{Width - Left - Right}\" height=\"{Height - Top - Bottom + 4}\"/></clipPath>\n<g clip-path=\"url(#plot)\">\n");
        for (var i = 0; i < lines.Length; i++)
        {
            if (lines[i].line.Smoothing > 0)
                Path(svg, lines[i].Points, x, y, i, Raw);
        }

        for (var i = 0; i < lines.Length; i++)
            Path(svg, drawn[i], x, y, i, "line");
        svg.Append("</g>\n");
        LastValues(svg, drawn, x, y);
        Legend(svg, lines.Select(line => line.line).ToArray());
        return svg.Append("</svg>\n").ToString();
    }

    private bool Visible((double X, double Y) p) =>
        double.IsFinite(p.X) && double.IsFinite(p.Y) && (!LogX || p.X > 0) && (!LogY || p.Y > 0);

    /// <summary>
    /// Exponential average of both sides: a neighbour weighs weight^distance. One-sided averaging draws a falling curve late and too
    /// high; this one does not. Where the curve begins, and is steep, it looks only a tenth of the way back.
    /// </summary>
    private static (double X, double Y)[] Smooth((double X, double Y)[] points, double weight) => [.. points.Select((p, i) =>
    {
        if (!double.IsFinite(p.Y))
            return p;
        var w = Math.Min(weight, i / (i + 10.0));
        var (sum, total) = (p.Y, 1.0);
        var power = w;
        for (var d = 1; power > 0.01 && (d <= i || i + d < points.Length); d++, power *= w)
        {
            if (d <= i && double.IsFinite(points[i - d].Y))
                (sum, total) = (sum + (power * points[i - d].Y), total + power);
            if (i + d < points.Length && double.IsFinite(points[i + d].Y))
                (sum, total) = (sum + (power * points[i + d].Y), total + power);
        }

        return (p.X, sum / total);
    })];

    private static string At(double pixel) => Math.Round(pixel, 1, MidpointRounding.AwayFromZero).ToString("0.#", CultureInfo.InvariantCulture);

    private static string Escape(string text)
    {
        var escaped = new StringBuilder();
        foreach (var rune in text.EnumerateRunes())
        {
            escaped = rune.Value switch
            {
                '<' => escaped.Append("&lt;"),
                '&' => escaped.Append("&amp;"),
                '>' => escaped.Append("&gt;"),
                '"' => escaped.Append("&quot;"),
                < ' ' or 0x7F or 0xFFFE or 0xFFFF => escaped.Append(' '), // XML has no place for these
                _ => escaped.Append(rune.ToString()),
            };
        }

        return escaped.ToString();
    }

    private static void Label(StringBuilder svg, double x, double y, string anchor, string style, string text, string more = "") =>
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{At(x)}\" y=\"{At(y)}\" text-anchor=\"{anchor}\" class=\"{style}\"{more}>{Escape(text)}</text>\n");

    private void Open(StringBuilder svg, int lines)
    {
        svg.Append(CultureInfo.InvariantCulture, $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {Height}\" width=\"{Width}\" height=\"{Height}\" role=\"img\" aria-label=\"{Escape(Title)}\">\n<style>\n");
        svg.Append("""
            svg { --paper: #ffffff; --ink: #1c2430; --soft: #5b6675; --grid: #e8ebf0; --axis: #b3bcc8; font: 13px system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
            @media (prefers-color-scheme: dark) { svg { --paper: #12161c; --ink: #e8ecf2; --soft: #9aa6b5; --grid: #242b35; --axis: #4a5564; } }
            text { fill: var(--ink); } .title { font-size: 17px; font-weight: 600; } .soft { fill: var(--soft); font-size: 12px; font-variant-numeric: tabular-nums; }
            .last { font-weight: 600; font-variant-numeric: tabular-nums; } .halo { paint-order: stroke; stroke: var(--paper); stroke-width: 4px; stroke-linejoin: round; }
            .grid { stroke: var(--grid); } .axis { stroke: var(--axis); } .reference { stroke: var(--soft); stroke-width: 1.25; stroke-dasharray: 5 4; }
            path { fill: none; stroke-linejoin: round; stroke-linecap: round; } .line { stroke-width: 2.25; } .raw { stroke-width: 1; opacity: .28; }

            """.ReplaceLineEndings("\n"));
        for (var i = 0; i < Math.Min(lines, Colours.Length); i++)
        {
            svg.Append(CultureInfo.InvariantCulture, $".c{i} {{ stroke: {Colours[i].Light}; }} .f{i} {{ fill: {Colours[i].Light}; }}\n");
            svg.Append(CultureInfo.InvariantCulture, $"@media (prefers-color-scheme: dark) {{ .c{i} {{ stroke: {Colours[i].Dark}; }} .f{i} {{ fill: {Colours[i].Dark}; }} }}\n");
        }

        svg.Append(CultureInfo.InvariantCulture, $"</style>\n<rect width=\"{Width}\" height=\"{Height}\" rx=\"8\" style=\"fill: var(--paper)\"/>\n");
        Label(svg, 20, 32, "start", "title", Title);
    }

    private void Axes(StringBuilder svg, ChartAxis x, ChartAxis y)
    {
        foreach (var (value, text) in y.Ticks(Math.Max(2, (int)(Height - Top - Bottom) / 50)))
        {
            svg.Append(CultureInfo.InvariantCulture, $"<line class=\"grid\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{At(y.Pixel(value))}\" y2=\"{At(y.Pixel(value))}\"/>\n");
            Label(svg, Left - 10, y.Pixel(value) + 4, "end", "soft", text);
        }

        foreach (var (value, text) in x.Ticks(Math.Max(2, (int)(Width - Left - Right) / 95)))
        {
            svg.Append(CultureInfo.InvariantCulture, $"<line class=\"axis\" x1=\"{At(x.Pixel(value))}\" x2=\"{At(x.Pixel(value))}\" y1=\"{Height - Bottom}\" y2=\"{Height - Bottom + 5}\"/>\n");
            Label(svg, x.Pixel(value), Height - Bottom + 19, "middle", "soft", text);
        }

        svg.Append(CultureInfo.InvariantCulture, $"<line class=\"axis\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{Height - Bottom}\" y2=\"{Height - Bottom}\"/>\n");
        Label(svg, (Left + Width - Right) / 2, Height - 12, "middle", "soft", XLabel);
        var middle = (Top + Height - Bottom) / 2;
        Label(svg, 18, middle, "middle", "soft", YLabel, $" transform=\"rotate(-90 18 {At(middle)})\"");
    }

    /// <summary>A line as a path, thinned to the first, lowest, highest and last point of every pixel column: nothing visible is lost.</summary>
    private static void Path(StringBuilder svg, (double X, double Y)[] points, ChartAxis x, ChartAxis y, int index, string style)
    {
        svg.Append(CultureInfo.InvariantCulture, $"<path class=\"{style} c{index % Colours.Length}\" d=\"");
        var pen = Ink;
        for (var i = 0; i < points.Length;)
        {
            if (!double.IsFinite(points[i].Y))
            {
                (pen, i) = (Ink, i + 1);
                continue;
            }

            var (column, end, low, high) = (Math.Floor(x.Pixel(points[i].X)), i, i, i);
            for (; end < points.Length && double.IsFinite(points[end].Y) && Math.Floor(x.Pixel(points[end].X)) == column; end++)
                (low, high) = (points[end].Y < points[low].Y ? end : low, points[end].Y > points[high].Y ? end : high);
            foreach (var at in new SortedSet<int> { i, low, high, end - 1 })
            {
                svg.Append(pen).Append(At(x.Pixel(points[at].X))).Append(' ').Append(At(y.Pixel(points[at].Y)));
                pen = "L";
            }

            i = end;
        }

        svg.Append("\"/>\n");
    }

    /// <summary>Dashed lines, each labelled above or below, left, right or in the middle: wherever the least is drawn already.</summary>
    private void DrawReferences(StringBuilder svg, ChartReference[] references, IEnumerable<(double X, double Y)> drawn, ChartAxis y)
    {
        var busy = drawn.ToList();
        List<(double Left, double Top, double Right, double Bottom)> taken = [];
        foreach (var reference in references)
        {
            var at = y.Pixel(reference.Y);
            svg.Append(CultureInfo.InvariantCulture, $"<line class=\"reference\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{At(at)}\" y2=\"{At(at)}\"/>\n");
        }

        foreach (var reference in references)
        {
            var text = $"{reference.Label} · {ChartAxis.Short(reference.Y)}";
            var (at, width) = (y.Pixel(reference.Y), (text.Length * 6.6) + 8); // a fair guess: the reader's font is unknown
            (string Anchor, double Left)[] places = [("start", Left + 8), ("end", Width - Right - 8 - width), ("middle", (Left + Width - Right - width) / 2)];
            var (_, anchor, left, baseline) = places.SelectMany(_ => new[] { at - 6, at + 15 }, (place, baseline) =>
            {
                var left = place.Left;
                var (top, bottom) = (baseline - 13, baseline + 4);
                var cost = busy.Count(p => p.X > left - 4 && p.X < left + width + 4 && p.Y > top && p.Y < bottom)
                    + (1000 * references.Count(other => y.Pixel(other.Y) is var line && line > top && line < bottom))
                    + (1000 * taken.Count(box => left < box.Right && left + width > box.Left && top < box.Bottom && bottom > box.Top))
                    + (top < Top - 10 || bottom > Height - Bottom ? 1000 : 0);
                return (Cost: cost, place.Anchor, left, baseline);
            }).MinBy(place => place.Cost); // the first of equals
            taken.Add((left, baseline - 13, left + width, baseline + 4));
            Label(svg, anchor switch { "start" => left, "end" => left + width, _ => left + (width / 2) }, baseline, anchor, "soft halo", text);
        }
    }

    private void LastValues(StringBuilder svg, (double X, double Y)[][] lines, ChartAxis x, ChartAxis y)
    {
        var ends = lines.Select((points, i) => (Index: i, Last: points.LastOrDefault(p => double.IsFinite(p.Y), (X: 0, Y: double.NaN))))
            .Where(end => double.IsFinite(end.Last.Y)).OrderByDescending(end => end.Last.Y);
        var below = double.NegativeInfinity;
        foreach (var (index, last) in ends)
        {
            var (px, py) = (x.Pixel(last.X), Math.Clamp(y.Pixel(last.Y), Top, Height - Bottom));
            svg.Append(CultureInfo.InvariantCulture, $"<circle class=\"f{index % Colours.Length}\" cx=\"{At(px)}\" cy=\"{At(py)}\" r=\"3.5\"/>\n");
            below = Math.Max(py + 4.5, below + 15);
            Label(svg, px + 9, below, "start", $"last f{index % Colours.Length}", ChartAxis.Short(last.Y));
        }
    }

    private void Legend(StringBuilder svg, ChartLine[] lines)
    {
        double at = 20;
        for (var i = 0; i < lines.Length; i++)
        {
            svg.Append(CultureInfo.InvariantCulture, $"<line class=\"line c{i % Colours.Length}\" stroke-linecap=\"round\" x1=\"{At(at + 2)}\" x2=\"{At(at + 18)}\" y1=\"54\" y2=\"54\"/>\n");
            Label(svg, at + 26, 58.5, "start", "", lines[i].Name);
            at += 26 + (lines[i].Name.Length * 7.2) + 22; // a fair guess of the width: the reader's font is unknown
        }
    }
}

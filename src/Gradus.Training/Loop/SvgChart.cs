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
        svg.Append(CultureInfo.InvariantCulture, $"<clipPath id=\"plot\"><rect x=\"{Left}\" y=\"{Top - 2}\" width=\"{Width - Left - Right}\" height=\"{Height - Top - Bottom + 4}\"/></clipPath>\n<g clip-path=\"url(#plot)\">\n");
        for (var i = 0; i < lines.Length; i++)
        {
            if (lines[i].line.Smoothing > 0)
                Path(svg, lines[i].Points, x, y, i, Raw);
        }

        var drawn = lines.Select(line => line.line.Smoothing > 0 ? Smooth(line.Points, line.line.Smoothing) : line.Points).ToArray();
        for (var i = 0; i < lines.Length; i++)
            Path(svg, drawn[i], x, y, i, "line");
        svg.Append("</g>\n");
        DrawReferences(svg, references, y);
        LastValues(svg, drawn, x, y);
        Legend(svg, lines.Select(line => line.line).ToArray());
        return svg.Append("</svg>\n").ToString();
    }

    private bool Visible((double X, double Y) p) =>
        double.IsFinite(p.X) && double.IsFinite(p.Y) && (!LogX || p.X > 0) && (!LogY || p.Y > 0);

    /// <summary>
    /// Exponential average of both sides: each value weighs weight^distance. One-sided averaging draws a falling curve late and too
    /// high; this one does not, and a constant stays what it is.
    /// </summary>
    private static (double X, double Y)[] Smooth((double X, double Y)[] points, double weight)
    {
        var (sums, weights) = (new double[points.Length], new double[points.Length]);
        foreach (var backwards in new[] { false, true })
        {
            var (sum, total) = (0.0, 0.0);
            for (var n = 0; n < points.Length; n++)
            {
                var i = backwards ? points.Length - 1 - n : n;
                if (!double.IsFinite(points[i].Y))
                    continue;
                sum = (sum * weight) + points[i].Y;
                total = (total * weight) + 1;
                sums[i] += backwards ? sum - points[i].Y : sum; // the point itself counts once
                weights[i] += backwards ? total - 1 : total;
            }
        }

        return [.. points.Select((p, i) => double.IsFinite(p.Y) ? (p.X, sums[i] / weights[i]) : p)];
    }

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

    private void DrawReferences(StringBuilder svg, ChartReference[] references, ChartAxis y)
    {
        // At the left, where a falling loss is far above its baselines. Lines too close for a label between have the lower one's below it.
        var (line, label) = (double.NegativeInfinity, double.NegativeInfinity);
        foreach (var reference in references.OrderByDescending(reference => reference.Y))
        {
            var at = y.Pixel(reference.Y);
            svg.Append(CultureInfo.InvariantCulture, $"<line class=\"reference\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{At(at)}\" y2=\"{At(at)}\"/>\n");
            label = at - 6 - 15 >= Math.Max(line, label) ? at - 6 : Math.Max(at + 15, label + 15);
            line = at;
            Label(svg, Left + 8, label, "start", "soft halo", $"{reference.Label} · {ChartAxis.Short(reference.Y)}");
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

using System.Globalization;
using System.Net;
using System.Text;

namespace Gradus.Text.Data.Analysis;

/// <summary>A row of a bar chart.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Value">How long the bar is.</param>
/// <param name="Shown">The figure behind it.</param>
/// <param name="Mark">Where a mark stands for what was expected, or null.</param>
internal sealed record ChartBar(string Name, double Value, string Shown, double? Mark = null);

/// <summary>A row of a dot chart: an estimate and what it may be off by.</summary>
internal sealed record ChartDot(string Name, double Value, double Low, double High, string Shown);

/// <summary>Charts as inline SVG: colours come from the page, so light, dark and print each have their own.</summary>
internal static class AuditCharts
{
    private const int Width = 640, Left = 170, Right = 150;

    public static string Safe(string text) => WebUtility.HtmlEncode(text);

    /// <summary>A number with at most a decimal, as SVG wants it.</summary>
    public static string N(double value) => Math.Round(value, 1).ToString("0.#", CultureInfo.InvariantCulture);

    /// <summary>Horizontal bars with a name before and a figure behind.</summary>
    public static string Bars(string title, IReadOnlyList<ChartBar> rows)
    {
        const int Row = 26;
        var most = Math.Max(1e-12, rows.Max(r => Math.Max(r.Value, r.Mark ?? 0)));
        var svg = Open(title, Width, rows.Count * Row + 6);
        for (var i = 0; i < rows.Count; i++)
        {
            var (y, width) = (i * Row + 4, Math.Max(rows[i].Value > 0 ? 2 : 0, rows[i].Value / most * (Width - Left - Right)));
            svg.Append(CultureInfo.InvariantCulture, $"<text class=\"name\" x=\"{Left - 10}\" y=\"{y + 14}\" text-anchor=\"end\">{Safe(Short(rows[i].Name))}<title>{Safe(rows[i].Name)}</title></text>");
            svg.Append(CultureInfo.InvariantCulture, $"<rect class=\"track\" x=\"{Left}\" y=\"{y + 3}\" width=\"{Width - Left - Right}\" height=\"14\" rx=\"3\"/><rect class=\"bar\" x=\"{Left}\" y=\"{y + 3}\" width=\"{N(width)}\" height=\"14\" rx=\"3\"/>");
            if (rows[i].Mark is { } mark)
                svg.Append(CultureInfo.InvariantCulture, $"<line class=\"mark\" x1=\"{N(Left + mark / most * (Width - Left - Right))}\" x2=\"{N(Left + mark / most * (Width - Left - Right))}\" y1=\"{y}\" y2=\"{y + 20}\"/>");
            svg.Append(CultureInfo.InvariantCulture, $"<text class=\"value\" x=\"{Width - Right + 10}\" y=\"{y + 14}\">{Safe(rows[i].Shown)}</text>");
        }

        return svg.Append("</svg>").ToString();
    }

    /// <summary>A histogram with names under its bars.</summary>
    public static string Columns(string title, IReadOnlyList<(string Name, long Count)> columns)
    {
        const int Height = 150, Base = 128, Top = 14;
        var most = Math.Max(1, columns.Max(c => c.Count));
        var step = (double)Width / columns.Count;
        var every = (int)Math.Ceiling(columns.Count * 52.0 / Width);
        var svg = Open(title, Width, Height);
        for (var i = 0; i < columns.Count; i++)
        {
            var height = columns[i].Count == 0 ? 0 : Math.Max(1.5, (double)columns[i].Count / most * (Base - Top));
            svg.Append(CultureInfo.InvariantCulture, $"<rect class=\"bar\" x=\"{N(i * step + Math.Min(4, step / 8))}\" y=\"{N(Base - height)}\" width=\"{N(Math.Max(1, step - 2 * Math.Min(4, step / 8)))}\" height=\"{N(height)}\" rx=\"2\"><title>{Safe(columns[i].Name)}: {columns[i].Count.ToString("N0", CultureInfo.InvariantCulture)}</title></rect>");
            if (i % every == 0)
                svg.Append(CultureInfo.InvariantCulture, $"<text class=\"tick\" x=\"{N(i * step + step / 2)}\" y=\"{Base + 16}\" text-anchor=\"middle\">{Safe(columns[i].Name)}</text>");
        }

        return svg.Append(CultureInfo.InvariantCulture, $"<line class=\"axis\" x1=\"0\" x2=\"{Width}\" y1=\"{Base}\" y2=\"{Base}\"/></svg>").ToString();
    }

    /// <summary>Estimates on one scale, each with its interval.</summary>
    public static string Dots(string title, IReadOnlyList<ChartDot> rows, double from, double to, double? middle)
    {
        const int Row = 30;
        var svg = Open(title, Width, rows.Count * Row + 30);
        if (middle is { } m)
            svg.Append(CultureInfo.InvariantCulture, $"<line class=\"mark\" x1=\"{X(m)}\" x2=\"{X(m)}\" y1=\"0\" y2=\"{rows.Count * Row + 6}\"/>");
        for (var i = 0; i < rows.Count; i++)
        {
            var y = i * Row + 15;
            svg.Append(CultureInfo.InvariantCulture, $"<text class=\"name\" x=\"{Left - 10}\" y=\"{y + 4}\" text-anchor=\"end\">{Safe(Short(rows[i].Name))}<title>{Safe(rows[i].Name)}</title></text>");
            svg.Append(CultureInfo.InvariantCulture, $"<line class=\"axis\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{y}\" y2=\"{y}\"/><line class=\"span\" x1=\"{X(rows[i].Low)}\" x2=\"{X(rows[i].High)}\" y1=\"{y}\" y2=\"{y}\"/><circle class=\"bar\" cx=\"{X(rows[i].Value)}\" cy=\"{y}\" r=\"6\"/>");
            svg.Append(CultureInfo.InvariantCulture, $"<text class=\"value\" x=\"{Width - Right + 14}\" y=\"{y + 4}\">{Safe(rows[i].Shown)}</text>");
        }

        foreach (var at in new[] { from, (from + to) / 2, to })
            svg.Append(CultureInfo.InvariantCulture, $"<text class=\"tick\" x=\"{X(at)}\" y=\"{rows.Count * Row + 22}\" text-anchor=\"middle\">{N(at)}</text>");
        return svg.Append("</svg>").ToString();

        string X(double value) => N(Left + (Math.Clamp(value, from, to) - from) / (to - from) * (Width - Left - Right));
    }

    /// <summary>Words in a plane, the third coordinate as their size; each group has a colour.</summary>
    public static string WordMap(string title, IReadOnlyList<AuditWord> words)
    {
        const int Wide = 1080, Height = 460, Border = 60;
        var (x, y, z) = (Range(0), Range(1), Range(2));
        var svg = Open(title, Wide, Height);
        foreach (var word in words.OrderBy(w => w.At[2]).ThenBy(w => w.Text, StringComparer.Ordinal))
        {
            var depth = Part(word.At[2], z);
            svg.Append(CultureInfo.InvariantCulture, $"<text class=\"w{word.Topic % 8}\" x=\"{N(Border + Part(word.At[0], x) * (Wide - 2 * Border))}\" y=\"{N(Height - 24 - Part(word.At[1], y) * (Height - 48))}\" text-anchor=\"middle\" font-size=\"{N(12 + 7 * depth)}\" opacity=\"{(0.55 + 0.45 * depth).ToString("0.##", CultureInfo.InvariantCulture)}\">{Safe(word.Text)}<title>topic {word.Topic + 1}</title></text>");
        }

        return svg.Append("</svg>").ToString();

        (double Least, double Greatest) Range(int axis) => (words.Min(w => w.At[axis]), words.Max(w => w.At[axis]));
        static double Part(double value, (double Least, double Greatest) range) => range.Greatest > range.Least ? (value - range.Least) / (range.Greatest - range.Least) : 0.5;
    }

    private static StringBuilder Open(string title, int width, int height) => new StringBuilder().Append(CultureInfo.InvariantCulture, $"<svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{Safe(title)}\">");

    private static string Short(string name) => name.Length <= 24 ? name : name[..11] + "…" + name[^12..];
}

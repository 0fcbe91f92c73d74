using System.Globalization;
using System.Xml.Linq;
using Gradus.Training.Loop;

namespace Gradus.Tests.Training.Loop;

public class SvgChartTests
{
    [Fact]
    [Row("G19")]
    public void A_chart_is_well_formed_self_contained_and_the_same_in_every_culture()
    {
        var chart = Curve();
        var svg = chart.Render();
        Assert.Equal("svg", XDocument.Parse(svg).Root!.Name.LocalName);
        Assert.DoesNotContain("href", svg, StringComparison.Ordinal);
        Assert.DoesNotContain("NaN", svg, StringComparison.Ordinal);
        Assert.Contains("5-gram Kneser-Ney", svg, StringComparison.Ordinal);
        Assert.Contains("prefers-color-scheme: dark", svg, StringComparison.Ordinal);
        var culture = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = new CultureInfo("de-DE");
            Assert.Equal(svg, Curve().Render());
        }
        finally
        {
            CultureInfo.CurrentCulture = culture;
        }
    }

    [Fact]
    public void Text_is_escaped()
    {
        var svg = (Curve() with { Title = "a < b & \"c\" \u0001", YLabel = "</svg><script>" }).Render();
        var root = XDocument.Parse(svg).Root!;
        Assert.Contains(root.Elements(), e => e.Value == "a < b & \"c\"  ");
        Assert.DoesNotContain("<script>", svg, StringComparison.Ordinal);
    }

    [Fact]
    public void The_smoothed_line_lies_over_a_raw_one_and_its_start_is_not_pulled_to_zero()
    {
        var flat = new ChartLine("loss", [.. Enumerable.Range(0, 50).Select(i => ((double)i, 3.0))]) { Smoothing = 0.9 };
        var paths = Paths(new SvgChart { Title = "t", Lines = [flat] });
        Assert.Equal(2, paths.Count);
        Assert.Equal(paths[0], paths[1]); // the average of a constant is the constant, from the first point on
        Assert.Single(Paths(new SvgChart { Title = "t", Lines = [flat with { Smoothing = 0 }] }));
    }

    [Fact]
    public void Smoothing_takes_noise_away_and_neither_delays_nor_lifts_a_straight_fall()
    {
        var line = new ChartLine("loss", [.. Enumerable.Range(0, 401).Select(i => ((double)i, 9 - (i / 50.0) + (i % 2 == 0 ? 0.5 : -0.5)))]) { Smoothing = 0.9 };
        var paths = Paths(new SvgChart { Title = "t", Lines = [line, new("truth", [(0, 9), (400, 1)])] });
        var (smooth, truth) = (Points(paths[1]), Points(paths[2]));
        var (from, to) = (truth[0], truth[^1]);
        foreach (var (x, y) in smooth.Where(p => p.X > from.X + 120 && p.X < to.X - 120)) // away from the ends, where one side is missing
            Assert.InRange(y - (from.Y + ((x - from.X) / (to.X - from.X) * (to.Y - from.Y))), -3, 3); // pixels; the raw line is 15 away
    }

    [Fact]
    public void Values_that_are_no_numbers_break_the_line()
    {
        var line = new ChartLine("loss", [(0, 1), (1, 2), (2, double.NaN), (3, 1), (4, double.PositiveInfinity), (5, 2), (6, 1)]);
        Assert.Equal(3, Paths(new SvgChart { Title = "t", Lines = [line] }).Single().Count(c => c == 'M'));
        // On a logarithmic axis, so do zero and below.
        line = new ChartLine("loss", [(0, 1), (1, 2), (2, 0), (3, 1), (4, 1)]);
        Assert.Equal(2, Paths(new SvgChart { Title = "t", Lines = [line], LogY = true }).Single().Count(c => c == 'M'));
    }

    [Fact]
    public void A_million_points_keep_their_extremes_and_a_small_file()
    {
        var points = Enumerable.Range(0, 1_000_000).Select(i => ((double)i, 2 + Math.Sin(i / 1e5))).ToArray();
        points[123_456] = (123_456, 9); // one spike
        var svg = new SvgChart { Title = "t", Lines = [new("loss", points)], Height = 400 };
        Assert.InRange(svg.Render().Length, 1_000, 60_000);
        Assert.InRange(Points(Paths(svg).Single()).Min(p => p.Y), 80, 100); // the top of the plot is at 84
    }

    [Theory]
    [InlineData(0, 10_000, 7, "0 2k 4k 6k 8k 10k")]
    [InlineData(0, 1200, 7, "0 200 400 600 800 1000 1200")]
    [InlineData(2.1, 3.4, 6, "2.25 2.50 2.75 3.00 3.25")]
    [InlineData(0, 2e6, 5, "0 0.5M 1.0M 1.5M 2.0M")]
    [InlineData(-1, 1, 4, "-1.0 -0.5 0 0.5 1.0")]
    public void Ticks_are_round_numbers(double low, double high, int about, string expected) =>
        Assert.Equal(expected, string.Join(' ', new ChartAxis([low, high], log: false, 0, 100, tight: true).Ticks(about).Select(t => t.Text)));

    [Theory]
    [InlineData(1, 100, 7, "1 2 5 10 20 50 100")]
    [InlineData(0.5, 2e6, 8, "1 10 100 1000 10k 100k 1M")]
    [InlineData(2, 3, 5, "2.0 2.2 2.4 2.6 2.8 3.0")]
    [InlineData(1.5, 9.5, 6, "2 3 4 5 6 7 8 9")]
    public void Ticks_of_a_logarithmic_axis_are_round_numbers(double low, double high, int about, string expected) =>
        Assert.Equal(expected, string.Join(' ', new ChartAxis([low, high], log: true, 0, 100, tight: true).Ticks(about).Select(t => t.Text)));

    [Fact]
    public void Nothing_at_all_and_a_single_point_are_charts_too()
    {
        Assert.Contains("nothing recorded yet", new SvgChart { Title = "t" }.Render(), StringComparison.Ordinal);
        foreach (var log in new[] { false, true })
            XDocument.Parse(new SvgChart { Title = "t", LogX = log, LogY = log, Lines = [new("x", [(5, 5)])] }.Render());
    }

    [Fact]
    public void The_picture_of_a_run_is_written_where_a_person_can_look_at_it()
    {
        // Written beside the test binary, for eyes; the assertion is only that every part is there.
        var path = Path.Combine(AppContext.BaseDirectory, "chart.svg");
        File.WriteAllText(path, Curve().Render());
        File.WriteAllText(Path.Combine(AppContext.BaseDirectory, "chart-log.svg"), (Curve() with { LogX = true, LogY = true, Title = "The same, logarithmic" }).Render());
        Assert.Equal(3, XDocument.Load(path).Descendants().Count(e => e.Name.LocalName == "path"));
    }

    private static List<string> Paths(SvgChart chart) =>
        [.. XDocument.Parse(chart.Render()).Descendants().Where(e => e.Name.LocalName == "path").Select(e => e.Attribute("d")!.Value)];

    private static (double X, double Y)[] Points(string path) => [.. path.Split('M', 'L').Skip(1).Select(p => p.Split(' '))
        .Select(p => (double.Parse(p[0], CultureInfo.InvariantCulture), double.Parse(p[1], CultureInfo.InvariantCulture)))];

    private static SvgChart Curve()
    {
        var random = new Random(5);
        double Loss(double step) => 1.55 + (6.2 * Math.Exp(-step / 90)) + (1.9 * Math.Pow(1 + (step / 60), -0.55));
        return new SvgChart
        {
            Title = "quickstart · loss on the State of the Union speeches",
            XLabel = "optimiser steps",
            YLabel = "bits per byte",
            Lines =
            [
                new("training", [.. Enumerable.Range(1, 1800).Select(step => ((double)step, (Loss(step) * 0.98) + (0.35 * (random.NextDouble() - 0.5))))]) { Smoothing = 0.97 },
                new("validation", [.. Enumerable.Range(1, 36).Select(i => (i * 50.0, Loss(i * 50) + 0.04))]),
            ],
            References = [new("3-gram Kneser-Ney", 2.31), new("5-gram Kneser-Ney", 2.08)],
        };
    }
}

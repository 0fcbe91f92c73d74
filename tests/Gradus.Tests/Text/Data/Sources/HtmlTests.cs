using Gradus.Text.Data;
using Gradus.Text.Data.Sources;

namespace Gradus.Tests.Text.Data.Sources;

public sealed class HtmlTests : SourceBench
{
    private const string Prose = "The ship had sailed before dawn, and when the fog lifted at noon there was nothing to be seen of the coast but a thin grey line, which the captain said was only cloud.";

    private string Main(string html) => Texts(new HtmlSource { Path = Write("a.html", html) }).FirstOrDefault() ?? "";

    [Fact]
    [Row("B1")]
    public void An_article_is_taken_out_of_its_page()
    {
        var text = Main($$"""
            <!doctype html><html lang="en"><head><title>Fog | The Daily</title><meta property="og:title" content="Fog at noon"><meta property="article:published_time" content="2021-03-04T05:06:07+01:00">
            <link rel="canonical" href="https://daily.example/fog"><link rel="license" href="https://creativecommons.org/licenses/by-sa/4.0/deed.en"><style>p{color:red}</style><script>var x = "{{Prose}}";</script></head>
            <body><header><a href="/">The Daily</a></header><nav><ul><li><a href="/a">News</a></li><li><a href="/b">Sport</a></li></ul></nav>
            <div class="content"><h1>Fog at noon</h1><p>{{Prose}}</p><p>“All hands!” he cried.</p><p>{{Prose}} <a href="/x">More</a> of it came.</p><ul><li>one</li><li>two</li></ul><p>{{Prose}}</p></div>
            <aside><p>{{Prose}} Buy our paper.</p></aside><div id="comments"><p>{{Prose}} First!</p></div><div style="display: none">{{Prose}} hidden</div>
            <ul class="links"><li><a href="1">{{Prose}}</a></li></ul><footer>© The Daily. All rights reserved.</footer></body></html>
            """);
        Assert.Equal($"Fog at noon\n\n{Prose}\n\n“All hands!” he cried.\n\n{Prose} More of it came.\n\n- one\n- two\n\n{Prose}", text);
        var meta = ReadAll(new HtmlSource { Path = System.IO.Path.Combine(Folder, "a.html") }).Documents[0].Meta!;
        Assert.Equal(("Fog at noon", "2021-03-04T04:06:07Z", "https://daily.example/fog", "CC-BY-SA-4.0", "en"), (meta[MetaKeys.Title], meta[MetaKeys.Date], meta[MetaKeys.Url], meta[MetaKeys.License], meta[MetaKeys.Language]));
    }

    [Fact]
    public void All_text_keeps_the_furniture()
    {
        var path = Write("a.html", $"<nav><a href=x>News</a></nav><p>{Prose}</p><footer>legal</footer>");
        Assert.Equal(Prose, Texts(new HtmlSource { Path = path })[0]);
        Assert.Equal($"News\n\n{Prose}\n\nlegal", Texts(new HtmlSource { Path = path, Text = HtmlText.All })[0]); // the control: switched off, it is there
    }

    [Fact]
    public void Preformatted_text_tables_and_breaks_keep_their_shape()
    {
        var path = Write("a.html", "<p>a<br>b</p><pre>if x:\n    y()\n</pre><table><tr><th>k</th><th>v</th></tr><tr><td>1</td><td>2</td></tr></table>");
        Assert.Equal("a\nb\n\nif x:\n    y()\n\nk | v\n1 | 2", Texts(new HtmlSource { Path = path, Text = HtmlText.All })[0]);
    }

    [Fact]
    public void A_short_page_still_has_its_text() => Assert.Equal("Hello there.", Main("<html><body><p>Hello there.</p></body></html>"));

    [Theory]
    [InlineData("<div>")]
    [InlineData("<b>")]
    [InlineData("<a href=x>")]
    [InlineData("<table><tr><td>")]
    [InlineData("<p><b>")]
    [InlineData("<svg><g>")]
    [InlineData("</p>")]
    [InlineData("<li>")]
    [InlineData("&amp;")]
    public void Hostile_nesting_costs_time_in_proportion_and_no_stack(string tag)
    {
        var watch = System.Diagnostics.Stopwatch.StartNew();
        try
        {
            Main(string.Concat(Enumerable.Repeat(tag, 100_000)) + Prose);
        }
        catch (Gradus.Foundation.Files.UserException e)
        {
            Assert.EndsWith("no records.", e.Message); // a page of one link has no text of its own
        }

        Assert.True(watch.Elapsed.TotalSeconds < 30, $"{tag}: {watch.Elapsed}");
    }

    [Fact]
    public void Text_behind_hostile_nesting_is_not_lost() =>
        Assert.Contains(Prose, Main(string.Concat(Enumerable.Repeat("<div>", 20_000)) + $"<p>{Prose}</p>"));
}

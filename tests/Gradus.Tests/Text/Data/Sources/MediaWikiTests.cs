using Gradus.Text.Data;
using Gradus.Text.Data.Sources;
using Gradus.Text.Data.Sources.Wiki;

namespace Gradus.Tests.Text.Data.Sources;

public sealed class MediaWikiTests : SourceBench
{
    private static string Plain(string wikitext, WikiTables tables = WikiTables.Drop) =>
        new WikiMarkup(tables, new HashSet<string>(StringComparer.OrdinalIgnoreCase) { "File", "Category", "Image" }).ToText(wikitext);

    [Fact]
    [Row("B1", "B9")]
    public void Real_dumps_give_their_articles()
    {
        // UTF-16 with a byte order mark, bzip2: as it was published.
        var (bulgarian, report) = ReadAll(new MediaWikiSource { Path = Repo.SharedData("mediawiki/bgwiki-latest-pages-articles-shortened.xml.bz2") });
        var page = Assert.Single(bulgarian);
        Assert.Equal(("Григориански календар", "bg", 2L), (page.Meta![MetaKeys.Title], page.Meta[MetaKeys.Language], report.LeftOut["mediawiki: other namespace"]));
        Assert.StartsWith("Григорианският календар", Text(page));
        var (english, _) = ReadAll(new MediaWikiSource { Path = Repo.SharedData("mediawiki/enwiki-table-markup.xml.bz2") });
        Assert.Equal(["Constructive vote of no confidence", "List of Prison Break characters", "Academy Award for Best Production Design", "Economy of Estonia", "Brahui language"], english.Select(d => d.Meta![MetaKeys.Title]));
        foreach (var document in english.Append(page))
        {
            var text = Text(document);
            foreach (var mark in new[] { "[[", "]]", "{{", "}}", "'''", "<ref", "{|", "|-", "__", "&nbsp;" })
                Assert.False(text.Contains(mark, StringComparison.Ordinal), $"{mark} in {document.Meta![MetaKeys.Title]}");
        }

        Assert.Contains("On 27 April 1972, an attempt to vote Chancellor Willy Brandt (SPD) out of office in favor of opposition leader Rainer Barzel (CDU) failed by a margin of only two votes.", Text(english[0]));
        Assert.DoesNotContain("Rainer Barzel (CDU) | Willy Brandt", Text(english[0]));
        var (rows, _) = ReadAll(new MediaWikiSource { Path = Repo.SharedData("mediawiki/enwiki-table-markup.xml.bz2"), Tables = WikiTables.Rows });
        Assert.Contains("27 April 1972 | Rainer Barzel (CDU) | Willy Brandt (SPD) | 247 | 10 | 3 | 236 | no", Text(rows[0]));
    }

    [Theory]
    [InlineData("'''Bold''' and ''italic'' [[link]]s, [[page|label]], [[ship (boat)|]]", "Bold and italic links, label, ship")]
    [InlineData("a {{cite|x={{nested|y}}|z}} b", "a b")]
    [InlineData("{{lang|de|Haus}} of {{convert|5|km|mi}}, {{nowrap|no break}}", "Haus of 5 km, no break")]
    [InlineData("x<ref name=\"a\">{{cite}} gone</ref>y<ref name=\"a\"/>z<!-- gone -->!", "xyz!")]
    [InlineData("[[File:a.png|thumb|A [[linked]] caption]]kept[[Category:C]][[de:Haus]]", "kept")]
    [InlineData("[http://a.example label here] and [http://a.example]", "label here and")]
    [InlineData("== Empty ==\n== Full ==\ntext\n=== Sub ===\n", "Full\n\ntext")]
    [InlineData("* one\n** two\n# three\n: four\n----", "- one\n- two\n- three\nfour")]
    [InlineData("&lt;tag&gt; &amp;amp; 5&nbsp;km __NOTOC__", "<tag> &amp; 5 km")]
    [InlineData("<nowiki>[[kept]]</nowiki> <math>x_{i}</math> a<br/>b", "[[kept]] x_{i} a\nb")]
    [InlineData("born ({{birth|1900}}) in", "born in")]
    [InlineData("open {{ template", "open template")]
    [InlineData("open [[ link", "open link")]
    [InlineData("closed }} and ]] and |}", "closed }} and ]] and |}")]
    [InlineData("{{{x|default}}} {{{y}}}", "default")]
    public void Wikitext_becomes_what_a_reader_reads(string wikitext, string text) => Assert.Equal(text, Plain(wikitext));

    [Fact]
    public void Tables_go_or_become_rows()
    {
        const string Table = "before\n{| class=\"wikitable\"\n|+ Title\n! Name !! Year\n|-\n| style=\"x\" | Ada || 1843\n|-\n| [[Alan|Turing]]\n| 1936\n|}\nafter";
        Assert.Equal("before\n\nafter", Plain(Table));
        Assert.Equal("before\n\nTitle\nName | Year\nAda | 1843\nTuring | 1936\n\nafter", Plain(Table, WikiTables.Rows));
    }

    [Fact]
    public void Redirects_and_other_models_are_counted()
    {
        var (documents, report) = ReadAll(new MediaWikiSource { Path = Write("a.xml", Dump(Page("A", "text"), Page("B", "#REDIRECT [[A]]"), Page("C", "x", extra: "<redirect title=\"A\" />"), Page("D", "{}", model: "json"), Page("E", "{{only|a|template}}"), Page("T", "talk", ns: 1))) });
        Assert.Equal("A", Assert.Single(documents).Meta![MetaKeys.Title]);
        Assert.Equal([("mediawiki: not wikitext", 1L), ("mediawiki: other namespace", 1), ("mediawiki: redirect", 2)], report.LeftOut.Select(l => (l.Key, l.Value)));
        Assert.Equal(1, report.Empty);
        Assert.Equal(("https://x.example/wiki/A", "2020-01-01T00:00:00Z", "7"), (documents[0].Meta![MetaKeys.Url], documents[0].Meta![MetaKeys.Date], documents[0].Meta![MetaKeys.Id]));
    }

    [Fact]
    public void Damage_and_attacks_are_one_line()
    {
        var dump = Dump(Page("A", "text"), Page("B", "more"));
        Assert.Contains("not well-formed XML", Fails(new MediaWikiSource { Path = Write("a.xml", dump[..(dump.Length - 30)]) }));
        var (kept, report) = ReadAll(new MediaWikiSource { Path = Write("a.xml", dump[..(dump.Length - 30)]), BadRecords = BadRecords.Skip });
        Assert.Equal((1, 1L), (kept.Count, report.Skipped)); // the second page is cut
        const string Laughs = "<!DOCTYPE x [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;\">]>";
        Assert.Contains("DTD", Fails(new MediaWikiSource { Path = Write("b.xml", Laughs + dump) }));
        Assert.Contains("max_record_bytes", Fails(new MediaWikiSource { Path = Write("c.xml", Dump(Page("A", new string('x', 5000)))), MaxRecordBytes = 1000 }));
    }

    [Fact]
    public void Hostile_nesting_costs_time_in_proportion()
    {
        foreach (var mark in new[] { "{{", "[[", "{{{", "\n{|", "<ref>", "<!--", "[http://", "''", "{{a|" })
        {
            var text = string.Concat(Enumerable.Repeat(mark, 200_000));
            var watch = System.Diagnostics.Stopwatch.StartNew();
            Plain(text);
            Assert.True(watch.Elapsed.TotalSeconds < 20, $"{mark}: {watch.Elapsed}"); // quadratic would be minutes
        }
    }

    private static string Dump(params string[] pages) => "<mediawiki xmlns=\"http://www.mediawiki.org/xml/export-0.10/\" xml:lang=\"en\"><siteinfo><sitename>X</sitename><base>https://x.example/wiki/Main</base></siteinfo>\n" + string.Concat(pages) + "</mediawiki>";

    private static string Page(string title, string text, int ns = 0, string extra = "", string model = "wikitext") =>
        $"<page><title>{title}</title><ns>{ns}</ns><id>7</id>{extra}<revision><id>1</id><timestamp>2020-01-01T00:00:00Z</timestamp><model>{model}</model><text>{System.Security.SecurityElement.Escape(text)}</text></revision></page>\n";
}

using System.Formats.Tar;
using System.Text;
using Gradus.Text.Data;
using Gradus.Text.Data.Sources;

namespace Gradus.Tests.Text.Data.Sources;

/// <summary>Books, mails, posts, code, and the layouts of known collections.</summary>
public sealed class PaperSourceTests : SourceBench
{
    [Fact]
    [Row("B1", "B9")]
    public void A_gutenberg_book_loses_its_header_and_licence()
    {
        const string Book = "The Project Gutenberg eBook of Fog\r\n\r\nTitle: Fog\r\n\r\nAuthor: A. Sailor\r\n\r\nRelease Date: March 4, 2001 [eBook #123]\r\n\r\nLanguage: English\r\n\r\n*** START OF THE PROJECT GUTENBERG EBOOK FOG ***\r\n\r\nChapter 1\r\n\r\nIt was foggy.\r\n\r\n*** END OF THE PROJECT GUTENBERG EBOOK FOG ***\r\n\r\nMuch licence.";
        var path = Write("fog.txt", Book);
        var document = Assert.Single(ReadAll(new BookSource { Path = path }).Documents);
        Assert.Equal("Chapter 1\n\nIt was foggy.", Text(document));
        Assert.Equal("author=A. Sailor date=2001-03-04 id=123 language=en source=Project Gutenberg title=Fog", string.Join(' ', document.Meta!.Select(m => $"{m.Key}={m.Value}")));
        Assert.IsType<BookSource>(SourceOptions.FromPath(path));
        Assert.Equal("plain\n\ntext", Assert.Single(Texts(new BookSource { Path = Write("p.txt", "plain\n\ntext\n") })));
    }

    [Fact]
    [Row("B1")]
    public void An_epub_is_read_in_the_order_of_its_spine()
    {
        var path = Write("a.epub", Zip(("mimetype", "application/epub+zip"), ("META-INF/container.xml", "<container><rootfiles><rootfile full-path=\"O/p.opf\"/></rootfiles></container>"),
            ("O/p.opf", "<package xmlns:dc=\"d\"><metadata><dc:title>Fog</dc:title><dc:creator>A. Sailor</dc:creator><dc:language>en</dc:language></metadata><manifest><item id=\"b\" href=\"two%20b.xhtml\"/><item id=\"a\" href=\"sub/../one.xhtml\"/><item id=\"n\" href=\"nav.xhtml\"/></manifest><spine><itemref idref=\"a\"/><itemref idref=\"n\" linear=\"no\"/><itemref idref=\"b\"/></spine></package>"),
            ("O/two b.xhtml", "<html><body><p>Second.</p></body></html>"), ("O/one.xhtml", "<html><body><h1>One</h1><p>First &amp; foremost.</p></body></html>"), ("O/nav.xhtml", "<p>never</p>")));
        var book = Assert.Single(ReadAll(new EpubSource { Path = path }).Documents);
        Assert.Equal(("One\n\nFirst & foremost.\n\nSecond.", "Fog", "A. Sailor"), (Text(book), book.Meta![MetaKeys.Title], book.Meta[MetaKeys.Author]));
        Assert.Equal(2, ReadAll(new EpubSource { Path = path, Chapters = true }).Documents.Count);
        Assert.Contains("no package", Fails(new EpubSource { Path = Write("b.epub", Zip(("a.txt", "x"))) }));
        Assert.Contains("is a zip archive; this file is none", Fails(new EpubSource { Path = Write("c.epub", "text") }));
    }

    [Fact]
    [Row("B1")]
    public void Mailboxes_give_each_mail_its_text()
    {
        var box = "From a@x Thu Apr 25 12:57:54 2019\nFrom: A <a@x>\nSubject: =?utf-8?B?R3LDvMOfZQ==?= =?iso-8859-1?Q?_aus_K=F6ln?=\nDate: Thu, 25 Apr 2019 12:57:54 +0200\nMessage-ID: <1@x>\n\nHello\n>From here on\n\nFrom here not a new one\n\n"
            + "From b@x Thu Apr 25 12:58:54 2019\nFrom: b@x\nSubject: parts\nContent-Type: multipart/alternative; boundary=\"=b\"\n\npreamble\n--=b\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\ncaf=C3=A9 soft=\n break\n--=b\nContent-Type: text/html\n\n<p>never</p>\n--=b--\n\n"
            + "From c@x Thu Apr 25 12:59:54 2019\nFrom: c@x\nSubject: page\nContent-Type: multipart/mixed; boundary=m\n\n--m\nContent-Type: text/html; charset=iso-8859-1\nContent-Transfer-Encoding: base64\n\n" + Convert.ToBase64String(Encoding.Latin1.GetBytes("<p>na\u00EFve</p>")) + "\n--m\nContent-Type: application/pdf\nContent-Disposition: attachment\n\nnever\n--m--\n";
        var (documents, report) = ReadAll(new MboxSource { Path = Write("a.mbox", box), Subject = false });
        Assert.Equal(["Hello\nFrom here on\n\nFrom here not a new one", "café soft break", "naïve"], documents.Select(Text));
        Assert.Equal(("Grüße aus Köln", "2019-04-25T10:57:54Z", "1@x"), (documents[0].Meta![MetaKeys.Title], documents[0].Meta![MetaKeys.Date], documents[0].Meta![MetaKeys.Id]));
        Assert.Equal(0, report.Skipped);
        Assert.Equal("Yes.", Texts(new MboxSource { Path = Write("q.eml", "From: a\nSubject: s\n\nB wrote:\n> old\nYes.\n"), Subject = false, DropQuotes = true })[0]);
        Assert.Contains("no mail headers", Fails(new MboxSource { Path = Write("n.mbox", "just text\n") }));
    }

    [Fact]
    [Row("B1", "B9")]
    public void Stack_exchange_posts_carry_votes_and_the_title_of_their_question()
    {
        var path = Write("Posts.xml", """
            <?xml version="1.0" encoding="utf-8"?>
            <posts>
              <row Id="1" PostTypeId="1" Score="7" CreationDate="2012-01-02T03:04:05.678" Title="Why fog?" Body="&lt;p&gt;Why is there &lt;code&gt;fog&lt;/code&gt;?&lt;/p&gt;" Tags="&lt;sea&gt;&lt;air&gt;" ContentLicense="CC BY-SA 3.0" />
              <row Id="2" PostTypeId="2" ParentId="1" Score="-1" Body="&lt;p&gt;Because.&lt;/p&gt;&lt;pre&gt;&lt;code&gt;cold + wet&lt;/code&gt;&lt;/pre&gt;" />
              <row Id="3" PostTypeId="5" Body="wiki" />
            </posts>
            """);
        var (documents, report) = ReadAll(SourceOptions.FromPath(path));
        Assert.Equal(["Why fog?\n\nWhy is there fog?", "Because.\n\ncold + wet"], documents.Select(Text));
        Assert.Equal(("7", "sea,air", "CC-BY-SA-3.0", "Why fog?"), (documents[0].Meta![MetaKeys.Score], documents[0].Meta!["tags"], documents[0].Meta![MetaKeys.License], documents[1].Meta![MetaKeys.Title]));
        Assert.Equal(1, report.LeftOut["stack-exchange: neither question nor answer"]);
        Assert.Equal(1, ReadAll(new StackExchangeSource { Path = path, MinScore = 0 }).Report.LeftOut["stack-exchange: score"]);
    }

    [Fact]
    [Row("B1")]
    public void A_code_tree_gives_code_that_people_wrote_here()
    {
        Write("t/LICENSE", "MIT License\n\nPermission is hereby granted, free of charge, to any person … without restriction");
        Write("t/src/a.py", "print('a')\n");
        Write("t/src/b.rs", "fn main() {}\n");
        Write("t/node_modules/c.js", "never");
        Write("t/src/d.js", "x=1;" + new string('y', 5000));
        Write("t/src/e.c", "int a;\0binary");
        Write("t/src/f.go", "// Code generated by x. DO NOT EDIT.\npackage f\n");
        Write("t/sub/LICENSE.txt", "Apache License\nVersion 2.0");
        Write("t/sub/g.java", "class G {}\n");
        Write("t/Makefile", "all:\n");
        var source = Assert.IsType<CodeSource>(SourceOptions.FromPath(System.IO.Path.Combine(Folder, "t")));
        var (documents, report) = ReadAll(source);
        Assert.Equal(["src/a.py python MIT", "src/b.rs rust MIT", "sub/g.java java Apache-2.0"], documents.Select(d => $"{d.Meta![MetaKeys.Id]} {d.Meta[MetaKeys.Language]} {d.Meta[MetaKeys.License]}"));
        Assert.Equal([("code: binary", 1L), ("code: generated", 1), ("code: minified", 1), ("code: vendored", 1)], report.LeftOut.Select(l => (l.Key, l.Value)));
        Assert.Equal("rust", Assert.Single(ReadAll(source with { Languages = ["rust"] }).Documents).Meta![MetaKeys.Language]);
        Assert.Equal(6, ReadAll(source with { Vendored = true }).Documents.Count); // the control: asked for, they are read
    }

    [Fact]
    [Row("B1", "B9")]
    public void Openwebtext_reads_as_it_is_published()
    {
        var inner = Tar(TarEntryFormat.Ustar, ("0000001-abc.txt", "page one"), ("0000002-def.txt", "page two"));
        var path = Write("owt/urlsf_subset00-1_data.gz", Gzip(inner));
        Assert.Equal(["page one", "page two"], Texts(Assert.IsType<OpenWebTextSource>(SourceOptions.FromPath(path))));
        var outer = new MemoryStream();
        using (var tar = new TarWriter(outer, TarEntryFormat.Ustar, leaveOpen: true))
            tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, "openwebtext/urlsf_subset00-1_data.gz") { DataStream = new MemoryStream(Gzip(inner)) });
        var (documents, _) = ReadAll(Assert.IsType<OpenWebTextSource>(SourceOptions.FromPath(Write("openwebtext.tar", outer.ToArray()))));
        Assert.Equal((2, "0000002-def"), (documents.Count, documents[1].Meta![MetaKeys.Id]));
        Assert.IsType<OpenWebTextSource>(SourceOptions.FromPath(System.IO.Path.Combine(Folder, "owt")));
    }

    [Fact]
    [Row("B1")]
    public void A_hugging_face_folder_is_one_dataset_with_splits()
    {
        Write("d/dataset_info.json", "{\"license\":\"mit\"}");
        Write("d/train/data-00000.jsonl", "{\"text\":\"t1\"}\n");
        Write("d/test-00000.jsonl", "{\"text\":\"e1\"}\n");
        var source = Assert.IsType<HuggingFaceSource>(SourceOptions.FromPath(System.IO.Path.Combine(Folder, "d")));
        Assert.Equal(["e1", "t1"], Texts(source).Order());
        Assert.Equal(["t1"], Texts(source with { Subset = "train" }));
        Assert.Contains("no file belongs to the split 'validation'", Fails(source with { Subset = "validation" }));
    }

    [Fact]
    [Row("B1")]
    public void Kinds_are_told_by_content_where_names_say_nothing()
    {
        Assert.IsType<HtmlSource>(SourceOptions.FromPath(Write("page", "<!DOCTYPE html><p>x</p>")));
        Assert.IsType<WarcSource>(SourceOptions.FromPath(Repo.SharedData("warc/cc_net-sample.wet.txt")));
        Assert.IsType<MediaWikiSource>(SourceOptions.FromPath(Repo.SharedData("mediawiki/bgwiki-latest-pages-articles-shortened.xml.bz2")));
        Assert.IsType<MboxSource>(SourceOptions.FromPath(Write("box", "From a@x Thu Apr 25 12:57:54 2019\nFrom: a@x\n\nhi\n")));
        Assert.IsType<JsonlSource>(SourceOptions.FromPath(Write("x.tar.gz", Gzip(Tar(TarEntryFormat.Pax, ("README.md", "x"), ("a.jsonl", "{}"), ("b.jsonl", "{}"))))));
        Write("m/a.txt", "x");
        Write("m/b.jsonl", "{\"text\":\"x\"}");
        Write("m/c.jsonl", "{\"text\":\"x\"}");
        Assert.Equal([typeof(JsonlSource), typeof(TextSource)], SourceOptions.AllFromPath(System.IO.Path.Combine(Folder, "m")).Select(s => s.GetType()));
    }
}

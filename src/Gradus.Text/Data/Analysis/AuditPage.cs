using System.Globalization;
using System.Text;
using static Gradus.Text.Data.Analysis.AuditCharts;

namespace Gradus.Text.Data.Analysis;

/// <summary>An audit as a page: one file without scripts, nothing loaded from elsewhere, for light, dark and paper.</summary>
public static class AuditPage
{
    /// <summary>The file's name.</summary>
    public const string FileName = "audit.html";

    private const string Style = """
        :root { color-scheme: light dark; --ink: #1c2330; --soft: #5d6778; --paper: #f7f7f4; --card: #fff; --line: #e2e4e9; --bar: #2f6f8f; --track: #eef0f3; --mark: #c2410c; --tint: #e8f1f5; --bad: #b42318 }
        @media (prefers-color-scheme: dark) { :root { --ink: #e7eaf0; --soft: #9aa4b5; --paper: #12151b; --card: #1a1e26; --line: #2b313c; --bar: #62b0d3; --track: #252b35; --mark: #fb923c; --tint: #1d2c36; --bad: #ff9285 } }
        * { box-sizing: border-box }
        body { margin: 0; background: var(--paper); color: var(--ink); font: 15.5px/1.55 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif }
        main { max-width: 76rem; margin: 0 auto; padding: 2.75rem 1.75rem 5rem }
        header p { margin: .2rem 0 1.6rem; color: var(--soft) }
        h1 { font-size: 1.7rem; line-height: 1.25; font-weight: 680; letter-spacing: -.01em; margin: 0; overflow-wrap: anywhere }
        h2 { font-size: 1.12rem; font-weight: 650; margin: 2.6rem 0 .9rem }
        h3 { font-size: .93rem; font-weight: 640; margin: 0 0 .7rem } h3 small { color: var(--soft); font-weight: 400; margin-left: .4rem }
        dl.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .8rem; margin: 0 }
        dl.cards div, section.card { background: var(--card); border: 1px solid var(--line); border-radius: .75rem }
        dl.cards div { padding: .75rem 1rem } dt { color: var(--soft); font-size: .8rem } dd { margin: 0; font-size: 1.38rem; font-weight: 640; font-variant-numeric: tabular-nums } dd small { display: block; color: var(--soft); font-size: .78rem; font-weight: 400 }
        .grid { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(29rem, 100%), 1fr)); gap: .9rem }
        section.card { padding: 1.1rem 1.25rem; break-inside: avoid; min-width: 0 }
        section.card p { margin: .7rem 0 0; color: var(--soft); font-size: .87rem }
        svg { display: block; width: 100%; height: auto; font: 12.5px system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif }
        .bar { fill: var(--bar) } .track { fill: var(--track) } .mark { stroke: var(--mark); stroke-width: 2 } .axis { stroke: var(--line); stroke-width: 1.5 } .span { stroke: var(--bar); stroke-width: 3; opacity: .45; stroke-linecap: round }
        .name { fill: var(--ink) } .value { fill: var(--soft); font-variant-numeric: tabular-nums } .tick { fill: var(--soft); font-size: 11px }
        table { border-collapse: collapse; width: 100%; font-size: .9rem; font-variant-numeric: tabular-nums } th { text-align: left; color: var(--soft); font-weight: 500; font-size: .8rem } th, td { padding: .38rem .7rem .38rem 0; border-bottom: 1px solid var(--line); vertical-align: top } td.n, th.n { text-align: right } tr:last-child td { border-bottom: 0 }
        details summary { cursor: pointer; color: var(--soft) } details p.x { margin: .4rem 0 0; overflow-wrap: anywhere } details p.x b { font-weight: 500; color: var(--ink) }
        .flag { color: var(--bad); font-weight: 600 } .topics { display: grid; grid-template-columns: repeat(auto-fill, minmax(15.5rem, 1fr)); gap: .8rem }
        .topic { background: var(--tint); border-radius: .6rem; padding: .7rem .9rem; break-inside: avoid } .topic b { font-variant-numeric: tabular-nums } .topic span { display: block; color: var(--ink); margin-top: .15rem } .topic small { color: var(--soft) }
        .w0, .d0 { fill: #1f77b4; background: #1f77b4 } .w1, .d1 { fill: #c2410c; background: #c2410c } .w2, .d2 { fill: #2e7d32; background: #2e7d32 } .w3, .d3 { fill: #8e44ad; background: #8e44ad } .w4, .d4 { fill: #a16207; background: #a16207 } .w5, .d5 { fill: #0f766e; background: #0f766e } .w6, .d6 { fill: #be185d; background: #be185d } .w7, .d7 { fill: #475569; background: #475569 }
        @media (prefers-color-scheme: dark) { .w0, .d0 { fill: #7cc0f0; background: #7cc0f0 } .w1, .d1 { fill: #fb923c; background: #fb923c } .w2, .d2 { fill: #86d38a; background: #86d38a } .w3, .d3 { fill: #d0a2e8; background: #d0a2e8 } .w4, .d4 { fill: #e9c46a; background: #e9c46a } .w5, .d5 { fill: #5eead4; background: #5eead4 } .w6, .d6 { fill: #f9a8d4; background: #f9a8d4 } .w7, .d7 { fill: #cbd5e1; background: #cbd5e1 } }
        .topics + section.card { margin-top: .9rem } .dot { display: inline-block; width: .7em; height: .7em; border-radius: 50%; margin-right: .45em }
        footer { color: var(--soft); font-size: .85rem; margin-top: 2.8rem; border-top: 1px solid var(--line); padding-top: 1rem } footer p { margin: .35rem 0 }
        @media print { :root { color-scheme: light; --ink: #000; --soft: #444; --paper: #fff; --card: #fff; --line: #ccc; --bar: #2f6f8f; --track: #f0f0f0; --mark: #c2410c; --tint: #f3f6f8; --bad: #b42318 }
          body { font-size: 10.5pt } main { padding: 0; max-width: none } h2 { break-after: avoid } .grid { grid-template-columns: 1fr 1fr } * { -webkit-print-color-adjust: exact; print-color-adjust: exact } }
        """;

    /// <summary>The page.</summary>
    public static string Html(AuditReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        var page = new StringBuilder("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"generator\" content=\"gradus\">\n<title>Audit of ")
            .Append(Safe(report.Name)).Append("</title>\n<style>\n").Append(Style).Append("\n</style></head>\n<body><main>\n<header><h1>").Append(Safe(report.Name)).Append("</h1><p>What this dataset is, in figures. Everything on this page is in <code>audit.json</code> too.</p></header>\n");
        Headline(page, report);
        Composition(page, report);
        Texts(page, report);
        Preparation(page, report);
        People(page, report);
        Topics(page, report);
        Footer(page, report);
        return page.Append("</main></body></html>\n").ToString();
    }

    private static void Headline(StringBuilder page, AuditReport r)
    {
        page.Append("<dl class=\"cards\">");
        Card("documents", Count(r.Documents), null);
        Card("text", Size(r.Bytes), Count(r.Characters) + " characters");
        if (r.Tokens is { } tokens)
            Card("tokens", Count(tokens), r.Tokens > 0 ? Figure((double)r.Bytes / tokens, "0.00") + " bytes each" : null);
        Card("words", Count(r.Vocabulary.Words), $"{(r.Vocabulary.Exact ? "" : "about ")}{Count((long)r.Vocabulary.Distinct)} different");
        Card("languages", Count(r.Languages.Count(l => l.Name != "unknown")), $"as diverse as {Figure(r.EffectiveLanguages, "0.0")} equal ones");
        Card("exact copies", Percent(r.Documents == 0 ? 0 : r.Duplicates.Documents / r.Documents), $"{(r.Duplicates.Exact ? "" : "about ")}{Count((long)r.Duplicates.Documents)} documents");
        Card("private data", Percent(r.Documents == 0 ? 0 : (double)r.Private.Documents / r.Documents), "of documents have some");
        if (r.Preparation is { Read: > 0 } p)
            Card("kept", Percent((double)p.Kept / p.Read), $"{Count(p.Kept)} of {Count(p.Read)} that were read");
        page.Append("</dl>\n");

        void Card(string name, string value, string? more)
        {
            page.Append("<div><dt>").Append(name).Append("</dt><dd>").Append(Safe(value));
            if (more is not null)
                page.Append("<small>").Append(Safe(more)).Append("</small>");
            page.Append("</dd></div>");
        }
    }

    private static void Composition(StringBuilder page, AuditReport r)
    {
        page.Append("<h2>Where it comes from</h2>\n<div class=\"grid\">");
        Shares("Sources", $"as diverse as {Figure(r.EffectiveSources, "0.0")} equal ones", r.Sources);
        Shares("Languages", "by bytes of text", r.Languages);
        Shares("Licences", "as the documents say", r.Licenses);
        if (r.Time is { } time)
        {
            var (first, last) = (int.Parse(time.Years.First().Key, CultureInfo.InvariantCulture), int.Parse(time.Years.Last().Key, CultureInfo.InvariantCulture));
            var width = (int)Math.Ceiling((last - first + 1) / 40.0);
            var bins = new SortedDictionary<int, long>();
            for (var year = first - first % width; year <= last; year += width)
                bins[year] = 0;
            foreach (var (year, n) in time.Years)
                bins[int.Parse(year, CultureInfo.InvariantCulture) / width * width] += n;
            Section(page, "Time", $"{time.First} to {time.Last}; {Count(time.Dated)} documents have a date", Columns("Documents by year", [.. bins.Select(b => (b.Key.ToString(CultureInfo.InvariantCulture), b.Value))]));
        }
        else
        {
            Shares("Splits", "", r.Splits);
        }

        page.Append("</div>\n");

        void Shares(string title, string note, IReadOnlyList<AuditShare> shares)
        {
            const int Most = 10;
            if (shares.Count == 0)
                return;
            var rows = shares.Take(shares.Count > Most + 1 ? Most : Most + 1).Select(s => Bar(s.Name, s.Documents, s.Bytes)).ToList();
            if (shares.Count > Most + 1)
                rows.Add(Bar($"{shares.Count - Most} others", shares.Skip(Most).Sum(s => s.Documents), shares.Skip(Most).Sum(s => s.Bytes)));
            Section(page, title, note, Bars(title, rows));
        }

        ChartBar Bar(string name, long documents, long bytes) => new(name, bytes, $"{Percent(r.Bytes == 0 ? 0 : (double)bytes / r.Bytes)} · {Count(documents)} doc.");
    }

    private static void Texts(StringBuilder page, AuditReport r)
    {
        page.Append("<h2>What the texts are like</h2>\n<div class=\"grid\">");
        if (r.Lengths.Bins.Count > 0)
            Section(page, "Length", "documents by characters, each bar twice as long", Columns("Documents by length", [.. r.Lengths.Bins.Select(b => (Short(b.From), b.Count))])
                + $"<p>Median {Count((long)r.Lengths.Median)} characters, mean {Count((long)r.Lengths.Mean)}; a tenth has fewer than {Count((long)r.Lengths.Tenth)}, a tenth more than {Count((long)r.Lengths.Ninetieth)}; the longest {Count((long)r.Lengths.Greatest)}.</p>");
        if (r.Readability is { } read)
            Section(page, "Readability", "English documents by Flesch's score: 100 very easy, 0 very difficult", Columns("Documents by reading ease", [.. read.Bins.Select((b, i) => (i == 0 ? "<0" : i == read.Bins.Count - 1 ? "100+" : N(b.From), b.Count))])
                + $"<p>Mean {Figure(read.Ease, "0.0")} over {Count(read.Documents)} documents; mean school grade {Figure(read.Grade, "0.0")} (Flesch-Kincaid).</p>");
        var v = r.Vocabulary;
        Section(page, "Words", "", Table(["", ""], [["words", Count(v.Words)], ["different words", (v.Exact ? "" : "about ") + Count((long)v.Distinct)], ["type-token ratio", Figure(v.TypeTokenRatio, "0.0000")],
            ["the same over runs of 1,000 words", v.RatioPerThousand is { } per ? Figure(per, "0.000") : "no document is so long"], ["entropy of the words", Figure(v.Entropy, "0.00") + " bits"]]));
        Section(page, "Private data", "by its form; what was found is counted, never shown", r.Private.Kinds.Count == 0 ? "<p>None was found.</p>" : Bars("Private data", [.. r.Private.Kinds.OrderByDescending(k => k.Value).Select(k => new ChartBar(k.Key, k.Value, Count(k.Value)))]));
        page.Append("</div>\n");
    }

    private static void Preparation(StringBuilder page, AuditReport r)
    {
        if (r.Preparation is not { } p)
            return;
        page.Append("<h2>What was left out, and why</h2>\n<section class=\"card\"><h3>").Append(Safe($"{Count(p.Read)} documents read, {Count(p.Kept)} kept")).Append(p.Skipped > 0 ? "<small>" + Count(p.Skipped) + " records could not be used</small>" : "").Append("</h3><table><thead><tr><th>step</th><th>rule</th><th class=\"n\">documents</th><th class=\"n\">share</th><th class=\"n\">text</th><th class=\"n\">edits</th><th>examples</th></tr></thead><tbody>");
        foreach (var rule in p.Rules)
        {
            page.Append("<tr><td>").Append(Safe(rule.Step)).Append("</td><td>").Append(Safe(rule.Rule)).Append("</td><td class=\"n\">").Append(Count(rule.Documents)).Append("</td><td class=\"n\">").Append(Percent(p.Read == 0 ? 0 : (double)rule.Documents / p.Read))
                .Append("</td><td class=\"n\">").Append(Size(rule.Bytes)).Append("</td><td class=\"n\">").Append(rule.Edits > 0 ? Count(rule.Edits) : "").Append("</td><td>");
            if (rule.Examples.Count > 0)
            {
                page.Append("<details><summary>").Append(Safe(Head(rule.Examples[0].Text, 60))).Append("</summary>");
                foreach (var example in rule.Examples)
                    page.Append("<p class=\"x\"><b>").Append(Safe(example.Origin)).Append(example.Detail.Length > 0 ? " · " + Safe(example.Detail) : "").Append("</b><br>").Append(Safe(example.Text)).Append("</p>");
                page.Append("</details>");
            }

            page.Append("</td></tr>");
        }

        page.Append("</tbody></table></section>\n");
    }

    private static void People(StringBuilder page, AuditReport r)
    {
        if (r.Groups.Count == 0 && r.Associations.Count == 0)
            return;
        page.Append("<h2>Who is in it, and how they are spoken of</h2>\n<div class=\"grid\">");
        foreach (var set in r.Groups)
        {
            var most = set.Groups.Sum(g => g.Documents);
            Section(page, set.Name, set.Test is null ? "documents that name the group; no reference was given" : "documents that name the group; the mark is the reference", Bars(set.Name, [.. set.Groups.Select(g => new ChartBar(g.Name, g.Documents, $"{Percent(g.Share)} · {Count(g.Documents)} doc.", g.Expected))])
                + (set.Test is { } t && most > 0 ? $"<p>χ² = {Figure(t.Statistic, "0.0")} with {t.Freedom} degree{(t.Freedom == 1 ? "" : "s")} of freedom, p {Chance(t.PValue)}, effect w = {Figure(t.Effect, "0.00")}. {(t.PValue < 0.01 && t.Effect >= 0.1 ? "<span class=\"flag\">The shares differ from the reference.</span>" : t.PValue < 0.01 ? "More than chance, but a small deviation." : "No more than chance.")}</p>" : ""));
        }

        foreach (var set in r.Sentiment.Where(s => s.Groups.Any(g => g.Sentences > 0)))
            Section(page, "Sentiment: " + set.Name, "sentences that name one group only; 0 bad, 1 good; bands are 95 % intervals",
                Dots("Sentiment by " + set.Name, [.. set.Groups.Where(g => g.Sentences > 0).Select(g => new ChartDot(g.Name, g.Mean, g.Mean - 1.96 * g.Error, g.Mean + 1.96 * g.Error, $"{Figure(g.Mean, "0.000")} · {Count(g.Sentences)}"))], 0, 1, 0.5)
                + (set.Gap is { } gap ? $"<p>Gap {Figure(gap, "0.000")}, p {Chance(set.PValue ?? 1)}.{(set.PValue < 0.01 ? " <span class=\"flag\">More than chance.</span>" : "")}</p>" : "<p>Too few sentences to compare.</p>"));
        if (r.Associations.Count > 0)
            Section(page, "Associations", "effect size d of the text's own word vectors: above 0 the first words go with the first attributes",
                Dots("Associations", [.. r.Associations.Select((a, i) => new ChartDot($"test {i + 1}", a.Effect, a.Effect, a.Effect, $"d = {Figure(a.Effect, "0.00")}, p {Chance(a.PValue)}"))], -2, 2, 0)
                + string.Concat(r.Associations.Select((a, i) => $"<p>{i + 1}: {Safe(a.Name)} ({string.Join(", ", a.Words)} words found).</p>")));
        page.Append("</div>\n");
    }

    private static void Topics(StringBuilder page, AuditReport r)
    {
        if (r.Topics.Count == 0)
            return;
        page.Append("<h2>What it is about</h2>\n<div class=\"topics\">");
        foreach (var (topic, i) in r.Topics.Select((t, i) => (t, i)))
            page.Append(CultureInfo.InvariantCulture, $"<div class=\"topic\"><b><i class=\"dot d{i % 8}\"></i>{i + 1} · ").Append(Percent(topic.Share)).Append("</b><span>").Append(Safe(string.Join(", ", topic.Words))).Append("</span><small>coherence ").Append(Figure(topic.Coherence, "0.00")).Append("</small></div>");
        page.Append("</div>\n");
        if (r.Words.Count > 0)
            Section(page, "Words by how they are used", "the likeliest words of each topic on the first two principal components of the text's own word vectors; larger is nearer on the third", WordMap("Words by how they are used", r.Words));
    }

    private static void Footer(StringBuilder page, AuditReport r) => page.Append("<footer><p>Made by <code>gradus data audit</code>. Groups and associations rest on word lists: they show where to look, not that all is well. ")
        .Append("Sentiment is a classifier's, with its own bias. Private data is recognised by its form only.</p><p>Topics (latent Dirichlet allocation) and word vectors are made of an even sample of the documents; with the same data and options every figure is the same.</p></footer>\n");

    private static void Section(StringBuilder page, string title, string note, string body) =>
        page.Append("<section class=\"card\"><h3>").Append(Safe(title)).Append(note.Length > 0 ? "<small>" + Safe(note) + "</small>" : "").Append("</h3>").Append(body).Append("</section>");

    private static string Table(string[] head, string[][] rows) => (head.Any(h => h.Length > 0) ? "<table><thead><tr>" + string.Concat(head.Select(h => $"<th>{Safe(h)}</th>")) + "</tr></thead>" : "<table>")
        + "<tbody>" + string.Concat(rows.Select(row => "<tr>" + string.Concat(row.Select((c, i) => $"<td{(i > 0 ? " class=\"n\"" : "")}>{Safe(c)}</td>")) + "</tr>")) + "</tbody></table>";

    private static string Head(string text, int most) => text.Length <= most ? text : text[..(char.IsHighSurrogate(text[most - 1]) ? most - 1 : most)] + " …";

    private static string Count(long n) => n.ToString("N0", CultureInfo.InvariantCulture);

    private static string Figure(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);

    private static string Percent(double share) => (100 * share).ToString(share is > 0 and < 0.01 ? "0.00" : "0.0", CultureInfo.InvariantCulture) + " %";

    private static string Chance(double p) => p < 0.0001 ? "< 0.0001" : "= " + p.ToString("0.####", CultureInfo.InvariantCulture);

    private static string Size(long bytes) => bytes < 1000 ? bytes.ToString(CultureInfo.InvariantCulture) + " B" : bytes < 1_000_000 ? Figure(bytes / 1e3, "0.0") + " kB" : bytes < 1_000_000_000 ? Figure(bytes / 1e6, "0.0") + " MB" : Figure(bytes / 1e9, "0.00") + " GB";

    private static string Short(double value) => value < 1000 ? N(value) : value < 1_000_000 ? Figure(Math.Round(value / 1000), "0") + "k" : Figure(Math.Round(value / 1e6), "0") + "M";
}

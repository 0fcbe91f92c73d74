using System.Globalization;
using System.Net;
using System.Text;

namespace Gradus.Cli;

/// <summary>A page that shows records as the model sees them: one file, no scripts, nothing loaded from elsewhere.</summary>
internal static class PeekPage
{
    private const string Style = """
        :root { color-scheme: light dark; --ink: #1c2330; --soft: #667085; --paper: #fbfbf9; --card: #ffffff; --line: #e4e6eb; --learn: #d9f2dc; --learn-ink: #14532d; --mark: #b45309 }
        @media (prefers-color-scheme: dark) { :root { --ink: #e8eaf0; --soft: #98a2b3; --paper: #14171d; --card: #1b1f27; --line: #2c323d; --learn: #1f4429; --learn-ink: #c9f2d3; --mark: #fbbf24 } }
        * { box-sizing: border-box }
        body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, "Segoe UI", Roboto, sans-serif }
        main { max-width: 64rem; margin: 0 auto; padding: 2.5rem 1.5rem 6rem }
        h1 { font-size: 1.35rem; font-weight: 650; margin: 0 0 .25rem; overflow-wrap: anywhere }
        .sub { color: var(--soft); margin: 0 0 1.5rem } .key { background: var(--learn); color: var(--learn-ink); padding: 0 .35em; border-radius: .25em }
        section { background: var(--card); border: 1px solid var(--line); border-radius: .8rem; margin: 0 0 1.25rem; overflow: hidden }
        header { display: flex; flex-wrap: wrap; gap: .35rem 1.25rem; padding: .6rem 1.25rem; border-bottom: 1px solid var(--line); color: var(--soft); font-size: .85rem; font-variant-numeric: tabular-nums }
        header b { color: var(--ink); font-weight: 600; overflow-wrap: anywhere }
        .text { padding: 1.1rem 1.25rem; font: 15px/1.9 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; white-space: pre-wrap; overflow-wrap: anywhere }
        .l { background: var(--learn); color: var(--learn-ink); border-radius: .2em }
        .b { border-left: 3px solid var(--mark); margin-left: .2em; padding-left: .2em }
        .t:hover { outline: 1.5px solid var(--ink); border-radius: .2em }
        .g { color: var(--mark); font-size: .8em; font-weight: 600; padding: 0 .3em }
        .n { padding: 0 1.25rem .8rem; color: var(--mark); font-size: .85rem }
        @media print { section { break-inside: avoid } }
        """;

    public static string Html(IReadOnlyList<PeekItem> items, string data, string? tokenizer)
    {
        var page = new StringBuilder();
        page.Append("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"generator\" content=\"gradus\">\n<title>Records as the model sees them</title>\n<style>\n")
            .Append(Style).Append("\n</style></head>\n<body><main>\n<h1>").Append(WebUtility.HtmlEncode(data)).Append("</h1>\n<p class=\"sub\">As the model sees it")
            .Append(tokenizer is null ? ", before tokenizing" : $" through {WebUtility.HtmlEncode(tokenizer)}").Append(". <span class=\"key\">Green</span> counts in the loss; a bar is the border of a document. Point at a token for its id.</p>\n");
        foreach (var item in items)
            Section(page, item);
        return page.Append("</main></body></html>\n").ToString();
    }

    private static void Section(StringBuilder page, PeekItem item)
    {
        page.Append("<section><header><b>").Append(WebUtility.HtmlEncode(item.Title)).Append("</b><span>").Append(item.Kind).Append("</span>");
        if (item.Tokens > 0)
            page.Append(CultureInfo.InvariantCulture, $"<span>{item.Tokens:N0} tokens</span><span>{item.LearnedTokens:N0} learned</span>");
        page.Append("</header><div class=\"text\">");
        foreach (var piece in item.Pieces)
        {
            var kind = $"{(piece.Id is null ? "" : "t")}{(piece.Learned ? " l" : "")}{(piece.Border ? " b" : "")}".Trim();
            page.Append("<span").Append(kind.Length > 0 ? $" class=\"{kind}\"" : "");
            if (piece.Id is { } id) page.Append(CultureInfo.InvariantCulture, $" title=\"{id}\"");
            page.Append('>').Append(WebUtility.HtmlEncode(Terminal.Visible(piece.Text, lines: true))).Append("</span>");
            if (piece.Label is { } label) page.Append("<span class=\"g\">").Append(WebUtility.HtmlEncode(label)).Append("</span>");
        }

        page.Append("</div>");
        foreach (var note in item.Notes)
            page.Append("<div class=\"n\">").Append(WebUtility.HtmlEncode(note)).Append("</div>");
        page.Append("</section>\n");
    }
}

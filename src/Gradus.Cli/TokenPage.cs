using System.Globalization;
using System.Net;
using System.Text;

namespace Gradus.Cli;

/// <summary>A page that shows the tokens of a text: one file, no scripts, nothing loaded from elsewhere.</summary>
internal static class TokenPage
{
    private const string Style = """
        :root { color-scheme: light dark; --ink: #1c2330; --soft: #667085; --paper: #fbfbf9; --card: #ffffff; --line: #e4e6eb;
          --c0: #d5e8ff; --c1: #d9f2dc; --c2: #fff0c2; --c3: #ffdfd3; --c4: #ebe0ff; --c5: #d3f1f1; --mark: #b42318; }
        @media (prefers-color-scheme: dark) { :root { --ink: #e8eaf0; --soft: #98a2b3; --paper: #14171d; --card: #1b1f27; --line: #2c323d;
          --c0: #1f3a5c; --c1: #1f4429; --c2: #4f4213; --c3: #54301f; --c4: #3a2c5e; --c5: #174646; --mark: #ff9285; } }
        * { box-sizing: border-box }
        body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, "Segoe UI", Roboto, sans-serif }
        main { max-width: 62rem; margin: 0 auto; padding: 2.5rem 1.5rem 6rem }
        h1 { font-size: 1.35rem; font-weight: 650; margin: 0 0 .25rem; overflow-wrap: anywhere }
        .sub { color: var(--soft); margin: 0 0 1.5rem }
        dl { display: flex; flex-wrap: wrap; gap: .75rem; margin: 0 0 1.75rem }
        dl div { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .55rem 1rem; min-width: 7.5rem }
        dt { color: var(--soft); font-size: .78rem } dd { margin: 0; font-size: 1.2rem; font-weight: 600; font-variant-numeric: tabular-nums }
        .text { background: var(--card); border: 1px solid var(--line); border-radius: .8rem; padding: 1.4rem 1.5rem; font: 15px/2.05 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; white-space: pre-wrap; overflow-wrap: anywhere }
        .t { position: relative; border-radius: .25rem; padding: .18em 0; cursor: default; -webkit-box-decoration-break: clone; box-decoration-break: clone }
        .s { outline: 1.5px solid var(--mark); outline-offset: -1px; font-size: .85em; padding: .18em .3em }
        .w { color: var(--soft); opacity: .65 }
        .t:hover, .t:focus { outline: 2px solid var(--ink); outline-offset: 0; z-index: 3 }
        .t:hover::after, .t:focus::after { content: attr(data-tip); position: absolute; left: 0; top: 100%; margin-top: .35rem; z-index: 4; width: max-content; max-width: 26rem; white-space: pre; font: 13px/1.55 ui-monospace, "DejaVu Sans Mono", monospace; background: var(--ink); color: var(--paper); padding: .6rem .8rem; border-radius: .5rem; box-shadow: 0 6px 24px #0004; pointer-events: none }
        footer { color: var(--soft); font-size: .82rem; margin-top: 1.25rem }
        """;

    public static string Html(string text, IReadOnlyList<ShownToken> tokens, string tokenizer)
    {
        var bytes = Encoding.UTF8.GetByteCount(text);
        var page = new StringBuilder();
        page.Append("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"generator\" content=\"gradus\">\n<title>Tokens</title>\n<style>\n")
            .Append(Style).Append("\n</style></head>\n<body><main>\n<h1>").Append(WebUtility.HtmlEncode(tokenizer)).Append("</h1>\n<p class=\"sub\">Point at a token to see its id, name, bytes and offsets.</p>\n<dl>");
        Number("tokens", tokens.Count.ToString("N0", CultureInfo.InvariantCulture));
        Number("bytes", bytes.ToString("N0", CultureInfo.InvariantCulture));
        Number("bytes per token", tokens.Count == 0 ? "–" : ((double)bytes / tokens.Count).ToString("F2", CultureInfo.InvariantCulture));
        Number("different tokens", tokens.Select(t => t.Id).Distinct().Count().ToString("N0", CultureInfo.InvariantCulture));
        page.Append("</dl>\n<div class=\"text\">");
        for (var i = 0; i < tokens.Count; i++)
            Token(page, tokens, i);
        return page.Append("</div>\n<footer>Made by <code>gradus tokenizer inspect</code>. Framed tokens are control tokens; ↵ and → stand for a new line and a tab.</footer>\n</main></body></html>\n").ToString();

        void Number(string name, string value) => page.Append("<div><dt>").Append(name).Append("</dt><dd>").Append(value).Append("</dd></div>");
    }

    private static void Token(StringBuilder page, IReadOnlyList<ShownToken> tokens, int i)
    {
        var token = tokens[i];
        // A character that several tokens share is shown with the first of them.
        var shared = i > 0 && token.Bytes.End > token.Bytes.Start && token.Bytes.Start < tokens[i - 1].Bytes.End;
        var shown = shared ? "" : token.Text.Length > 0 ? token.Text : token.Name;
        var tip = string.Create(CultureInfo.InvariantCulture, $"id     {token.Id}\ntoken  {Terminal.Visible(token.Name, marks: true)}\nbytes  {Hex(token.Value)}\nat     bytes {token.Bytes.Start}–{token.Bytes.End}, characters {token.Chars.Start}–{token.Chars.End}{(token.Special ? "\ncontrol token" : "")}");
        page.Append("<span class=\"t").Append(token.Special ? " s" : "").Append("\" style=\"background:var(--c").Append(i % 6).Append(")\" data-tip=\"").Append(WebUtility.HtmlEncode(tip).Replace("\n", "&#10;", StringComparison.Ordinal)).Append("\">");
        page.Append(shared ? "<i class=\"w\">·</i>" : Shown(shown)).Append("</span>");
    }

    private static string Shown(string text)
    {
        var built = new StringBuilder();
        foreach (var c in WebUtility.HtmlEncode(text))
            built.Append(c switch
            {
                '\n' => "<i class=\"w\">↵</i>\n",
                '\t' => "<i class=\"w\">→</i>\t",
                _ when char.IsControl(c) => $"<i class=\"w\">\\x{(int)c:x2}</i>",
                _ => c.ToString(),
            });
        return built.ToString();
    }

    private static string Hex(byte[] bytes) => bytes.Length == 0 ? "none" : string.Join(' ', bytes.Take(24).Select(b => b.ToString("x2", CultureInfo.InvariantCulture))) + (bytes.Length > 24 ? " …" : "");
}

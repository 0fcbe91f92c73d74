using System.Text;
using AngleSharp.Dom;

namespace Gradus.Text.Data.Sources.Html;

/// <summary>Turns a tree into blocks of text. Without recursion: a page may be nested as deep as it likes.</summary>
internal sealed class HtmlWalk
{
    // Words with which class names and ids call an element furniture of the page.
    private static readonly HashSet<string> s_furniture = new(StringComparer.Ordinal)
    {
        "nav", "navbar", "navigation", "menu", "sidebar", "footer", "foot", "header", "masthead", "breadcrumb", "breadcrumbs", "share", "sharing", "social", "related", "recommended", "promo",
        "advert", "advertisement", "ads", "ad", "sponsor", "sponsored", "cookie", "cookies", "consent", "banner", "newsletter", "subscribe", "subscription", "popup", "modal", "login", "signup",
        "comments", "comment", "disqus", "pagination", "pager", "toc", "widget", "toolbar", "copyright", "skip", "tags", "byline", "meta", "metadata", "catlinks", "editsection", "noprint", "legal",
    };

    private static readonly HashSet<string> s_content = new(StringComparer.Ordinal) { "article", "content", "main", "post", "entry", "story", "body", "text", "page", "primary", "wrapper", "container", "layout" };

    private readonly List<HtmlBlock> _blocks = [];
    private readonly StringBuilder _text = new();
    private int _linkLetters, _cells;

    /// <summary>An element that is open: what its text is, and where its children stand.</summary>
    private sealed class Level
    {
        // By number: a node's NextSibling looks for itself among its siblings, which for a wide parent costs the square.
        public required INodeList? Children { get; init; }
        public int Next { get; set; }
        public required BlockKind Kind { get; init; }
        public bool Link { get; init; }
        public bool Furniture { get; init; }
        public bool Content { get; init; }
        public bool IsBlock { get; init; }
    }

    public List<HtmlBlock> Blocks(IElement? root)
    {
        if (root is null)
            return [];
        var open = new Stack<Level>();
        open.Push(new Level { Children = root.ChildNodes, Kind = BlockKind.Paragraph, IsBlock = true });
        while (open.Count > 0)
        {
            var level = open.Peek();
            if (level.Children is not { } children || level.Next >= children.Length)
            {
                if (level.IsBlock)
                    End(level);
                open.Pop();
                continue;
            }

            var node = children[level.Next++];
            if (node is IText text)
                Add(text.Data, level);
            else if (node is IElement element && !IsInvisible(element))
                Enter(element, level, open);
        }

        return _blocks;
    }

    /// <summary>Runs of white space become one space; none at the ends.</summary>
    public static string Collapse(string text)
    {
        var to = new StringBuilder(text.Length);
        foreach (var c in text)
        {
            if (!IsSpace(c))
                to.Append(c);
            else if (to.Length > 0 && to[^1] != ' ')
                to.Append(' ');
        }

        return to.ToString().TrimEnd(' ');
    }

    private void Enter(IElement element, Level level, Stack<Level> open)
    {
        var name = element.LocalName;
        if (name == "br")
        {
            Break(level);
            return;
        }

        if (name == "img" || name == "hr")
            return;
        var kind = name switch
        {
            "h1" or "h2" or "h3" or "h4" or "h5" or "h6" => BlockKind.Heading,
            "li" or "dt" or "dd" => BlockKind.ListItem,
            "tr" => BlockKind.TableRow,
            "pre" or "listing" or "xmp" => BlockKind.Preformatted,
            "p" or "blockquote" or "figure" => level.Kind == BlockKind.TableRow ? level.Kind : BlockKind.Paragraph,
            _ => level.Kind,
        };
        var isCell = name is "td" or "th";
        var isBlock = !isCell && IsBlock(name) && !(level.Kind == BlockKind.TableRow && name is "p" or "div" or "span");
        if (isBlock)
            End(level);
        if (isCell && _cells++ > 0 && _text.Length > 0)
            _text.Append(" | ");
        else if (!isBlock && IsBlock(name) && _text.Length > 0 && _text[^1] != ' ')
            _text.Append(' ');
        var content = level.Content || name is "main" or "article" || element.GetAttribute("role") is "main" or "article" || element.GetAttribute("itemprop") == "articleBody";
        open.Push(new Level
        {
            Children = name == "template" ? null : element.ChildNodes,
            Kind = kind,
            Link = level.Link || (name == "a" && element.HasAttribute("href")) || name == "button",
            Furniture = level.Furniture || IsFurniture(element, name, level),
            Content = content,
            IsBlock = isBlock,
        });
    }

    private void Add(string data, Level level)
    {
        if (level.Kind == BlockKind.Preformatted)
        {
            _text.Append(data);
            if (level.Link)
                _linkLetters += data.Length;
            return;
        }

        foreach (var c in data)
        {
            if (IsSpace(c))
            {
                if (_text.Length > 0 && _text[^1] is not (' ' or '\n'))
                    _text.Append(' ');
                continue;
            }

            _text.Append(c);
            if (level.Link)
                _linkLetters++;
        }
    }

    private void Break(Level level)
    {
        if (level.Kind == BlockKind.TableRow)
        {
            _text.Append(' ');
            return;
        }

        while (level.Kind != BlockKind.Preformatted && _text.Length > 0 && _text[^1] == ' ')
            _text.Length--;
        if (_text.Length > 0)
            _text.Append('\n');
    }

    private void End(Level level)
    {
        var text = level.Kind == BlockKind.Preformatted ? _text.ToString().Trim('\n', '\r').TrimEnd() : _text.ToString().Trim(' ', '\n', '|');
        if (text.AsSpan().IndexOfAnyExcept(" \n|\u200B\u00A0") >= 0)
            _blocks.Add(new HtmlBlock(level.Kind, text, _linkLetters, level.Furniture, level.Content));
        _text.Clear();
        (_linkLetters, _cells) = (0, 0);
    }

    private static bool IsSpace(char c) => c is ' ' or '\t' or '\n' or '\r' or '\f' or '\u00A0';

    private static bool IsBlock(string name) => name is "p" or "div" or "section" or "article" or "main" or "aside" or "nav" or "header" or "footer" or "h1" or "h2" or "h3" or "h4" or "h5" or "h6"
        or "ul" or "ol" or "li" or "dl" or "dt" or "dd" or "table" or "thead" or "tbody" or "tfoot" or "tr" or "caption" or "pre" or "listing" or "xmp" or "blockquote" or "figure" or "figcaption"
        or "form" or "fieldset" or "address" or "details" or "summary" or "center" or "body" or "hgroup" or "option" or "legend";

    private static bool IsInvisible(IElement element)
    {
        if (element.LocalName is "script" or "style" or "noscript" or "template" or "svg" or "canvas" or "iframe" or "object" or "embed" or "select" or "textarea" or "input" or "button" or "audio" or "video" or "math" or "head" or "title" or "map")
            return true;
        if (element.HasAttribute("hidden") || element.GetAttribute("aria-hidden") == "true")
            return true;
        return element.GetAttribute("style") is { } style && style.Replace(" ", "", StringComparison.Ordinal).Contains("display:none", StringComparison.OrdinalIgnoreCase);
    }

    private static bool IsFurniture(IElement element, string name, Level level)
    {
        if (name is "nav" or "aside" or "footer" or "form" || (name == "header" && !level.Content))
            return true;
        if (element.GetAttribute("role") is "navigation" or "banner" or "contentinfo" or "complementary" or "search" or "dialog" or "menu" or "menubar")
            return true;
        if (name is "body" or "article" or "main" or "p" or "pre" or "h1" or "h2" or "a" or "b" or "i" or "em" or "strong" or "code")
            return false;
        var (furniture, content) = (false, false);
        Judge(element.GetAttribute("class"), ref furniture, ref content);
        Judge(element.Id, ref furniture, ref content);
        return furniture && !content;
    }

    private static void Judge(string? names, ref bool furniture, ref bool content)
    {
        if (names is null || names.Length > 400)
            return;
        var start = -1;
        for (var i = 0; i <= names.Length; i++)
        {
            if (i < names.Length && char.IsAsciiLetter(names[i]) && !(start >= 0 && char.IsAsciiLetterUpper(names[i]) && char.IsAsciiLetterLower(names[i - 1])))
            {
                start = start < 0 ? i : start;
                continue;
            }

            if (start >= 0)
            {
                var word = names[start..i].ToLowerInvariant();
                furniture |= s_furniture.Contains(word);
                content |= s_content.Contains(word);
            }

            start = i < names.Length && char.IsAsciiLetter(names[i]) ? i : -1;
        }
    }
}

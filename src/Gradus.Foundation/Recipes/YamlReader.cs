using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Gradus.Foundation.Recipes;

/// <summary>
/// YAML text to nodes. Recipes use the plain half of YAML: sections, lists, scalars, comments. Anchors, aliases, tags, merge keys
/// and further documents are refused, so a small file cannot expand into a large one, and depth is bounded while reading.
/// </summary>
internal sealed class YamlReader
{
    public const int MaxDepth = 32;

    private readonly string _text;
    private readonly Func<Mark, Origin> _at;
    private readonly List<RecipeProblem> _problems;
    private readonly Parser _parser;
    private readonly Stack<(Origin At, char Opener)> _open = new();
    private Origin _last;

    private YamlReader(string text, Func<Mark, Origin> at, List<RecipeProblem> problems)
    {
        (_text, _at, _problems, _last) = (text, at, problems, at(new Mark(0, 1, 1)));
        _parser = new Parser(new StringReader(text));
    }

    /// <summary>The root node, or null when there is none or the syntax is broken; what is wrong goes to <paramref name="problems"/>.</summary>
    public static RecipeNode? Read(string text, Func<Mark, Origin> at, List<RecipeProblem> problems)
    {
        var reader = new YamlReader(text, at, problems);
        try
        {
            return reader.Document();
        }
        catch (SyntaxError error)
        {
            problems.Add(error.Problem);
        }
        catch (YamlException e)
        {
            problems.Add(reader.Explain(e));
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // The parser throws exceptions without a position for some unclosed brackets. The innermost bracket is then the culprit.
            problems.Add(reader.Unclosed() ?? reader._last.Problem("not valid YAML after this place"));
        }
        return null;
    }

    private RecipeNode? Document()
    {
        Next<StreamStart>();
        if (Advance() is StreamEnd)
            return null;
        Advance();
        var root = Node(0);
        Next<DocumentEnd>();
        return Advance() is DocumentStart more ? throw new SyntaxError(_at(more.Start).Problem("a recipe is one YAML document; a second one starts here")) : root;
    }

    private ParsingEvent Advance()
    {
        if (!_parser.MoveNext() || _parser.Current is not { } current)
            throw new SyntaxError(_last.Problem("the YAML ends in the middle of something"));
        _last = _at(current.Start);
        return current;
    }

    private void Next<T>()
    {
        if (Advance() is not T)
            throw new SyntaxError(_last.Problem("not valid YAML"));
    }

    // Reads the node whose first event is current.
    private RecipeNode Node(int depth)
    {
        var current = _parser.Current!;
        var at = _at(current.Start);
        if (depth > MaxDepth)
            throw new SyntaxError(at.Problem($"nested more than {MaxDepth} deep"));
        if (current is AnchorAlias)
            throw new SyntaxError(at.Problem("aliases (*name) are not part of recipes; write the value out"));
        if (current is NodeEvent { Anchor.IsEmpty: false })
            throw new SyntaxError(at.Problem("anchors (&name) are not part of recipes; write the value out where it is used"));
        if (current is NodeEvent { Tag.IsEmpty: false } tagged)
            throw new SyntaxError(at.Problem($"YAML tags are not part of recipes; remove {RecipeNode.Quote(tagged.Tag.ToString())}"));
        return current switch
        {
            Scalar scalar => new RecipeNode(NodeKind.Scalar, at) { Text = scalar.Value, Plain = scalar.Style == ScalarStyle.Plain },
            SequenceStart list => List(at, list.Style == SequenceStyle.Flow, depth),
            MappingStart map => Map(at, map.Style == MappingStyle.Flow, depth),
            _ => throw new SyntaxError(at.Problem("not valid YAML")),
        };
    }

    private RecipeNode List(Origin at, bool flow, int depth)
    {
        var node = new RecipeNode(NodeKind.List, at);
        _open.Push((at, flow ? '[' : ' '));
        while (Advance() is not SequenceEnd)
            node.Items.Add(Node(depth + 1));
        _open.Pop();
        return node;
    }

    private RecipeNode Map(Origin at, bool flow, int depth)
    {
        var node = new RecipeNode(NodeKind.Map, at);
        var places = new Dictionary<string, Origin>(StringComparer.Ordinal);
        _open.Push((at, flow ? '{' : ' '));
        while (Advance() is not MappingEnd)
        {
            var key = Node(depth + 1);
            if (key.Kind != NodeKind.Scalar || key.Text.Length == 0)
                throw new SyntaxError(key.Origin.Problem("a key is a name"));
            if (key is { Plain: true, Text: "<<" })
                throw new SyntaxError(key.Origin.Problem("merge keys (<<) are not part of recipes; write the values out"));
            Advance();
            var value = Node(depth + 1);
            if (places.TryGetValue(key.Text, out var first))
                _problems.Add(key.Origin.Problem($"duplicate key {RecipeNode.Quote(key.Text)}" + (first.Line > 0 ? string.Create(System.Globalization.CultureInfo.InvariantCulture, $" (first on line {first.Line})") : "")));
            else
            {
                places.Add(key.Text, key.Origin);
                node.Entries.Add(new Entry(key.Text, key.Origin, value));
            }
        }
        _open.Pop();
        return node;
    }

    private RecipeProblem? Unclosed() =>
        _open.TryPeek(out var innermost) && innermost.Opener != ' ' ? innermost.At.Problem($"this '{innermost.Opener}' is never closed") : null;

    private RecipeProblem Explain(YamlException e)
    {
        var at = _at(e.Start);
        if (TabAt(e) is { } tab)
            return tab.Problem("a tab in the indentation; YAML is indented with spaces");
        if (Unclosed() is { } unclosed && e.Start.Index >= _text.TrimEnd().Length)
            return unclosed;
        var reason = e.Message.ReplaceLineEndings(" ").TrimEnd('.');
        if (reason.Contains("mapping values are not allowed", StringComparison.OrdinalIgnoreCase) || reason.Contains("found invalid mapping", StringComparison.OrdinalIgnoreCase))
            reason = "a second ':' on the line; put quotes around a text that holds ': '";
        return at.Problem("not valid YAML: " + reason);
    }

    // A line that the error spans, or the one after it (the parser points at what came before the tab), indented with a tab.
    private Origin? TabAt(YamlException e)
    {
        var lines = _text.Split('\n');
        for (var line = Math.Max(1, (int)e.Start.Line); line <= Math.Min(lines.Length, (int)e.End.Line + 1); line++)
        {
            var indent = lines[line - 1].Length - lines[line - 1].TrimStart(' ', '\t').Length;
            var tab = lines[line - 1].IndexOf('\t', StringComparison.Ordinal);
            if (tab >= 0 && tab < indent)
                return _at(new Mark(0, line, tab + 1));
        }
        return null;
    }

    private sealed class SyntaxError(RecipeProblem problem) : Exception(problem.Message)
    {
        public RecipeProblem Problem { get; } = problem;
    }
}

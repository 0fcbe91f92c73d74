using System.Globalization;

namespace Gradus.Foundation.Recipes;

/// <summary>
/// <c>--set path=value</c>, applied to the nodes before they are bound, so an override obeys the same rules as the file. A value
/// that starts with <c>[</c>, <c>{</c> or a quote is YAML; anything else is the text as it stands.
/// </summary>
internal static class Override
{
    public static void Apply(RecipeNode root, string text, List<RecipeProblem> problems)
    {
        var name = "--set " + RecipeNode.Quote(text)[1..^1];
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        var path = equals < 0 ? text.Trim() : text[..equals].Trim();
        var keys = path.Split('.');
        var origin = new Origin(name, 0, 0, path);
        if (equals < 0 || keys.Any(key => key.Length == 0))
        {
            problems.Add(origin.Problem("expected path=value, as in optimizer.learning_rate=3e-4"));
            return;
        }
        if (Value(text[(equals + 1)..], origin, problems) is not { } value)
            return;
        var node = root;
        for (var i = 0; i < keys.Length; i++)
        {
            var last = i == keys.Length - 1;
            var reached = string.Join('.', keys[..i]);
            if (node.Kind == NodeKind.List)
            {
                if (!int.TryParse(keys[i], NumberStyles.None, CultureInfo.InvariantCulture, out var index) || index >= node.Items.Count)
                {
                    problems.Add(origin.Problem(string.Create(CultureInfo.InvariantCulture, $"{reached} is a list of {node.Items.Count}; name an item by its number, from 0")));
                    return;
                }
                node = last ? node.Items[index] = value : node.Items[index];
            }
            else if (node.Kind == NodeKind.Map)
            {
                var at = node.Entries.FindIndex(entry => entry.Key == keys[i]);
                var next = last ? value : at >= 0 && !node.Entries[at].Value.IsNull ? node.Entries[at].Value : new RecipeNode(NodeKind.Map, origin);
                var entry = new Entry(keys[i], at >= 0 && !last ? node.Entries[at].At : origin, next);
                if (at >= 0)
                    node.Entries[at] = entry;
                else
                    node.Entries.Add(entry);
                node = next;
            }
            else
            {
                problems.Add(origin.Problem($"{reached} is {node.Describe()}, not a section"));
                return;
            }
        }
    }

    private static RecipeNode? Value(string text, Origin origin, List<RecipeProblem> problems) =>
        text.Length > 0 && text[0] is '[' or '{' or '"' or '\''
            ? YamlReader.Read(text, _ => origin, problems)
            : new RecipeNode(NodeKind.Scalar, origin) { Text = text, Plain = text.Length > 0 };
}

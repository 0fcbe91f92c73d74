using System.Collections.Concurrent;
using System.Reflection;
using System.Xml;
using System.Xml.Linq;

namespace Gradus.Foundation.Recipes;

/// <summary>The one line about a type or property: [Doc], else the first sentence of the XML summary that the build leaves beside the assembly.</summary>
internal static class Docs
{
    private static readonly ConcurrentDictionary<Assembly, IReadOnlyDictionary<string, string>> s_summaries = new();

    public static string? Of(Type type) => type.GetCustomAttribute<DocAttribute>(inherit: false)?.Text ?? Summary(type.Assembly, "T:" + Name(type));

    public static string? Of(PropertyInfo property) =>
        property.GetCustomAttribute<DocAttribute>()?.Text ?? Summary(property.DeclaringType!.Assembly, $"P:{Name(property.DeclaringType)}.{property.Name}");

    private static string Name(Type type) => (type.FullName ?? type.Name).Replace('+', '.');

    private static string? Summary(Assembly assembly, string member) => s_summaries.GetOrAdd(assembly, Load).GetValueOrDefault(member);

    private static IReadOnlyDictionary<string, string> Load(Assembly assembly)
    {
        var path = Path.ChangeExtension(assembly.Location, ".xml");
        var summaries = new Dictionary<string, string>(StringComparer.Ordinal);
        if (assembly.Location.Length == 0 || !File.Exists(path))
            return summaries;
        try
        {
            foreach (var member in XDocument.Load(path).Descendants("member"))
                if (member.Attribute("name")?.Value is { } name && member.Element("summary") is { } summary && FirstSentence(summary) is { Length: > 0 } text)
                    summaries[name] = text;
        }
        catch (Exception e) when (e is XmlException or IOException or UnauthorizedAccessException)
        {
            // Descriptions are a courtesy; a damaged file of them must not stop a run.
        }
        return summaries;
    }

    private static string FirstSentence(XElement summary)
    {
        var parts = summary.DescendantNodes().Select(node => node switch
        {
            XText text => text.Value,
            XElement { HasElements: false, IsEmpty: true } element => (element.Attribute("cref") ?? element.Attribute("langword") ?? element.Attribute("name"))?.Value.Split('.', ':')[^1],
            _ => null,
        });
        var line = string.Join(' ', string.Concat(parts).Split(default(char[]), StringSplitOptions.RemoveEmptyEntries));
        var end = line.IndexOf(". ", StringComparison.Ordinal);
        return end > 0 ? line[..(end + 1)] : line;
    }
}

using System.Collections;
using System.Globalization;
using System.Reflection;
using Gradus.Foundation.Files;

namespace Gradus.Foundation.Recipes;

/// <summary>Gives nodes their meaning: fills the records of C# and gathers everything that does not fit.</summary>
internal sealed class Binder(RecipeNode root, Type rootType, List<RecipeProblem> problems)
{
    private static readonly object s_failed = new();

    public object? Bind()
    {
        var value = Section(ValueShape.OfSection(rootType), root, "", root.Origin, start: null);
        return value == s_failed ? null : value;
    }

    private object? Value(ValueShape shape, RecipeNode node, string path, Origin at, object? start, IReadOnlyList<LimitAttribute> limits)
    {
        if (node.IsNull)
            return shape.Nullable ? null : Fail(node.Origin, path, shape.Form == Form.Text ? "is empty; write '' for the empty text" : $"is empty; {Expected(shape)} is needed");
        return shape.Form switch
        {
            Form.List => List(shape, node, path, limits),
            Form.Map => Map(shape, node, path, limits),
            Form.Record or Form.Socket => Section(shape, node, path, at, start),
            _ when node.Kind != NodeKind.Scalar => Fail(node.Origin, path, $"expected {Expected(shape)}, got {node.Describe()}"),
            _ => Scalar(shape, node, path, limits),
        };
    }

    private object? Scalar(ValueShape shape, RecipeNode node, string path, IReadOnlyList<LimitAttribute> limits)
    {
        var value = ScalarText.Read(shape, node, out var problem);
        if (value is null)
            return Fail(node.Origin, path, problem);
        if (shape.Form is Form.Integer or Form.Real && limits.Any(limit => !limit.Allows(Convert.ToDouble(value, CultureInfo.InvariantCulture))))
            return Fail(node.Origin, path, $"{node.Text} is out of range; it must be {string.Join(" and ", limits.Select(limit => limit.Words))}");
        return value;
    }

    private object? List(ValueShape shape, RecipeNode node, string path, IReadOnlyList<LimitAttribute> limits)
    {
        if (node.Kind != NodeKind.List)
            return Fail(node.Origin, path, $"expected a list, as in [a, b], got {node.Describe()}");
        var values = node.Items.Select((item, i) => Value(shape.Element!, item, string.Create(CultureInfo.InvariantCulture, $"{path}.{i}"), item.Origin, null, limits)).ToArray();
        if (values.Contains(s_failed))
            return s_failed;
        // An interface is filled with an array: nothing of a recipe changes after reading.
        if (shape.Type.IsGenericType && shape.Type.GetGenericTypeDefinition() == typeof(List<>))
        {
            var list = (IList)Activator.CreateInstance(shape.Type)!;
            foreach (var value in values)
                list.Add(value);
            return list;
        }
        var array = Array.CreateInstance(shape.Type.IsArray ? shape.Type.GetElementType()! : shape.Type.GetGenericArguments()[0], values.Length);
        values.CopyTo(array, 0);
        return array;
    }

    private object? Map(ValueShape shape, RecipeNode node, string path, IReadOnlyList<LimitAttribute> limits)
    {
        if (node.Kind != NodeKind.Map)
            return Fail(node.Origin, path, $"expected a section of names and values, got {node.Describe()}");
        var map = (IDictionary)Activator.CreateInstance(typeof(Dictionary<,>).MakeGenericType(typeof(string), shape.Type.GetGenericArguments()[1]))!;
        var failed = false;
        foreach (var entry in node.Entries)
        {
            var value = Value(shape.Element!, entry.Value, Join(path, entry.Key), entry.At, null, limits);
            failed |= value == s_failed;
            if (!failed)
                map.Add(entry.Key, value);
        }
        return failed ? s_failed : map;
    }

    private object Section(ValueShape shape, RecipeNode node, string path, Origin at, object? start)
    {
        if (node.Kind != NodeKind.Map)
            return Fail(node.Origin, path, $"expected a section of keys and values, got {node.Describe()}");
        if (TypeOf(shape, node, path, at, start) is not { } type)
            return s_failed;
        var before = problems.Count;
        var record = RecordShape.Of(type);
        var kind = Components.KindOf(type);
        // Keys that are not written keep what the enclosing record's default says, as long as it is the same kind.
        var instance = start?.GetType() == type ? Copy(start) : Activator.CreateInstance(type)!;
        foreach (var entry in node.Entries)
        {
            if (entry.Key == "kind" && kind is not null)
                continue;
            if (!record.ByKey.TryGetValue(entry.Key, out var field))
            {
                problems.Add(entry.At.Problem(Unknown(entry.Key, path, type, record)));
                continue;
            }
            var value = Value(field.Shape, entry.Value, Join(path, entry.Key), entry.At, field.Property.GetValue(instance), field.Limits);
            if (value != s_failed)
                Set(instance, field, value, entry.Value.Origin, Join(path, entry.Key));
        }
        foreach (var field in record.Fields.Where(field => field.Required && node.Find(field.Key) is null))
            problems.Add(at.Problem($"missing key '{field.Key}' in {Title(path, type)}"));
        if (problems.Count > before)
            return s_failed;
        if (instance is IValidated validated)
            foreach (var (key, message) in validated.Problems())
            {
                var written = string.Join('.', key.Split('.').Select(part => part.Any(char.IsUpper) ? RecordShape.Name(part) : part));
                problems.Add(Place(node, written, at).Problem(Join(path, written), message));
            }
        return problems.Count > before ? s_failed : instance;
    }

    // A record may judge a value in its init accessor; what it throws for callers is a message for the user here.
    private void Set(object instance, Field field, object? value, Origin at, string path)
    {
        try
        {
            field.Property.SetValue(instance, value);
        }
        catch (TargetInvocationException e) when (e.InnerException is ArgumentException or UserException)
        {
            Fail(at, path, e.InnerException.Message.ReplaceLineEndings(" "));
        }
    }

    // The record type of a section: itself, or what kind: says, or the kind of the default when kind: is not written.
    private Type? TypeOf(ValueShape shape, RecipeNode node, string path, Origin at, object? start)
    {
        var kind = node.Find("kind");
        if (shape.Form == Form.Record)
        {
            if (kind is null || Components.KindOf(shape.Type) is not { } own || (kind.Value.Kind == NodeKind.Scalar && kind.Value.Text == own))
                return shape.Type;
            Fail(kind.Value.Origin, Join(path, "kind"), $"only '{own}' is possible here, got {kind.Value.Describe()}");
            return null;
        }
        var components = Components.Of(shape.Type);
        var known = components.Select(component => component.Kind);
        if (kind is null)
        {
            if (start is not null)
                return start.GetType();
            problems.Add(at.Problem(path, $"missing key 'kind'; known: {string.Join(", ", known)}"));
            return null;
        }
        if (kind.Value is { Kind: NodeKind.Scalar, IsNull: false } && components.FirstOrDefault(component => component.Kind == kind.Value.Text) is { } chosen)
            return chosen.Type;
        Fail(kind.Value.Origin, Join(path, "kind"), kind.Value is { Kind: NodeKind.Scalar, IsNull: false }
            ? $"unknown kind {kind.Value.Describe()}{NearestName.Hint(kind.Value.Text, known)}" : $"expected a name, got {kind.Value.Describe()}");
        return null;
    }

    private string Unknown(string key, string path, Type type, RecordShape record)
    {
        var message = $"unknown key {RecipeNode.Quote(key)} in {Title(path, type)}";
        var near = NearestName.Of(key, record.ByKey.Keys);
        if (near is not null && NearestName.Distance(key, near) <= 1)
            return $"{message}; did you mean '{near}'?";
        var elsewhere = Sections().Where(section => section.Path != path && RecordShape.Of(section.Type).ByKey.ContainsKey(key)).Select(section => section.Path).FirstOrDefault();
        if (elsewhere is not null)
            return $"{message}; it belongs " + (elsewhere.Length == 0 ? "at the top level" : $"under {elsewhere}");
        if (near is not null)
            return $"{message}; did you mean '{near}'?";
        if (SocketOf(type) is { } socket && Components.Of(socket).FirstOrDefault(other => RecordShape.Of(other.Type).ByKey.ContainsKey(key)) is { } sibling)
            return $"{message}; kind '{sibling.Kind}' has it";
        return message + NearestName.Hint(key, record.ByKey.Keys);
    }

    // Every section of the recipe with the type it has here, for "belongs under". A stack of types ends recursive records.
    private IEnumerable<(string Path, Type Type)> Sections()
    {
        return Walk("", rootType, root, Components.IsSocket(rootType) ? null : Activator.CreateInstance(rootType), 0);

        static IEnumerable<(string, Type)> Walk(string path, Type type, RecipeNode? node, object? instance, int depth)
        {
            if (Components.IsSocket(type))
            {
                if (node?.Find("kind")?.Value is { Kind: NodeKind.Scalar } kind && Components.Of(type).FirstOrDefault(component => component.Kind == kind.Text) is { } chosen)
                    (type, instance) = (chosen.Type, Activator.CreateInstance(chosen.Type));
                else if (instance is not null)
                    type = instance.GetType();
                else
                    yield break;
            }
            yield return (path, type);
            if (depth == 4)
                yield break;
            foreach (var field in RecordShape.Of(type).Fields.Where(field => field.Shape.IsSection))
                foreach (var inner in Walk(Join(path, field.Key), field.Shape.Type, node?.Kind == NodeKind.Map ? node.Find(field.Key)?.Value : null, instance is null ? null : field.Property.GetValue(instance), depth + 1))
                    yield return inner;
        }
    }

    private object Fail(Origin at, string path, string message)
    {
        problems.Add(at.Problem(path, message));
        return s_failed;
    }

    // The place of a path below a section: the deepest part of it that is written.
    private static Origin Place(RecipeNode node, string path, Origin at)
    {
        foreach (var key in path.Split('.'))
        {
            if (node.Kind == NodeKind.List && int.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index < node.Items.Count)
                (node, at) = (node.Items[index], node.Items[index].Origin);
            else if (node.Kind == NodeKind.Map && node.Find(key) is { } entry)
                (node, at) = (entry.Value, entry.At);
            else
                break;
        }
        return at;
    }

    // A default is shared by nobody, but a record that hands out a static one must not be written into.
    private static object Copy(object record) =>
        record.GetType().GetMethod("<Clone>$", BindingFlags.Public | BindingFlags.Instance)?.Invoke(record, null) ?? record;

    private static Type? SocketOf(Type? type)
    {
        while (type is not null && !Components.IsSocket(type))
            type = type.BaseType;
        return type;
    }

    private static string Title(string path, Type type)
    {
        var kind = Components.KindOf(type) is { } word ? $" ({word})" : "";
        return path.Length == 0 ? "the recipe" + kind : path + kind;
    }

    private static string Join(string path, string key) => path.Length == 0 ? key : $"{path}.{key}";

    private static string Expected(ValueShape shape) => shape.Form switch
    {
        Form.Bool => "true or false",
        Form.Integer => "a whole number",
        Form.Real => "a number",
        Form.Text => "a text",
        Form.Enum => "one of " + string.Join(", ", EnumWords.Of(shape.Type).Select(word => word.Word)),
        Form.List => "a list",
        _ => "a section",
    };
}

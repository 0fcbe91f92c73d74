using System.Collections;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Gradus.Foundation.Recipes;

/// <summary>
/// The JSON schema (draft 2020-12) of a recipe, for completion in editors and for forms: one definition a record, <c>oneOf</c> with a
/// constant <c>kind</c> a socket, with defaults, ranges and the one line about each key. The reader stays the judge: cross-key checks
/// are not in it.
/// </summary>
public static class RecipeSchema
{
    private static readonly JsonSerializerOptions s_readable = new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The schema of a recipe type (a record or a socket) as indented JSON.</summary>
    public static string Export(Type recipe)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        var definitions = new Definitions();
        var schema = new JsonObject
        {
            ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
            ["title"] = "Gradus " + RecordShape.Name(recipe.Name).Replace('_', ' '),
        };
        schema["$ref"] = Section(ValueShape.OfSection(recipe), definitions);
        schema["$defs"] = new JsonObject(definitions.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value)));
        return schema.ToJsonString(s_readable) + "\n";
    }

    // Defines a record or a socket once and returns the reference to it.
    private static string Section(ValueShape shape, Definitions definitions)
    {
        var name = NameOf(shape.Type);
        if (definitions.ContainsKey(name))
        {
            // Two records of one simple name would silently share a definition.
            if (definitions.Types[name] != shape.Type)
                throw new InvalidOperationException($"{definitions.Types[name]} and {shape.Type} have the same name in the schema");
        }
        else
        {
            definitions.Types[name] = shape.Type;
            definitions[name] = JsonValue.Create(true); // holds the name, so that a record may hold itself
            definitions[name] = shape.Form == Form.Socket ? Socket(shape.Type, definitions) : Record(shape.Type, definitions);
        }
        return "#/$defs/" + name;
    }

    private static string NameOf(Type type)
    {
        if (Components.IsSocket(type))
            return SocketName(type);
        var socket = type.BaseType;
        while (socket is not null && !Components.IsSocket(socket))
            socket = socket.BaseType;
        return Components.KindOf(type) is { } kind && socket is not null ? $"{SocketName(socket)}.{kind}" : type.Name;
    }

    private static string SocketName(Type socket) => ((SocketAttribute)Attribute.GetCustomAttribute(socket, typeof(SocketAttribute))!).Name;

    private static JsonObject Socket(Type type, Definitions definitions)
    {
        var kinds = Components.Of(type).Select(component => (JsonNode)new JsonObject
        {
            ["$ref"] = Section(ValueShape.OfSection(component.Type), definitions),
            ["required"] = new JsonArray("kind"),
        });
        return Described(Docs.Of(type), new JsonObject { ["oneOf"] = new JsonArray([.. kinds]) });
    }

    private static JsonObject Record(Type type, Definitions definitions)
    {
        var properties = new JsonObject();
        if (Components.KindOf(type) is { } kind)
            properties["kind"] = new JsonObject { ["const"] = kind };
        var defaults = Activator.CreateInstance(type)!;
        var fields = RecordShape.Of(type).Fields;
        foreach (var field in fields)
        {
            var start = field.Required ? null : field.Property.GetValue(defaults);
            var schema = Described(field.Doc, Value(field.Shape, field.Limits, start, definitions));
            if (start is not null && Default(field.Shape, start) is { } value)
                schema["default"] = value;
            if (field.Secret)
                schema["writeOnly"] = true;
            properties[field.Key] = schema;
        }
        var record = new JsonObject { ["type"] = "object", ["properties"] = properties, ["additionalProperties"] = false };
        if (fields.Any(field => field.Required))
            record["required"] = new JsonArray([.. fields.Where(field => field.Required).Select(field => (JsonNode)field.Key)]);
        return Described(Docs.Of(type), record);
    }

    private static JsonObject Value(ValueShape shape, IReadOnlyList<LimitAttribute> limits, object? start, Definitions definitions)
    {
        var schema = shape.Form switch
        {
            Form.Bool => new JsonObject { ["type"] = "boolean" },
            Form.Integer => Integer(shape.Type, limits),
            Form.Real => Limited(new JsonObject { ["type"] = "number" }, limits),
            Form.Text => new JsonObject { ["type"] = "string" },
            Form.Enum => new JsonObject { ["enum"] = new JsonArray([.. EnumWords.Of(shape.Type).Select(word => (JsonNode)word.Word)]) },
            Form.List => new JsonObject { ["type"] = "array", ["items"] = Value(shape.Element!, limits, null, definitions) },
            Form.Map => new JsonObject { ["type"] = "object", ["additionalProperties"] = Value(shape.Element!, limits, null, definitions) },
            Form.Socket when start is not null => KindMayBeLeftOut(shape, start, definitions),
            _ => new JsonObject { ["$ref"] = Section(shape, definitions) },
        };
        return shape.Nullable ? new JsonObject { ["anyOf"] = new JsonArray(schema, new JsonObject { ["type"] = "null" }) } : schema;
    }

    // A socket with a default takes the default's kind when none is written.
    private static JsonObject KindMayBeLeftOut(ValueShape shape, object start, Definitions definitions) => new()
    {
        ["if"] = new JsonObject { ["required"] = new JsonArray("kind") },
        ["then"] = new JsonObject { ["$ref"] = Section(shape, definitions) },
        ["else"] = new JsonObject { ["$ref"] = Section(ValueShape.OfSection(start.GetType()), definitions) },
    };

    private static JsonObject Integer(Type type, IReadOnlyList<LimitAttribute> limits)
    {
        var (low, high) = ScalarText.Bounds(type);
        var schema = Limited(new JsonObject { ["type"] = "integer" }, limits);
        // The type's own bounds, unless a limit is already tighter on that side.
        if (!schema.ContainsKey("minimum") && !schema.ContainsKey("exclusiveMinimum"))
            schema["minimum"] = JsonNode.Parse(low);
        if (!schema.ContainsKey("maximum") && !schema.ContainsKey("exclusiveMaximum"))
            schema["maximum"] = JsonNode.Parse(high);
        return schema;
    }

    private static JsonObject Limited(JsonObject schema, IReadOnlyList<LimitAttribute> limits)
    {
        foreach (var limit in limits)
            schema[limit.Keyword] = JsonNode.Parse(limit.Bound.ToString("R", CultureInfo.InvariantCulture));
        return schema;
    }

    private static JsonObject Described(string? doc, JsonObject schema)
    {
        if (doc is not null)
            schema["description"] = doc;
        return schema;
    }

    private static JsonNode? Default(ValueShape shape, object? value) => shape.Form switch
    {
        _ when value is null => null,
        Form.Bool => JsonValue.Create((bool)value),
        Form.Integer => JsonNode.Parse(Convert.ToString(value, CultureInfo.InvariantCulture)!),
        Form.Real => JsonNode.Parse(value is float single ? single.ToString("R", CultureInfo.InvariantCulture) : ((double)value).ToString("R", CultureInfo.InvariantCulture)),
        Form.Text => JsonValue.Create((string)value),
        Form.Enum => JsonValue.Create(EnumWords.Of(shape.Type).First(word => word.Value.Equals(value)).Word),
        Form.List when !shape.Element!.IsSection => new JsonArray([.. ((IEnumerable)value).Cast<object?>().Select(item => Default(shape.Element, item))]),
        _ => null,
    };

    private sealed class Definitions() : SortedDictionary<string, JsonNode>(StringComparer.Ordinal)
    {
        public Dictionary<string, Type> Types { get; } = [];
    }
}

using System.Globalization;
using System.Text.Json;
using Gradus.Foundation.Files;

namespace Gradus.Text.Data.Records;

/// <summary>A row's fields under the names of a format: through the columns' mapping, with the known other spellings, strictly typed.</summary>
internal sealed class RecordFields(JsonElement row, string place, IReadOnlyDictionary<string, string> columns)
{
    /// <summary>Where the row stands.</summary>
    public string Place => place;

    public JsonElement Row => row;

    /// <summary>The field's value under the first of its names that the row has; null when it has none, or null there.</summary>
    public JsonElement? Find(params ReadOnlySpan<string> names)
    {
        if (columns.TryGetValue(names[0], out var mapped))
            return row.TryGetProperty(mapped, out var there) ? NotNull(there) : throw Missing(names[0], mapped);
        foreach (var name in names)
            if (row.TryGetProperty(name, out var value))
                return NotNull(value);
        return null;
    }

    public bool Has(params ReadOnlySpan<string> names) => Find(names) is not null;

    public JsonElement Need(params ReadOnlySpan<string> names) => Find(names) ?? throw Missing(names[0], names[0]);

    /// <summary>Text that is there and not only white space.</summary>
    public string NeedText(params ReadOnlySpan<string> names)
    {
        var text = AsText(Need(names), names[0]);
        return string.IsNullOrWhiteSpace(text) ? throw new RecordFault(Name(names[0]), "is empty") : text;
    }

    /// <summary>Text, or null when the field is absent or empty.</summary>
    public string? Text(params ReadOnlySpan<string> names) => Find(names) is { } value && AsText(value, names[0]) is { Length: > 0 } text ? text : null;

    /// <summary>Text, number or truth value, as text.</summary>
    public string NeedScalar(params ReadOnlySpan<string> names)
    {
        var value = Need(names);
        return value.ValueKind switch
        {
            JsonValueKind.String when value.GetString() is { Length: > 0 } text => text,
            JsonValueKind.Number => value.GetRawText(),
            JsonValueKind.True => "true",
            JsonValueKind.False => "false",
            _ => throw new RecordFault(Name(names[0]), $"{Kind(value)} where a name or a number has to be"),
        };
    }

    public bool NeedBool(params ReadOnlySpan<string> names)
    {
        var value = Need(names);
        return value.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            JsonValueKind.Number when value.TryGetInt32(out var n) && n is 0 or 1 => value.GetInt32() == 1,
            JsonValueKind.String when value.GetString() is "true" or "True" or "1" => true,
            JsonValueKind.String when value.GetString() is "false" or "False" or "0" => false,
            _ => throw new RecordFault(Name(names[0]), $"{Kind(value)} where true or false has to be"),
        };
    }

    public List<JsonElement> NeedList(params ReadOnlySpan<string> names)
    {
        var value = Need(names);
        return value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray()] : throw new RecordFault(Name(names[0]), $"{Kind(value)} where a list has to be");
    }

    public string Name(string field) => columns.GetValueOrDefault(field, field);

    public static string Kind(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Array => "a list",
        JsonValueKind.Object => "an object",
        JsonValueKind.String => value.GetString()!.Length == 0 ? "an empty text" : "a text",
        JsonValueKind.Number => "a number",
        JsonValueKind.True or JsonValueKind.False => "true or false",
        _ => "null",
    };

    private RecordFault Missing(string field, string column) => new(column, $"missing{(column == field ? "" : $" (the column mapped to '{field}')")}{NearestName.Hint(column, row.EnumerateObject().Select(p => p.Name).Take(50))}");

    private string AsText(JsonElement value, string field) =>
        value.ValueKind == JsonValueKind.String ? value.GetString()! : throw new RecordFault(Name(field), string.Create(CultureInfo.InvariantCulture, $"{Kind(value)} where a text has to be"));

    private static JsonElement? NotNull(JsonElement value) => value.ValueKind == JsonValueKind.Null ? null : value;
}

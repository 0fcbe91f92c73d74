using System.Text.Json;

namespace Gradus.Text.Tokenizers.PostProcessors;

/// <summary>A token and its id, as <c>tokenizer.json</c> pairs them in an array.</summary>
internal readonly record struct NamedId(string Name, int Id)
{
    public static NamedId Read(JsonField field)
    {
        var parts = field.Items().ToArray();
        return parts.Length == 2 ? new(parts[0].Text(), parts[1].Id()) : throw field.Error("expected a token and its id");
    }

    public void Write(Utf8JsonWriter json, string name)
    {
        json.WriteStartArray(name);
        json.WriteStringValue(Name);
        json.WriteNumberValue(Id);
        json.WriteEndArray();
    }
}

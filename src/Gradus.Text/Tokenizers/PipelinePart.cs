using System.Text.Json;
using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers;

/// <summary>
/// A step of the pipeline normalise → pre-tokenise → model → post-process → decode, as <c>tokenizer.json</c> writes it: an object whose
/// <c>type</c> is the component's kind. To add one: a file with a sealed record like its neighbours. Immutable and shared between threads.
/// </summary>
internal abstract record PipelinePart
{
    /// <summary>The step with the settings of <paramref name="field"/>; called on an instance made with the defaults.</summary>
    /// <exception cref="UserException">A setting is missing or malformed.</exception>
    public abstract PipelinePart Read(JsonField field);

    /// <summary>Writes the settings that <see cref="Read"/> reads, without <c>type</c> and braces.</summary>
    public abstract void WriteSettings(Utf8JsonWriter json);

    /// <summary>Writes the step as an object.</summary>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", Components.KindOf(GetType()));
        WriteSettings(json);
        json.WriteEndObject();
    }

    /// <summary>Reads an array of steps, none of them null.</summary>
    protected static IReadOnlyList<T> ReadList<T>(JsonField list)
        where T : PipelinePart => [.. list.Items().Select(item => ReadAny<T>(item) ?? throw item.Error("expected a step, found null"))];

    /// <summary>Writes an array of steps.</summary>
    protected static void WriteList(Utf8JsonWriter json, string name, IEnumerable<PipelinePart> steps)
    {
        json.WriteStartArray(name);
        foreach (var step in steps)
            step.Write(json);
        json.WriteEndArray();
    }

    /// <summary>Reads a step of the kinds of socket <typeparamref name="T"/>; null where the file has null.</summary>
    public static T? ReadAny<T>(JsonField field)
        where T : PipelinePart
    {
        return field.IsNull ? null : ReadAs<T>(field, field["type"].Text());
    }

    /// <summary>Reads a step of kind <paramref name="type"/>.</summary>
    public static T ReadAs<T>(JsonField field, string type)
        where T : PipelinePart
    {
        var kinds = Components.Of(typeof(T));
        var found = kinds.FirstOrDefault(c => c.Kind == type)
            ?? throw field["type"].Error($"'{type}' is unknown{NearestName.Hint(type, kinds.Select(c => c.Kind))}");
        return (T)((T)Activator.CreateInstance(found.Type)!).Read(field);
    }
}

using System.Globalization;
using System.Text.Json;
using Gradus.Foundation.Files;

namespace Gradus.Text.Tokenizers;

/// <summary>A place in a JSON file that knows its name, so that every error says where it is.</summary>
/// <param name="File">The file.</param>
/// <param name="Parent">The path of the object or array it is in.</param>
/// <param name="Key">Its key in that object, or null.</param>
/// <param name="Index">Its place in that array.</param>
/// <param name="Value">What stands there.</param>
internal readonly record struct JsonField(string File, string Parent, string? Key, int Index, JsonElement Value)
{
    public JsonField(string file, JsonElement root)
        : this(file, "", null, -1, root)
    {
    }

    // Put together only when asked for: vocabularies have a hundred thousand entries, and errors are rare.
    public string Path => Key is not null
        ? IsPlain(Key) ? (Parent.Length == 0 ? Key : $"{Parent}.{Key}") : $"{Parent}[{JsonSerializer.Serialize(Key)}]"
        : Index >= 0 ? string.Create(CultureInfo.InvariantCulture, $"{Parent}[{Index}]") : "";

    public bool IsNull => Value.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined;

    /// <summary>Not there at all; null is there.</summary>
    public bool IsMissing => Value.ValueKind == JsonValueKind.Undefined;

    public JsonField this[string name]
    {
        get
        {
            if (Value.ValueKind != JsonValueKind.Object)
                throw Wrong("an object");
            return new(File, Path, name, -1, Value.TryGetProperty(name, out var value) ? value : default);
        }
    }

    public UserException Error(string message) => new($"{File}: {(Path.Length == 0 ? "the file" : Path)}: {message}");

    public string Text() => Value.ValueKind == JsonValueKind.String ? Value.GetString()! : throw Wrong("a string");

    public string? OptionalText() => IsNull ? null : Text();

    public int Id()
    {
        if (Value.ValueKind != JsonValueKind.Number)
            throw Wrong("an id (a whole number)");
        if (!Value.TryGetInt32(out var id) || id < 0)
            throw Error($"{Value.GetRawText()} is no id; ids are whole numbers from 0 to {int.MaxValue - 1}");
        return id != int.MaxValue ? id : throw Error($"{id} is no id; ids are whole numbers from 0 to {int.MaxValue - 1}");
    }

    public bool Flag(bool otherwise = false) => Value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.Null or JsonValueKind.Undefined => otherwise,
        _ => throw Wrong("true or false"),
    };

    public bool RequiredFlag() => Value.ValueKind is JsonValueKind.True or JsonValueKind.False ? Flag() : throw Wrong("true or false");

    /// <summary>A whole number from <paramref name="atLeast"/> on.</summary>
    public int Count(int atLeast = 0)
    {
        if (Value.ValueKind != JsonValueKind.Number)
            throw Wrong("a whole number");
        return Value.TryGetInt32(out var count) && count >= atLeast
            ? count
            : throw Error(string.Create(CultureInfo.InvariantCulture, $"{Value.GetRawText()} is no whole number from {atLeast} to {int.MaxValue}"));
    }

    /// <summary>A text of one character.</summary>
    public System.Text.Rune Character() =>
        System.Text.Rune.TryGetRuneAt(Text() is { Length: > 0 } text ? text : "\uD800", 0, out var rune) && rune.Utf16SequenceLength == Text().Length
            ? rune
            : throw Error($"expected one character, found '{Text()}'");

    /// <summary>One of a few words; what each stands for.</summary>
    public T OneOf<T>(params (string Word, T Value)[] known)
    {
        var word = Text();
        foreach (var (name, value) in known)
            if (name == word)
                return value;
        throw Error($"'{word}' is unknown{NearestName.Hint(word, known.Select(k => k.Word))}; known are {string.Join(", ", known.Select(k => k.Word))}");
    }

    public IEnumerable<JsonField> Items()
    {
        if (Value.ValueKind != JsonValueKind.Array)
            throw Wrong("an array");
        return Each(this);

        static IEnumerable<JsonField> Each(JsonField list)
        {
            var path = list.Path;
            var i = 0;
            foreach (var item in list.Value.EnumerateArray())
                yield return new(list.File, path, null, i++, item);
        }
    }

    public IEnumerable<JsonField> OptionalItems() => IsNull ? [] : Items();

    public IEnumerable<(string Name, JsonField Field)> Properties()
    {
        if (Value.ValueKind != JsonValueKind.Object)
            throw Wrong("an object");
        return Each(this);

        static IEnumerable<(string, JsonField)> Each(JsonField owner)
        {
            var path = owner.Path;
            foreach (var property in owner.Value.EnumerateObject())
                yield return (property.Name, new(owner.File, path, property.Name, -1, property.Value));
        }
    }

    private static bool IsPlain(string key) => key.Length > 0 && key.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');

    private UserException Wrong(string expected) => Error(IsNull ? $"missing; expected {expected}" : $"expected {expected}, found {Kind}");

    private string Kind => Value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => "a number",
        _ => "true or false",
    };
}

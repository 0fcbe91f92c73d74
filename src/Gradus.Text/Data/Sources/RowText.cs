using System.Text;
using System.Text.Json;
using Gradus.Foundation.Files;

namespace Gradus.Text.Data.Sources;

/// <summary>
/// Text and metadata of a row in one pass over its JSON. The whole row is read, so a damaged one is never half used; a value is decoded
/// only when it is wanted.
/// </summary>
internal sealed class RowText
{
    private static readonly string[] s_textFields = ["text", "content", "body", "document", "raw_content", "article", "passage", "story", "sentence", "review", "abstract"];

    private static readonly Dictionary<string, string> s_metaFields = new(StringComparer.OrdinalIgnoreCase)
    {
        ["url"] = MetaKeys.Url, ["uri"] = MetaKeys.Url, ["link"] = MetaKeys.Url, ["target_uri"] = MetaKeys.Url, ["warc-target-uri"] = MetaKeys.Url,
        ["date"] = MetaKeys.Date, ["timestamp"] = MetaKeys.Date, ["created"] = MetaKeys.Date, ["created_at"] = MetaKeys.Date, ["created_utc"] = MetaKeys.Date, ["published"] = MetaKeys.Date, ["publish_date"] = MetaKeys.Date, ["warc-date"] = MetaKeys.Date, ["year"] = MetaKeys.Date,
        ["title"] = MetaKeys.Title, ["headline"] = MetaKeys.Title,
        ["author"] = MetaKeys.Author, ["creator"] = MetaKeys.Author,
        ["license"] = MetaKeys.License, ["licence"] = MetaKeys.License, ["rights"] = MetaKeys.License,
        ["language"] = MetaKeys.Language, ["lang"] = MetaKeys.Language, ["bcp47"] = MetaKeys.Language, ["language_code"] = MetaKeys.Language,
        ["source"] = MetaKeys.Source, ["subset"] = MetaKeys.Source, ["dataset"] = MetaKeys.Source,
        ["id"] = MetaKeys.Id, ["_id"] = MetaKeys.Id, ["doc_id"] = MetaKeys.Id, ["guid"] = MetaKeys.Id,
        ["score"] = MetaKeys.Score, ["karma"] = MetaKeys.Score, ["upvotes"] = MetaKeys.Score,
    };

    private readonly byte[][] _path;
    private readonly string _field;
    private readonly Dictionary<string, string> _meta;
    private readonly Dictionary<string, string>.AlternateLookup<ReadOnlySpan<char>> _metaByName;

    public RowText(string field, IReadOnlyList<string> keep)
    {
        _field = field;
        _path = [.. field.Split('.').Select(Encoding.UTF8.GetBytes)];
        _meta = new Dictionary<string, string>(s_metaFields, StringComparer.OrdinalIgnoreCase);
        foreach (var name in keep)
            _meta.TryAdd(name, name);
        _metaByName = _meta.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>The field that is most likely the text, by the first row: a known name with a string in it; else <c>text</c>, whose absence is then said.</summary>
    public static string GuessField(ReadOnlySpan<byte> row)
    {
        var found = new List<string>();
        try
        {
            var reader = new Utf8JsonReader(row, new JsonReaderOptions { MaxDepth = StrictJson.MaxDepth });
            reader.Read();
            while (reader.TokenType == JsonTokenType.StartObject || reader.TokenType is JsonTokenType.String or JsonTokenType.Number or JsonTokenType.EndArray or JsonTokenType.EndObject or JsonTokenType.True or JsonTokenType.False or JsonTokenType.Null)
            {
                if (!reader.Read() || reader.TokenType != JsonTokenType.PropertyName)
                    break;
                var name = reader.GetString()!;
                reader.Read();
                if (reader.TokenType == JsonTokenType.String)
                    found.Add(name);
                reader.Skip();
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The reading of the row will say it with its place.
        }

        return s_textFields.FirstOrDefault(found.Contains) ?? "text";
    }

    /// <summary>The text, or why there is none.</summary>
    public (byte[]? Text, IReadOnlyDictionary<string, string>? Meta, string Why) Read(ReadOnlySpan<byte> row)
    {
        var reader = new Utf8JsonReader(row, new JsonReaderOptions { MaxDepth = StrictJson.MaxDepth });
        var state = new State();
        try
        {
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject)
                return (null, null, $"the row is not a JSON object but {Kind(reader.TokenType)}.");
            if (ReadObject(ref reader, 0, onPath: true, ref state) is { } why)
                return (null, null, why);
            reader.Read(); // anything but white space after the object throws
        }
        catch (JsonException e)
        {
            return (null, null, $"not valid JSON at byte {e.BytePositionInLine} of the row: {FirstSentence(e.Message)}");
        }
        catch (InvalidOperationException)
        {
            return (null, null, "an escape in the row is half of a surrogate pair: not valid Unicode.");
        }

        return state.Text is not null ? (state.Text, state.Meta, "") : (null, null, $"there is no field '{_field}'{NearestName.Hint(_field, state.Names ?? [])}");
    }

    private ref struct State
    {
        public byte[]? Text;
        public SortedDictionary<string, string>? Meta;
        public List<string>? Names;
    }

    /// <summary>The members of an object; from its start token to its end token. A sentence when the row is bad.</summary>
    private string? ReadObject(ref Utf8JsonReader reader, int depth, bool onPath, ref State state)
    {
        Span<char> buffer = stackalloc char[64];
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var wanted = onPath && depth < _path.Length && reader.ValueTextEquals(_path[depth]);
            var plain = !reader.ValueIsEscaped && reader.ValueSpan.Length <= buffer.Length;
            scoped ReadOnlySpan<char> name = plain ? buffer[..reader.CopyString(buffer)] : reader.ValueSpan.Length > 1 << 10 ? default : reader.GetString();
            if (depth == 0 && !wanted && (state.Names ??= []).Count < 20)
                state.Names.Add(name.ToString());
            string? key = null;
            var isMeta = !wanted && name.Length > 0 && _metaByName.TryGetValue(name, out key);
            var isBox = depth == 0 && !wanted && (name.SequenceEqual("meta") || name.SequenceEqual("metadata"));
            reader.Read();
            if (wanted && depth < _path.Length - 1 && reader.TokenType == JsonTokenType.StartObject)
            {
                if (ReadObject(ref reader, depth + 1, onPath: true, ref state) is { } why)
                    return why;
            }
            else if (wanted)
            {
                if (state.Text is not null)
                    return $"the field '{_field}' appears twice.";
                if (reader.TokenType != JsonTokenType.String || depth < _path.Length - 1)
                    return $"the field '{_field}' is not a string but {Kind(reader.TokenType)}.";
                state.Text = new byte[reader.ValueSpan.Length];
                state.Text = state.Text[..reader.CopyString(state.Text)];
            }
            else if (isBox && reader.TokenType == JsonTokenType.StartObject)
            {
                if (ReadObject(ref reader, 1, onPath: false, ref state) is { } why)
                    return why;
            }
            else if (isMeta && (depth == 0 || !onPath))
            {
                AddMeta(ref reader, key!, ref state);
            }
            else
            {
                reader.Skip();
            }
        }

        return null;
    }

    private static void AddMeta(ref Utf8JsonReader reader, string key, ref State state)
    {
        var value = reader.TokenType switch
        {
            JsonTokenType.String when reader.ValueSpan.Length <= 4096 => reader.GetString(),
            JsonTokenType.Number or JsonTokenType.True or JsonTokenType.False => Encoding.UTF8.GetString(reader.ValueSpan),
            _ => null,
        };
        reader.Skip();
        if (key == MetaKeys.Date && value is not null)
            value = IsoDate.Of(value);
        if (!string.IsNullOrWhiteSpace(value))
            (state.Meta ??= new SortedDictionary<string, string>(StringComparer.Ordinal)).TryAdd(key, value);
    }

    private static string Kind(JsonTokenType type) => type switch
    {
        JsonTokenType.StartArray => "an array",
        JsonTokenType.StartObject => "an object",
        JsonTokenType.String => "a string",
        JsonTokenType.Number => "a number",
        JsonTokenType.Null => "null",
        _ => "true or false",
    };

    private static string FirstSentence(string message)
    {
        var end = message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return (end < 0 ? message : message[..end]).ReplaceLineEndings(" ");
    }
}

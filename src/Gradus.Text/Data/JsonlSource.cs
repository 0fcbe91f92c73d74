using System.Text.Json;
using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Data;

/// <summary>One JSON object a line; one of its fields is the document's text.</summary>
[Component("jsonl")]
public sealed record JsonlSource : SourceOptions
{
    /// <summary>The field that holds the text.</summary>
    public string Field { get; init; } = "text";

    protected internal override IReadOnlyList<string> FileEndings => [".jsonl", ".ndjson"];

    protected override IEnumerable<Document> ReadFile(Stream file, string name, SourceReport report)
    {
        var reader = new RecordReader(file, MaxRecordBytes);
        while (reader.TryRead(out var line))
        {
            var place = $"{name}:{reader.Line}";
            if (reader.TooLong)
            {
                Bad($"{place}: the row is longer than {MaxRecordBytes} bytes (max_record_bytes).", report);
                continue;
            }

            if (line.Span.IndexOfAnyExcept(" \t\r"u8) < 0)
                continue;
            if (Utf8Text(line.Span, place, reader.Offset, report) is not { } utf8)
                continue;
            var (text, why) = ReadField(utf8);
            if (text is null)
                Bad($"{place}: {why}", report);
            else if (text.Length == 0)
                report.Empty++;
            else
                yield return new Document(text, place);
        }
    }

    /// <summary>The field's text, or why there is none. The whole row is read, so a damaged one is never half used.</summary>
    private (byte[]? Text, string Why) ReadField(ReadOnlySpan<byte> row)
    {
        var reader = new Utf8JsonReader(row, new JsonReaderOptions { MaxDepth = StrictJson.MaxDepth });
        byte[]? text = null;
        var names = new List<string>();
        try
        {
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject)
                return (null, $"the row is not a JSON object but {Kind(reader.TokenType)}.");
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var wanted = reader.ValueTextEquals(Field);
                if (!wanted && names.Count < 20)
                    names.Add(reader.GetString()!);
                reader.Read();
                if (!wanted)
                {
                    reader.Skip();
                    continue;
                }

                if (text is not null)
                    return (null, $"the field '{Field}' appears twice.");
                if (reader.TokenType != JsonTokenType.String)
                    return (null, $"the field '{Field}' is not a string but {Kind(reader.TokenType)}.");
                text = new byte[reader.ValueSpan.Length];
                text = text[..reader.CopyString(text)];
            }

            reader.Read(); // anything but white space after the object throws
        }
        catch (JsonException e)
        {
            return (null, $"not valid JSON at byte {e.BytePositionInLine} of the row: {FirstSentence(e.Message)}");
        }
        catch (InvalidOperationException)
        {
            return (null, "an escape in the row is half of a surrogate pair: not valid Unicode.");
        }

        return text is not null ? (text, "") : (null, $"there is no field '{Field}'{NearestName.Hint(Field, names)}");
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

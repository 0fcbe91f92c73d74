using System.Buffers;
using System.Text.Json;
using Gradus.Foundation.Files;

namespace Gradus.Text.Tokenizers.Chat;

/// <summary>
/// One message of a conversation: its role, its content, and whatever else a template reads of it (<c>tool_calls</c>, <c>name</c>,
/// <c>reasoning_content</c> …). Immutable.
/// </summary>
/// <example><code>
/// ChatMessage[] messages = [new("system", "You are brief."), new("user", "Who wrote Moby-Dick?")];
/// </code></example>
public sealed class ChatMessage
{
    private (int Index, DictValue Value, long Bytes)? _read; // the values of the last place it was used at

    /// <summary>A message of plain text.</summary>
    public ChatMessage(string role, string? content)
    {
        ArgumentNullException.ThrowIfNull(role);
        Role = role;
        Content = content;
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("role", role);
            json.WriteString("content", content);
            json.WriteEndObject();
        }

        using var document = JsonDocument.Parse(buffer.WrittenMemory);
        Json = document.RootElement.Clone();
    }

    private ChatMessage(JsonElement json) =>
        (Json, Role, Content) = (json, json.GetProperty("role").GetString()!, json.TryGetProperty("content", out var content) && content.ValueKind == JsonValueKind.String ? content.GetString() : null);

    /// <summary>Who speaks: <c>system</c>, <c>user</c>, <c>assistant</c>, <c>tool</c> …</summary>
    public string Role { get; }

    /// <summary>What is said, when it is plain text; null where it is missing or a list of parts.</summary>
    public string? Content { get; }

    /// <summary>All of it.</summary>
    public JsonElement Json { get; }

    /// <summary>A message from JSON, with all its fields.</summary>
    /// <exception cref="UserException">It is no object with a <c>role</c>.</exception>
    public static ChatMessage Read(JsonElement json, string name = "message")
    {
        if (json.ValueKind != JsonValueKind.Object)
            throw new UserException($"{name}: a message is an object like {{\"role\": \"user\", \"content\": \"…\"}}");
        if (!json.TryGetProperty("role", out var role) || role.ValueKind != JsonValueKind.String)
            throw new UserException($"{name}: role: missing; expected a string such as \"user\"");
        if (!json.TryGetProperty("content", out _) && !json.TryGetProperty("tool_calls", out _))
            throw new UserException($"{name}: content: missing; a message has content or tool_calls");
        return new(json.Clone());
    }

    /// <summary>A conversation from JSON: a list of messages, or an object with such a list as <c>messages</c>.</summary>
    /// <exception cref="UserException">It is no such thing; one line names file and place.</exception>
    public static IReadOnlyList<ChatMessage> ReadAll(ReadOnlyMemory<byte> utf8, string name)
    {
        using var document = StrictJson.Parse(utf8, name);
        return ReadAll(document.RootElement, name);
    }

    /// <inheritdoc cref="ReadAll(ReadOnlyMemory{byte}, string)"/>
    public static IReadOnlyList<ChatMessage> ReadAll(JsonElement json, string name = "messages")
    {
        if (json.ValueKind == JsonValueKind.Object && json.TryGetProperty("messages", out var inner))
            json = inner;
        if (json.ValueKind != JsonValueKind.Array)
            throw new UserException($"{name}: a conversation is a list of messages");
        return [.. json.EnumerateArray().Select((message, i) => Read(message, $"{name}: messages[{i}]"))];
    }

    /// <summary>What a template sees. What the message says is marked with its place; its role and name are data of no message.</summary>
    internal DictValue ValueAt(int index, ref long bytes)
    {
        if (_read is { } known && known.Index == index)
        {
            bytes += known.Bytes;
            return known.Value;
        }

        var own = 0L;
        var dict = new DictValue(isFixed: true);
        foreach (var property in Json.EnumerateObject())
            dict.Add(new TextValue(property.Name), ChatInput.Read(property.Value, property.Name is "role" or "name" or "tool_call_id" ? Mark.Data : Mark.OfMessage(index), ref own));
        _read = (index, dict, own);
        bytes += own;
        return dict;
    }
}

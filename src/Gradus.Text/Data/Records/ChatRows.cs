using System.Buffers;
using System.Text.Json;
using Gradus.Foundation.Files;
using Gradus.Text.Tokenizers.Chat;

namespace Gradus.Text.Data.Records;

/// <summary>Messages out of the ways that files have for them, checked: known roles, one system message and first, content that is there.</summary>
internal static class ChatRows
{
    private static readonly string[] s_roles = ["system", "developer", "user", "assistant", "tool", "function", "ipython"];

    private static readonly Dictionary<string, string> s_speakers = new(StringComparer.OrdinalIgnoreCase)
    {
        ["human"] = "user", ["user"] = "user", ["prompter"] = "user", ["gpt"] = "assistant", ["chatgpt"] = "assistant", ["assistant"] = "assistant", ["bot"] = "assistant", ["model"] = "assistant", ["bing"] = "assistant", ["bard"] = "assistant",
        ["system"] = "system", ["tool"] = "tool", ["observation"] = "tool", ["function_response"] = "tool", ["function_call"] = "function_call", ["tool_call"] = "function_call",
    };

    /// <summary>A list of <c>{role, content}</c> or <c>{from, value}</c>.</summary>
    public static List<ChatMessage> Messages(JsonElement list, string field)
    {
        if (list.ValueKind != JsonValueKind.Array)
            throw new RecordFault(field, $"{RecordFields.Kind(list)} where a list of messages has to be");
        return [.. list.EnumerateArray().Select((message, i) => Message(message, $"{field}[{i}]"))];
    }

    public static ChatMessage Message(JsonElement message, string field)
    {
        if (message.ValueKind != JsonValueKind.Object)
            throw new RecordFault(field, $"{RecordFields.Kind(message)} where a message like {{\"role\": \"user\", \"content\": \"…\"}} has to be");
        return message.TryGetProperty("from", out var from) && !message.TryGetProperty("role", out _) ? Spoken(message, from, field) : WithRole(message, field);
    }

    /// <summary>What every conversation has to be that a model can learn from.</summary>
    public static IReadOnlyList<ChatMessage> Checked(List<ChatMessage> messages, string field, bool needsAnswer = true)
    {
        if (messages.Count == 0)
            throw new RecordFault(field, "there are no messages");
        for (var i = 1; i < messages.Count; i++)
            if (messages[i].Role is "system" or "developer" && !(i == 1 && messages[0].Role is "system" && messages[1].Role is "developer"))
                throw new RecordFault($"{field}[{i}].role", messages[..i].Exists(m => m.Role is "system" or "developer") ? "a second system message" : "a system message that is not the first");
        var first = messages.FirstOrDefault(m => m.Role is not ("system" or "developer"));
        if (needsAnswer && first is { Role: "assistant" } && messages.IndexOf(first) is var at)
            throw new RecordFault($"{field}[{at}].role", "the assistant speaks first; a user's message has to come before");
        if (needsAnswer && !messages.Exists(m => m.Role == "assistant"))
            throw new RecordFault(field, "no message is the assistant's: there is nothing to learn");
        return messages;
    }

    /// <summary>A text as one message, or a list of messages as they are.</summary>
    public static List<ChatMessage> TextOrMessages(JsonElement value, string role, string field) => value.ValueKind switch
    {
        JsonValueKind.String => string.IsNullOrWhiteSpace(value.GetString()) ? throw new RecordFault(field, "is empty") : [new ChatMessage(role, value.GetString())],
        JsonValueKind.Object => [Message(value, field)],
        _ => Messages(value, field),
    };

    /// <summary>A list of tools; some files keep it as text.</summary>
    public static JsonElement? Tools(RecordFields row)
    {
        if (row.Find("tools", "functions") is not { } tools)
            return null;
        if (tools.ValueKind == JsonValueKind.String)
        {
            if (string.IsNullOrWhiteSpace(tools.GetString()))
                return null;
            try
            {
                using var parsed = StrictJson.Parse(System.Text.Encoding.UTF8.GetBytes(tools.GetString()!), "tools");
                tools = parsed.RootElement.Clone();
            }
            catch (UserException e)
            {
                throw new RecordFault("tools", $"a text that is no JSON ({e.Message})");
            }
        }

        return tools.ValueKind == JsonValueKind.Array ? tools.GetArrayLength() > 0 ? tools.Clone() : null : throw new RecordFault("tools", $"{RecordFields.Kind(tools)} where a list of tools has to be");
    }

    private static ChatMessage WithRole(JsonElement message, string field)
    {
        if (!message.TryGetProperty("role", out var role) || role.ValueKind != JsonValueKind.String)
            throw new RecordFault($"{field}.role", $"missing{NearestName.Hint("role", message.EnumerateObject().Select(p => p.Name))}");
        if (!s_roles.Contains(role.GetString()))
            throw new RecordFault($"{field}.role", $"'{role.GetString()}' is no role{NearestName.Hint(role.GetString()!, s_roles)}");
        var calls = message.TryGetProperty("tool_calls", out var c) && c.ValueKind == JsonValueKind.Array && c.GetArrayLength() > 0;
        if (!message.TryGetProperty("content", out var content) || content.ValueKind == JsonValueKind.Null)
        {
            if (!calls)
                throw new RecordFault($"{field}.content", content.ValueKind == JsonValueKind.Null ? "null; only a message with tool_calls may have no content" : $"missing{NearestName.Hint("content", message.EnumerateObject().Select(p => p.Name))}");
        }
        else if (content.ValueKind == JsonValueKind.Array)
        {
            Parts(content, field);
        }
        else if (content.ValueKind != JsonValueKind.String)
        {
            throw new RecordFault($"{field}.content", $"{RecordFields.Kind(content)} where a text has to be");
        }
        else if (string.IsNullOrWhiteSpace(content.GetString()) && !calls && role.GetString() is not ("system" or "tool" or "function"))
        {
            throw new RecordFault($"{field}.content", "is empty");
        }

        return ChatMessage.Read(message, field);
    }

    private static void Parts(JsonElement content, string field)
    {
        var i = 0;
        foreach (var part in content.EnumerateArray())
        {
            if (part.ValueKind != JsonValueKind.Object || !part.TryGetProperty("type", out var type) || type.ValueKind != JsonValueKind.String)
                throw new RecordFault($"{field}.content[{i}]", "a part of a content is an object with a type, like {\"type\": \"text\", \"text\": \"…\"}");
            if (type.GetString() == "text" && (!part.TryGetProperty("text", out var text) || text.ValueKind != JsonValueKind.String))
                throw new RecordFault($"{field}.content[{i}].text", "missing");
            i++;
        }
    }

    private static ChatMessage Spoken(JsonElement message, JsonElement from, string field)
    {
        if (from.ValueKind != JsonValueKind.String)
            throw new RecordFault($"{field}.from", $"{RecordFields.Kind(from)} where a speaker has to be");
        if (!s_speakers.TryGetValue(from.GetString()!, out var role))
            throw new RecordFault($"{field}.from", $"'{from.GetString()}' is no speaker{NearestName.Hint(from.GetString()!, s_speakers.Keys)}");
        if (!message.TryGetProperty("value", out var value) || value.ValueKind != JsonValueKind.String)
            throw new RecordFault($"{field}.value", value.ValueKind == JsonValueKind.Undefined ? $"missing{NearestName.Hint("value", message.EnumerateObject().Select(p => p.Name))}" : $"{RecordFields.Kind(value)} where a text has to be");
        if (string.IsNullOrWhiteSpace(value.GetString()) && role is not ("system" or "tool"))
            throw new RecordFault($"{field}.value", "is empty");
        var weight = message.TryGetProperty("weight", out var w) && w.ValueKind == JsonValueKind.Number ? w.GetDouble() : (double?)null;
        return Build(role, value.GetString()!, weight, field);
    }

    private static ChatMessage Build(string role, string text, double? weight, string field)
    {
        if (role != "function_call" && weight is null)
            return new ChatMessage(role, text);
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("role", role == "function_call" ? "assistant" : role);
            if (role == "function_call")
                WriteCall(json, text, field);
            else
                json.WriteString("content", text);
            if (weight is { } number)
                json.WriteNumber("weight", number);
            json.WriteEndObject();
        }

        using var document = JsonDocument.Parse(buffer.WrittenMemory);
        return ChatMessage.Read(document.RootElement, field);
    }

    /// <summary><c>{"name": …, "arguments": …}</c>, or a list of such, as tool calls.</summary>
    private static void WriteCall(Utf8JsonWriter json, string text, string field)
    {
        try
        {
            using var call = StrictJson.Parse(System.Text.Encoding.UTF8.GetBytes(text), field);
            JsonElement[] calls = call.RootElement.ValueKind == JsonValueKind.Array ? [.. call.RootElement.EnumerateArray()] : [call.RootElement];
            json.WriteString("content", "");
            json.WriteStartArray("tool_calls");
            foreach (var one in calls)
            {
                if (one.ValueKind != JsonValueKind.Object || !one.TryGetProperty("name", out var name) || name.ValueKind != JsonValueKind.String)
                    throw new RecordFault($"{field}.value", "a function call is an object with a name and arguments");
                json.WriteStartObject();
                json.WriteString("type", "function");
                json.WritePropertyName("function");
                one.WriteTo(json);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }
        catch (UserException e)
        {
            throw new RecordFault($"{field}.value", $"a function call that is no JSON ({e.Message})");
        }
    }
}

using System.Text;
using System.Text.Json;
using Gradus.Foundation.Files;

namespace Gradus.Text.Tokenizers.Chat;

public sealed partial class ChatTemplate
{
    private const string Config = "tokenizer_config.json";

    /// <summary>
    /// The template of a model folder: <c>chat_template.jinja</c>, <c>chat_template.json</c> or the field <c>chat_template</c> of
    /// <c>tokenizer_config.json</c>, one template or several with names; and its special tokens. Or of one such file.
    /// </summary>
    /// <param name="path">The folder or the file.</param>
    /// <param name="tokenizer">What <see cref="Apply"/> encodes with; null when text is all that is wanted.</param>
    /// <exception cref="UserException">There is no template, or a file or the template is malformed.</exception>
    public static ChatTemplate Load(string path, Tokenizer? tokenizer = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var folder = Directory.Exists(path) ? path : Path.GetDirectoryName(path) ?? "";
        var config = ReadJson(Path.Combine(folder, Config));
        var (name, sources) = path.EndsWith(".jinja", StringComparison.Ordinal) ? (path, One(ReadText(path)))
            : path.EndsWith("chat_template.json", StringComparison.Ordinal) ? (path, Sources(path, ReadJson(path) ?? throw new UserException($"{path}: no such file")))
            : Find(path, folder, config);
        if (sources.Count == 0)
            throw new UserException($"{path}: no chat template; looked for chat_template.jinja, chat_template.json and the field chat_template of {Config}");
        var tokens = Named(tokenizer);
        List<string> control = [.. Control(tokenizer)];
        if (ReadJson(Path.Combine(folder, "special_tokens_map.json")) is { } map)
            AddTokens(tokens, map);
        if (config is { } known)
        {
            AddTokens(tokens, known);
            if (known.TryGetProperty("added_tokens_decoder", out var added) && added.ValueKind == JsonValueKind.Object)
                control.AddRange(added.EnumerateObject().Where(t => t.Value.ValueKind == JsonValueKind.Object && t.Value.TryGetProperty("special", out var special) && special.ValueKind == JsonValueKind.True)
                    .Select(t => Content(t.Value)).OfType<string>());
        }

        var template = new ChatTemplate(name, sources, tokens, tokenizer, control.Concat(tokens.Values));
        foreach (var source in template._templates.Values)
            _ = source.Value; // malformed ones are told at once
        return template;
    }

    /// <summary>Whether a model's folder has a template.</summary>
    public static bool IsIn(string folder) => Find(folder, folder, ReadJson(Path.Combine(folder, Config))).Sources.Count > 0;

    private static (string Name, Dictionary<string, string> Sources) Find(string path, string folder, JsonElement? config)
    {
        var sources = new Dictionary<string, string>(StringComparer.Ordinal);
        var jinja = Path.Combine(folder, "chat_template.jinja");
        var json = Path.Combine(folder, "chat_template.json");
        var name = jinja;
        if (File.Exists(jinja))
            sources["default"] = ReadText(jinja);
        else if (File.Exists(json))
            (name, sources) = (json, Sources(json, ReadJson(json)!.Value));
        else if (config is { } known)
            (name, sources) = (Path.Combine(folder, Config), Sources(Path.Combine(folder, Config), known));
        var more = Path.Combine(folder, "additional_chat_templates");
        if (Directory.Exists(more))
            foreach (var file in Directory.GetFiles(more, "*.jinja").Order(StringComparer.Ordinal))
                sources[Path.GetFileNameWithoutExtension(file)] = ReadText(file);
        return (sources.Count == 0 ? path : name, sources);
    }

    private static Dictionary<string, string> Sources(string file, JsonElement json)
    {
        var field = new JsonField(file, json)["chat_template"];
        if (field.IsNull)
            return [];
        if (field.Value.ValueKind == JsonValueKind.String)
            return One(field.Text());
        var sources = new Dictionary<string, string>(StringComparer.Ordinal);
        if (field.Value.ValueKind == JsonValueKind.Object)
            foreach (var (name, source) in field.Properties())
                sources[name] = source.Text();
        else
            foreach (var item in field.Items())
                sources[item["name"].Text()] = item["template"].Text();
        return sources;
    }

    private static Dictionary<string, string> One(string source) => new(StringComparer.Ordinal) { ["default"] = source };

    private static void AddTokens(Dictionary<string, string> tokens, JsonElement json)
    {
        foreach (var property in json.EnumerateObject())
            if (property.Name.EndsWith("_token", StringComparison.Ordinal) && Content(property.Value) is { } content)
                tokens[property.Name] = content;
    }

    private static string? Content(JsonElement token) => token.ValueKind == JsonValueKind.String ? token.GetString()
        : token.ValueKind == JsonValueKind.Object && token.TryGetProperty("content", out var content) && content.ValueKind == JsonValueKind.String ? content.GetString() : null;

    private static JsonElement? ReadJson(string file)
    {
        if (!File.Exists(file))
            return null;
        using var document = StrictJson.ParseFile(file);
        return document.RootElement.ValueKind == JsonValueKind.Object ? document.RootElement.Clone() : throw new UserException($"{file}: expected a JSON object");
    }

    private static string ReadText(string file)
    {
        try
        {
            if (new FileInfo(file).Length > 4L * ChatLimits.Default.SourceLength)
                throw new UserException($"{file}: too large for a chat template");
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(File.ReadAllBytes(file));
        }
        catch (DecoderFallbackException e)
        {
            throw new UserException($"{file}: not valid UTF-8", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserException($"{file}: {(e is FileNotFoundException or DirectoryNotFoundException ? "no such file" : e.Message)}", e);
        }
    }
}

using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;
using Gradus.Models.Nn;

namespace Gradus.Models.Families;

/// <summary>
/// Hugging Face's <c>config.json</c> to options and back. The keys we know are checked as strictly as a recipe's; the many others
/// that the file may have are left alone, except those a family refuses because they would change the result.
/// </summary>
public static class ConfigFile
{
    /// <summary>The file's name in a model folder.</summary>
    public const string Name = "config.json";

    // Keys are the properties that can be set; what a family merely says about itself is none.
    internal static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { KeepWritable } },
    };

    /// <summary>Reads and checks a file.</summary>
    /// <exception cref="UserException">Not a configuration, an architecture we do not have, or numbers that no network can have.</exception>
    public static ModelOptions Read(string path)
    {
        using var document = StrictJson.ParseFile(path, maxBytes: 16 << 20);
        if (document.RootElement.ValueKind != JsonValueKind.Object) throw new UserException($"{path}: a model's configuration is a JSON object");
        var config = JsonObject.Create(document.RootElement)!;
        var type = FamilyOf(config, path);
        var plain = (ModelOptions)Activator.CreateInstance(type)!;
        try
        {
            plain.Adopt(config);
        }
        catch (UserException e)
        {
            throw new UserException($"{path}: {e.Message}", e);
        }
        if (config["eos_token_id"] is JsonValue one) config["eos_token_id"] = new JsonArray(one.DeepClone());
        if (config["eos_token_id"] is null) config.Remove("eos_token_id");
        // Bound by the recipe reader, whose rules of types, limits and cross-checks are the ones we want: a JSON object is YAML.
        var known = ((JsonObject)JsonSerializer.SerializeToNode(plain, type, Json)!).Select(pair => pair.Key).Where(key => key != "from").ToHashSet(StringComparer.Ordinal);
        var lines = config.Where(pair => known.Contains(pair.Key)).Select(pair => $"{pair.Key}: {pair.Value?.ToJsonString() ?? "null"}\n");
        try
        {
            var options = RecipeFile.Parse<ModelOptions>($"kind: {Components.KindOf(type)}\n{string.Concat(lines)}", path, []);
            return options.VocabSize is null ? throw new UserException($"{path}: vocab_size is missing") : options;
        }
        catch (RecipeException e)
        {
            throw new UserException($"{path}: {string.Join("; ", e.Problems.Select(problem => problem.Message))}", e); // line and column are those of our own text
        }
    }

    /// <summary>The configuration as Hugging Face libraries read it.</summary>
    /// <param name="options">The shape.</param>
    /// <param name="weightType">Name of the weights' type: <c>float32</c>.</param>
    /// <param name="head">What the output layer is for; null: to predict tokens.</param>
    public static string Write(ModelOptions options, string weightType, TaskHead? head = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        var config = new JsonObject
        {
            ["architectures"] = new JsonArray(options.ArchitectureWith(head)),
            ["model_type"] = Components.KindOf(options.GetType()),
            ["torch_dtype"] = weightType,
        };
        foreach (var (key, value) in (JsonObject)JsonSerializer.SerializeToNode(options, options.GetType(), Json)!) config[key] = value?.DeepClone();
        config.Remove("from");
        config["eos_token_id"] = options.EosTokenId.Count switch { 0 => null, 1 => options.EosTokenId[0], _ => config["eos_token_id"]!.DeepClone() };
        if (head is not null) HeadConfig.Write(head, config);
        return config.ToJsonString(new JsonSerializerOptions { WriteIndented = true, NewLine = "\n" }) + "\n";
    }

    /// <summary>What the output layer of the model is for, by the architecture's name; null: to predict tokens.</summary>
    /// <exception cref="UserException">Labels that are none.</exception>
    public static TaskHead? ReadHead(string path)
    {
        using var document = StrictJson.ParseFile(path, maxBytes: 16 << 20);
        return document.RootElement.ValueKind == JsonValueKind.Object ? HeadConfig.Read(JsonObject.Create(document.RootElement)!, path) : null;
    }

    /// <summary>For <see cref="ModelOptions.Adopt"/>: a setting that only has these values here.</summary>
    internal static void Only(JsonObject config, string key, params JsonNode[] supported)
    {
        if (config[key] is { } value && !supported.Any(one => JsonNode.DeepEquals(one, value)))
            throw new UserException($"{key}: {value.ToJsonString()} is not supported; only {string.Join(" or ", supported.Select(one => one.ToJsonString()))} is");
    }

    private static void KeepWritable(JsonTypeInfo type)
    {
        if (type.Kind != JsonTypeInfoKind.Object) return;
        for (var i = type.Properties.Count - 1; i >= 0; i--)
            if (type.Properties[i].Set is null)
                type.Properties.RemoveAt(i);
    }

    private static Type FamilyOf(JsonObject config, string path)
    {
        var families = Components.Of(typeof(ModelOptions));
        if (config["model_type"] is JsonValue kind && families.FirstOrDefault(family => family.Kind == kind.ToString()) is { } found) return found.Type;
        var architecture = (config["architectures"] as JsonArray)?.FirstOrDefault()?.ToString();
        if (config["model_type"] is null && architecture is not null && families.FirstOrDefault(family => ((ModelOptions)Activator.CreateInstance(family.Type)!).Architecture == architecture) is { } named) return named.Type;
        var said = config["model_type"]?.ToString() ?? architecture;
        throw new UserException($"{path}: {(said is null ? "neither model_type nor architectures says what the model is" : $"a model of type '{said}' is not supported")}; supported: {string.Join(", ", families.Select(family => family.Kind))}");
    }
}

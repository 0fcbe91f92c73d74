using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;

namespace Gradus.Models.Families;

/// <summary>Only training looks at this key: a recipe may set it for a pretrained model.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class TrainingOnlyAttribute : Attribute;

/// <summary>Brings a recipe's <c>model</c> section and the <c>config.json</c> of the folder it starts from together.</summary>
internal static class Pretrained
{
    /// <summary>The folder's options, with what the recipe sets for training. A key of the recipe that contradicts the folder is an error, as silence would train another model than was written.</summary>
    public static ModelOptions Merge(ModelOptions recipe, ModelOptions folder, string path)
    {
        var type = recipe.GetType();
        if (folder.GetType() != type)
            throw new UserException($"kind: {Components.KindOf(type)} in the recipe, but {path} holds a model of kind {Components.KindOf(folder.GetType())}");
        var (said, plain, held) = (Node(recipe), Node((ModelOptions)Activator.CreateInstance(type)!), Node(folder));
        foreach (var property in type.GetProperties().Where(p => p.SetMethod is { IsPublic: true }))
        {
            var key = JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name);
            // A key at its default was, as far as we can see, not written.
            if (key == "from" || JsonNode.DeepEquals(said[key], plain[key]) || JsonNode.DeepEquals(said[key], held[key])) continue;
            if (!property.IsDefined(typeof(TrainingOnlyAttribute)))
                throw new UserException($"{key}: {Text(said[key])} in the recipe, {Text(held[key])} in {Path.Combine(path, ConfigFile.Name)}; leave it out to take the folder's");
            held[key] = said[key]?.DeepClone();
        }
        return (ModelOptions)held.Deserialize(type, ConfigFile.Json)!;
    }

    private static JsonObject Node(ModelOptions options) => (JsonObject)JsonSerializer.SerializeToNode(options, options.GetType(), ConfigFile.Json)!;

    private static string Text(JsonNode? value) => value?.ToJsonString() ?? "null";
}

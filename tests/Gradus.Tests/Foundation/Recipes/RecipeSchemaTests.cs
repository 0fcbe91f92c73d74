using System.Text.Json;
using Gradus.Foundation.Recipes;

namespace Gradus.Tests.Foundation.Recipes;

public sealed class RecipeSchemaTests
{
    [Fact]
    public void A_schema_says_types_ranges_defaults_kinds_and_docs()
    {
        using var schema = JsonDocument.Parse(RecipeSchema.Export(typeof(SampleRecipe)));
        var root = schema.RootElement;
        Assert.Equal("https://json-schema.org/draft/2020-12/schema", root.GetProperty("$schema").GetString());
        Assert.Equal("#/$defs/SampleRecipe", root.GetProperty("$ref").GetString());
        var defs = root.GetProperty("$defs");
        Assert.Equal(["data"], Strings(defs.GetProperty("SampleRecipe").GetProperty("required")));
        Assert.False(defs.GetProperty("SampleRecipe").GetProperty("additionalProperties").GetBoolean());

        var kinds = defs.GetProperty("test-optimizers").GetProperty("oneOf").EnumerateArray().ToArray();
        Assert.Equal(["#/$defs/test-optimizers.adamw", "#/$defs/test-optimizers.sgd"], kinds.Select(k => k.GetProperty("$ref").GetString()));
        Assert.All(kinds, kind => Assert.Equal(["kind"], Strings(kind.GetProperty("required"))));
        var adamw = defs.GetProperty("test-optimizers.adamw").GetProperty("properties");
        Assert.Equal("adamw", adamw.GetProperty("kind").GetProperty("const").GetString());
        var rate = adamw.GetProperty("learning_rate");
        Assert.Equal((0, 10, 3e-4), (rate.GetProperty("exclusiveMinimum").GetDouble(), rate.GetProperty("maximum").GetDouble(), rate.GetProperty("default").GetDouble()));
        Assert.Equal("Step size of the SampleOptimizer, per update.", rate.GetProperty("description").GetString());

        var trainer = defs.GetProperty("SampleTrainer").GetProperty("properties");
        Assert.Equal("How many optimiser steps the run has.", trainer.GetProperty("steps").GetProperty("description").GetString());
        Assert.Equal((1, int.MaxValue), (trainer.GetProperty("steps").GetProperty("minimum").GetInt32(), trainer.GetProperty("steps").GetProperty("maximum").GetInt32()));
        Assert.Equal(ulong.MaxValue, trainer.GetProperty("tag").GetProperty("maximum").GetUInt64());
        Assert.Equal(["fp32", "bf16", "mixed-up"], Strings(trainer.GetProperty("precision").GetProperty("enum")));
        Assert.Equal("null", trainer.GetProperty("clip_norm").GetProperty("anyOf")[1].GetProperty("type").GetString());
        Assert.Equal("integer", defs.GetProperty("SampleData").GetProperty("properties").GetProperty("grid").GetProperty("items").GetProperty("items").GetProperty("type").GetString());
    }

    [Fact]
    public void Every_reference_leads_somewhere_and_two_exports_are_equal()
    {
        var text = RecipeSchema.Export(typeof(SampleRecipe));
        Assert.Equal(text, RecipeSchema.Export(typeof(SampleRecipe)));
        using var schema = JsonDocument.Parse(text);
        var references = new List<string>();
        Collect(schema.RootElement);
        Assert.NotEmpty(references);
        Assert.All(references, reference => Assert.True(schema.RootElement.GetProperty("$defs").TryGetProperty(reference["#/$defs/".Length..], out _), reference));

        void Collect(JsonElement element)
        {
            if (element.ValueKind == JsonValueKind.Object)
                foreach (var property in element.EnumerateObject())
                {
                    if (property.Name == "$ref")
                        references.Add(property.Value.GetString()!);
                    Collect(property.Value);
                }
            else if (element.ValueKind == JsonValueKind.Array)
                foreach (var item in element.EnumerateArray())
                    Collect(item);
        }
    }

    private static IEnumerable<string?> Strings(JsonElement array) => array.EnumerateArray().Select(item => item.GetString());
}

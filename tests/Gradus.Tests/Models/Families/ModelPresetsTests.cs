using System.Text.Json;
using Gradus.Engine.Tensors;
using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;
using Gradus.Models.Families;

namespace Gradus.Tests.Models.Families;

public class ModelPresetsTests
{
    public static TheoryData<string, long> Published
    {
        get
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(Repo.Fixture("parameter_counts.json")));
            return new TheoryData<string, long>(document.RootElement.EnumerateArray()
                .Select(row => new TheoryDataRow<string, long>(row.GetProperty("name").GetString()!, row.GetProperty("parameters").GetInt64())));
        }
    }

    [Row("E7", "E9", "E20"), Theory, MemberData(nameof(Published))]
    public void A_published_shape_has_exactly_its_parameters_and_takes_no_memory_to_count(string name, long parameters)
    {
        var before = GC.GetTotalAllocatedBytes();
        Assert.Equal(parameters, ModelPresets.Find(name).CountParameters());
        Assert.True(GC.GetTotalAllocatedBytes() - before < 4 << 20);
    }

    [Fact]
    public void Every_family_has_a_tiny_shape_and_every_shape_is_valid()
    {
        foreach (var family in Components.Of(typeof(ModelOptions)))
            Assert.True(TinyModels.Options(family.Kind).CountParameters() < 20_000, family.Kind);
        Assert.Equal(ModelPresets.All.Count, ModelPresets.All.Select(preset => preset.Name).Distinct().Count());
        Assert.All(ModelPresets.All, preset => Assert.Empty(preset.Options.Problems()));
    }

    [Fact]
    public void An_unknown_name_gets_the_nearest()
    {
        var e = Assert.Throws<UserException>(() => ModelPresets.Find("lama-2-7b"));
        Assert.Contains("did you mean 'llama-2-7b'?", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_that_memory_cannot_hold_is_refused_before_anything_is_allocated()
    {
        var before = Tensor.Live;
        var e = Assert.Throws<UserException>(() => ModelPresets.Find("llama-2-70b").BuildFresh(1));
        Assert.Contains("68,976,648,192 parameters needs 275.9 GB", e.Message, StringComparison.Ordinal);
        Assert.Equal(before, Tensor.Live);
    }

    [Fact]
    public void A_recipe_s_model_section_is_the_family_s_own_keys()
    {
        var options = RecipeFile.Parse<ModelOptions>("kind: gpt2\nn_embd: 32\nn_head: 4\nn_layer: 1\nn_positions: 16\nvocab_size: 40\n", "r.yaml", []);
        Assert.Equal(40 * 32 + 16 * 32 + (12 * 32 * 32 + 13 * 32) + 2 * 32, options.CountParameters());
        var e = Assert.Throws<RecipeException>(() => RecipeFile.Parse<ModelOptions>("kind: llama\nhidden_size: 30\nnum_attention_heads: 4\n", "r.yaml", []));
        Assert.Contains("r.yaml:2", e.Message, StringComparison.Ordinal);
        Assert.Contains("30 is not a multiple of num_attention_heads 4", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, 300, 300)]
    [InlineData(512, 300, 512)]
    public void The_vocabulary_is_the_tokenizer_s_unless_given(int? vocab, int tokens, int expected) =>
        Assert.Equal(expected, (TinyModels.Options("llama") with { VocabSize = vocab }).WithVocabulary(tokens).VocabSize);

    [Fact]
    public void A_vocabulary_smaller_than_the_tokenizer_s_is_refused_with_both_numbers()
    {
        var e = Assert.Throws<UserException>(() => (TinyModels.Options("llama") with { VocabSize = 299 }).WithVocabulary(300));
        Assert.Contains("299", e.Message, StringComparison.Ordinal);
        Assert.Contains("300", e.Message, StringComparison.Ordinal);
        var unset = Assert.Throws<UserException>(() => (TinyModels.Options("llama") with { VocabSize = null }).CountParameters());
        Assert.Contains("vocab_size", unset.Message, StringComparison.Ordinal);
    }
}

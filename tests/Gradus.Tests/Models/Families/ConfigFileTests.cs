using System.Text.Json.Nodes;
using Gradus.Engine.Tensors;
using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;
using Gradus.Models.Families;
using Gradus.Models.Families.Llama;

namespace Gradus.Tests.Models.Families;

[Row("I24")]
public class ConfigFileTests
{
    private const string Llama = """
        {"model_type": "llama", "vocab_size": 64, "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2,
         "num_attention_heads": 4, "num_key_value_heads": 2, "rope_theta": 10000.0, "rms_norm_eps": 1e-05, "eos_token_id": 2}
        """;

    [Theory]
    [InlineData("\"hidden_size\": 16", "\"hidden_size\": 18", "hidden_size: 18 is not a multiple of num_attention_heads 4")]
    [InlineData("\"num_key_value_heads\": 2", "\"num_key_value_heads\": 3", "num_key_value_heads: 3 does not divide num_attention_heads 4")]
    [InlineData("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1000000000", "num_hidden_layers: 1000000000 is out of range; it must be at least 1 and at most 4096")]
    [InlineData("\"num_hidden_layers\": 2", "\"num_hidden_layers\": -1", "num_hidden_layers: -1 is out of range")]
    [InlineData("\"hidden_size\": 16", "\"hidden_size\": 99999999999", "hidden_size: 99999999999 is out of range")]
    [InlineData("\"rope_theta\": 10000.0", "\"rope_theta\": 0", "rope_theta: 0 is out of range; it must be above 1")]
    [InlineData("\"rope_theta\": 10000.0", "\"rope_theta\": NaN", "config.json:")]
    [InlineData("\"rope_theta\": 10000.0", "\"rope_theta\": 1e999", "config.json:")]
    [InlineData("\"rms_norm_eps\": 1e-05", "\"rms_norm_eps\": 0", "rms_norm_eps: 0 is out of range; it must be above 0")]
    [InlineData("\"rms_norm_eps\": 1e-05", "\"rms_norm_eps\": \"1e-05\"", "rms_norm_eps: expected a number")]
    [InlineData("\"eos_token_id\": 2", "\"eos_token_id\": 64", "eos_token_id: token 64 is not in a vocabulary of 64")]
    [InlineData("\"vocab_size\": 64", "\"vocab_size\": 0", "vocab_size: 0 is out of range")]
    [InlineData("\"vocab_size\": 64, ", "", "vocab_size is missing")]
    [InlineData("\"model_type\": \"llama\"", "\"model_type\": \"falcon\"", "'falcon' is not supported; supported: bert, distilbert, gpt2, llama, roberta")]
    [InlineData("\"model_type\": \"llama\", ", "", "neither model_type nor architectures")]
    [InlineData("\"vocab_size\": 64", "\"vocab_size\": 64, \"hidden_act\": \"gelu\"", "hidden_act: \"gelu\" is not supported; only \"silu\" or \"swish\" is")]
    [InlineData("\"vocab_size\": 64", "\"vocab_size\": 64, \"rope_scaling\": {\"type\": \"yarn\", \"factor\": 4.0}", "rope_scaling.rope_type: 'yarn' is not supported")]
    [InlineData("\"vocab_size\": 64", "\"vocab_size\": 64, \"vocab_size\": 65", "duplicate key")]
    public void A_bad_configuration_is_one_line_that_names_the_key_and_the_values(string part, string replacement, string message)
    {
        using var folder = Repo.Temp();
        var json = Llama.Replace(part, replacement, StringComparison.Ordinal);
        Assert.NotEqual(Llama, json);
        File.WriteAllText(folder.File("config.json"), json);
        var live = Tensor.Live;
        var e = Assert.Throws<UserException>(() => ModelFolder.Load(folder.Path));
        Assert.StartsWith(folder.Path, e.Message, StringComparison.Ordinal);
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
        Assert.Equal(live, Tensor.Live);
    }

    [Theory]
    [InlineData("scale_attn_by_inverse_layer_idx", "true")]
    [InlineData("scale_attn_weights", "false")]
    [InlineData("add_cross_attention", "true")]
    public void A_setting_that_would_change_the_result_is_refused(string key, string value)
    {
        using var folder = Repo.Temp();
        File.WriteAllText(folder.File("config.json"), $$"""{"model_type": "gpt2", "vocab_size": 10, "{{key}}": {{value}}}""");
        Assert.Contains($"{key}: {value} is not supported", Assert.Throws<UserException>(() => ModelFolder.ReadOptions(folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Old_and_new_spellings_of_the_rotary_settings_are_one()
    {
        var classic = Read("""{"model_type": "llama", "vocab_size": 9, "rope_theta": 500000.0, "rope_scaling": {"type": "llama3", "factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}}""");
        var present = Read("""{"model_type": "llama", "vocab_size": 9, "rope_parameters": {"rope_theta": 500000.0, "rope_type": "llama3", "factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}}""");
        Assert.Equal(RecipeFile.Write<ModelOptions>(classic), RecipeFile.Write<ModelOptions>(present));
        Assert.Equal(32, classic.RopeScaling!.Factor);
        Assert.Null(Read("""{"model_type": "llama", "vocab_size": 9, "rope_parameters": {"rope_theta": 10000.0, "rope_type": "default"}}""").RopeScaling);
        Assert.Equal([128001, 128008], Read("""{"architectures": ["LlamaForCausalLM"], "vocab_size": 128256, "eos_token_id": [128001, 128008]}""").EosTokenId);
    }

    [Fact]
    public void Every_preset_goes_through_a_file_unchanged()
    {
        using var folder = Repo.Temp();
        foreach (var preset in ModelPresets.All)
        {
            File.WriteAllText(folder.File("config.json"), ConfigFile.Write(preset.Options, "float32"));
            Assert.Equal(RecipeFile.Write<ModelOptions>(preset.Options), RecipeFile.Write(ModelFolder.ReadOptions(folder.Path)));
        }
    }

    [Fact]
    public void The_file_says_what_Transformers_needs_and_nothing_of_recipes()
    {
        var config = (JsonObject)JsonNode.Parse(ConfigFile.Write(ModelPresets.Find("gpt2") with { From = "x" }, "bfloat16"))!;
        Assert.Equal("gpt2", config["model_type"]!.ToString());
        Assert.Equal("GPT2LMHeadModel", config["architectures"]![0]!.ToString());
        Assert.Equal(50256, config["eos_token_id"]!.GetValue<int>());
        Assert.Equal(768, config["n_embd"]!.GetValue<int>());
        Assert.Equal("gelu_new", config["activation_function"]!.ToString());
        Assert.False(config.ContainsKey("from") || config.ContainsKey("kind") || config.ContainsKey("presets"));
    }

    private static LlamaOptions Read(string json)
    {
        using var folder = Repo.Temp();
        File.WriteAllText(folder.File("config.json"), json);
        return (LlamaOptions)ModelFolder.ReadOptions(folder.Path);
    }
}

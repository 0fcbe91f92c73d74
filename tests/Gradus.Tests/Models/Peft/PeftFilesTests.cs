using System.Text.Json;
using System.Text.Json.Nodes;
using Gradus.Engine.Files;
using Gradus.Engine.Tensors;
using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;
using Gradus.Models.Families;
using Gradus.Models.Nn;
using Gradus.Models.Peft;

namespace Gradus.Tests.Models.Peft;

/// <summary>Hugging Face PEFT's files: the same names, shapes and keys, and one clear line for what cannot be read.</summary>
public sealed class PeftFilesTests : IDisposable
{
    private readonly TempFolder _folder = Repo.Temp();

    public void Dispose() => _folder.Dispose();

    [Row("I13", "I14"), Theory, InlineData(0), InlineData(1), InlineData(2), InlineData(3), InlineData(4)]
    public void Names_shapes_and_keys_are_those_that_peft_writes(int index)
    {
        var known = JsonNode.Parse(File.ReadAllText(Repo.Fixture("peft/names.json")))!["cases"]![index]!;
        var options = RecipeFile.Parse<AdapterOptions>((string)known["adapter"]!, "fixture", []);
        using (var model = new AdaptedModel(ModelPresets.Find((string)known["model"]!).BuildFresh(1)))
            AdapterFolder.Save(model.Train(options, seed: 1), _folder.Path, "base");
        var tensors = AdapterFolder.Tensors(_folder.Path);
        var expected = known["tensors"]!.AsObject().ToDictionary(t => t.Key, t => t.Value.Deserialize<long[]>()!, StringComparer.Ordinal);
        Assert.Equal(expected.Keys.Order(StringComparer.Ordinal), tensors.Keys.Order(StringComparer.Ordinal));
        Assert.All(expected, t => Assert.Equal(t.Value, tensors[t.Key]));
        var config = JsonNode.Parse(File.ReadAllText(_folder.File("adapter_config.json")))!.AsObject();
        Assert.Equal(known["config_keys"]!.AsArray().Select(k => (string)k!).Order(StringComparer.Ordinal), config.Select(p => p.Key).Order(StringComparer.Ordinal));
        foreach (var (key, value) in known["config"]!.AsObject())
            Assert.True(JsonNode.DeepEquals(value, config[key]), $"{key}: {config[key]?.ToJsonString()} instead of {value?.ToJsonString()}");
        Assert.Equal("base", (string?)config["base_model_name_or_path"]);
    }

    [Row("I13"), Fact]
    public void The_least_that_peft_asks_for_is_read_with_its_defaults()
    {
        // Rank 8 and alpha 8 where nothing is said; what is trained is told by the tensors.
        using var model = Lora();
        File.WriteAllText(_folder.File("adapter_config.json"), """{ "target_modules": ["whatever"], "peft_type": "LORA" }""");
        var options = Assert.IsType<LoraOptions>(AdapterFolder.ReadOptions(_folder.Path));
        Assert.Equal((8, 8.0, 0.0), (options.Rank, options.Alpha, options.Dropout));
        Assert.Equal(["model.layers.0.self_attn.q_proj", "model.layers.0.self_attn.v_proj", "model.layers.1.self_attn.q_proj", "model.layers.1.self_attn.v_proj"], options.Targets);
        Assert.All(options.Targets, path => Assert.Equal(4, options.RankPattern[path])); // the tensors' own
        using var other = new AdaptedModel(TinyAdapters.Base("llama"));
        AdapterFolder.Load(other, _folder.Path);
    }

    [Row("I12", "I15"), Fact]
    public void What_peft_checks_and_how_the_base_was_held_are_in_the_files()
    {
        // PEFT refuses feedforward_modules that are not among target_modules: by their last names, GPT-2's c_proj is of two kinds.
        using (var gpt2 = new AdaptedModel(TinyAdapters.Base("gpt2")))
            AdapterFolder.Save(gpt2.Train(new Ia3Options { Targets = [TargetModules.AllLinear] }, seed: 1), _folder.Path, null);
        var config = JsonNode.Parse(File.ReadAllText(_folder.File("adapter_config.json")))!;
        Assert.Subset(config["target_modules"]!.AsArray().Select(n => (string)n!).ToHashSet(), config["feedforward_modules"]!.AsArray().Select(n => (string)n!).ToHashSet());
        using (var llama = TinyAdapters.Build("lora", "nf4", "llama"))
            AdapterFolder.Save(llama.Train(new LoraOptions { Rank = 2, Base = new Nf4Options { DoubleQuant = false } }, seed: 1, "q"), _folder.Path, null);
        Assert.Equal(new Nf4Options { DoubleQuant = false }, AdapterFolder.ReadOptions(_folder.Path).Base);
        using (var bert = new AdaptedModel(TinyAdapters.Base("bert")))
            AdapterFolder.Save(bert.Train(new LoraOptions { Rank = 2 }, seed: 1), _folder.Path, null);
        Assert.Null(JsonNode.Parse(File.ReadAllText(_folder.File("adapter_config.json")))!["task_type"]);
    }

    public static TheoryData<string, string> Bad => new()
    {
        { """{ "peft_type": "LOAR" }""", "peft_type 'LOAR' is not supported; did you mean 'LORA'?" },
        { """{ "r": 4 }""", "peft_type is missing" },
        { """{ "peft_type": "LORA", "r": 0 }""", "r: 0 is out of range; it must be 1 to 65536" },
        { """{ "peft_type": "LORA", "r": "four" }""", "r: \"four\" is not a whole number" },
        { """{ "peft_type": "LORA", "lora_alpha": -1 }""", "lora_alpha: -1 is out of range" },
        { """{ "peft_type": "LORA", "bias": "all" }""", "bias: \"all\" is not supported; only \"none\" is" },
        { """{ "peft_type": "LORA", "layer_replication": [[0, 4]] }""", "layer_replication: [[0,4]] is not supported; leave it out" },
        { """{ "peft_type": "LORA", "alpha_pattern": { "(a+)+$": 3 } }""", "alpha_pattern: '(a+)+$' is a regular expression; write the modules out by name" },
        { """{ "peft_type": "LORA", "modules_to_save": "lm_head" }""", "modules_to_save: \"lm_head\" is not a list of names" },
        { """{ "peft_type": "IA3" }""", "no tensor of adapter_model.safetensors belongs to IA3: the two files are not of one adapter" },
        { """{ "peft_type": "PREFIX_TUNING", "num_virtual_tokens": 3 }""", "missing: prompt_embeddings [3, 32]" },
        { """{ "peft_type": "LORA", "init_lora_weights": "pissa_niter_4" }""", "init_lora_weights 'pissa_niter_4' changes the base weights" },
        { """{ "peft_type": "LORA", "r": 2 }""", "r is 2, but adapter_model.safetensors has rank 4 at model.layers.0.self_attn.q_proj, and there is no rank_pattern" },
        { "[]", "an adapter's configuration is a JSON object" },
        { """{ "peft_type": "LORA", """, "adapter_config.json" },
    };

    [Row("I13"), Theory, MemberData(nameof(Bad))]
    public void A_bad_configuration_is_one_line_that_says_what(string config, string message)
    {
        using var model = Lora();
        File.WriteAllText(_folder.File("adapter_config.json"), config);
        AssertRefused(message);
    }

    [Row("I13"), Fact]
    public void Bad_weights_are_one_line_that_says_what()
    {
        using (var model = Lora())
        {
        }
        // Another family, another size.
        Assert.Contains("does not fit this model", Refused("gpt2"), StringComparison.Ordinal);
        var missing = Repo.Temp();
        using (missing)
        {
            File.Copy(_folder.File("adapter_config.json"), missing.File("adapter_config.json"));
            File.WriteAllBytes(missing.File("adapter_model.bin"), [0x80, 2]);
            using var model = new AdaptedModel(TinyAdapters.Base("llama"));
            Assert.Contains("a pickle, which can run code", Assert.Throws<UserException>(() => AdapterFolder.Load(model, missing.Path)).Message, StringComparison.Ordinal);
            File.Delete(missing.File("adapter_model.bin"));
            Assert.Contains("no such file", Assert.Throws<UserException>(() => AdapterFolder.Load(model, missing.Path)).Message, StringComparison.Ordinal);
        }
        var (path, whole) = (_folder.File("adapter_model.safetensors"), File.ReadAllBytes(_folder.File("adapter_model.safetensors")));
        File.WriteAllBytes(path, whole[..^4]);
        AssertRefused("adapter_model.safetensors");
        // A without its B; a matrix of another rank; a tensor of nobody's.
        const string q = "base_model.model.model.layers.0.self_attn.q_proj.lora_";
        foreach (var (change, message) in new (Action<Dictionary<string, TensorContent>>, string)[]
        {
            (t => t.Remove(q + "B.weight"), $"missing: {q}B.weight [16, 4]"),
            (t => t[q + "B.weight"] = new(q + "B.weight", DType.Float32, [16, 3], new byte[16 * 3 * 4]), $"{q}B.weight is [16, 3] in the file and [16, 4] in the model"),
            (t => t["stranger"] = new("stranger", DType.Float32, [1], new byte[4]), "not in the model: stranger [1]"),
        })
        {
            File.WriteAllBytes(path, whole);
            Dictionary<string, TensorContent> tensors;
            using (var file = SafetensorsFile.Open(path))
                tensors = file.Entries.ToDictionary(e => e.Key, e => new TensorContent(e.Key, e.Value.DType, e.Value.Shape, Bytes(file, e.Key)), StringComparer.Ordinal);
            change(tensors);
            SafetensorsWriter.Write(path, tensors.Values);
            AssertRefused(message);
        }
    }

    public static TheoryData<string, string> BadOptions => new()
    {
        { "{ kind: lora, rank: 0 }", "must be at least 1" },
        { "{ kind: lora, alpha: .nan }", "alpha" },
        { "{ kind: loar }", "did you mean 'lora'?" },
        { "{ kind: lora, targets: [q_porj] }", "adapter.targets: 'q_porj' is no linear of the model; did you mean 'q_proj'?" },
        { "{ kind: lora, targets: ['*.nothing.*'] }", "adapter.targets: '*.nothing.*' is no linear of the model" },
        { "{ kind: lora, rank: 9, targets: [k_proj] }", "adapter.rank: 9 is more than model.layers.0.self_attn.k_proj has room for; at most 8" },
        { "{ kind: lora, rank_pattern: { q_proj: 0 } }", "'q_proj': 0 is no rank" },
        { "{ kind: lora, rank_pattern: { q_porj: 2 } }", "adapter.rank_pattern: 'q_porj' is none of the targets; did you mean 'q_proj'?" },
        { "{ kind: lora, targets: [q_proj], alpha_pattern: { up_proj: 2 } }", "adapter.alpha_pattern: 'up_proj' is none of the targets" },
        { "{ kind: ia3, feedforward: [donw_proj] }", "adapter.feedforward: 'donw_proj' is none of the targets; did you mean 'down_proj'?" },
        { "{ kind: lora, targets: [q_proj], modules_to_save: [q_proj] }", "adapter.modules_to_save: model.layers.0.self_attn.q_proj is one of the targets as well" },
        { "{ kind: lora, modules_to_save: [lm_haed] }", "adapter.modules_to_save: 'lm_haed' is no module of the model that has dense parameters; did you mean 'lm_head'?" },
        { "{ kind: lora, base: { kind: nf5 } }", "did you mean 'nf4'?" },
        { "{ kind: prefix, length: 24 }", "adapter.length: 24 leaves no room for text; the model has 24 positions" },
        { "{ kind: prompt, length: 99 }", "leaves no room for text" },
        { "{ kind: bottleneck, activation: rleu }", "did you mean 'relu'?" },
        { "{ kind: bitfit }", "this model has none" },
    };

    [Row("I13"), Theory, MemberData(nameof(BadOptions))]
    public void A_bad_section_is_one_line_with_the_nearest_choice(string section, string message)
    {
        var error = Assert.ThrowsAny<UserException>(() =>
        {
            using var model = new AdaptedModel(TinyAdapters.Base("llama"));
            model.Train(RecipeFile.Parse<AdapterOptions>(section, "recipe.yaml", []), seed: 1);
        });
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Row("I13"), Fact]
    public void A_tied_head_cannot_be_saved_apart_from_its_table()
    {
        using var model = new AdaptedModel(TinyAdapters.Base("gpt2"));
        var error = Assert.Throws<UserException>(() => model.Train(new LoraOptions { Rank = 2, ModulesToSave = ["lm_head"] }, seed: 1));
        Assert.Contains("'lm_head' reads transformer.wte.weight: name 'transformer.wte' to train both", error.Message, StringComparison.Ordinal);
    }

    private static byte[] Bytes(SafetensorsFile file, string name)
    {
        var bytes = new byte[file.Entry(name).ByteCount];
        file.Read(name, bytes);
        return bytes;
    }

    private AdaptedModel Lora()
    {
        var model = new AdaptedModel(TinyAdapters.Base("llama"));
        AdapterFolder.Save(model.Train(new LoraOptions { Rank = 4, Targets = ["q_proj", "v_proj"] }, seed: 1), _folder.Path, null);
        return model;
    }

    private void AssertRefused(string message)
    {
        var said = Refused("llama");
        Assert.Contains(message, said, StringComparison.Ordinal);
        Assert.StartsWith(_folder.Path, said, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', said);
    }

    private string Refused(string family)
    {
        using var model = new AdaptedModel(TinyAdapters.Base(family));
        var error = Assert.Throws<UserException>(() => AdapterFolder.Load(model, _folder.Path));
        Assert.Empty(model.Adapters);
        return error.Message;
    }
}

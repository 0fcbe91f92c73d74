using System.Text.Json.Nodes;
using Gradus.Engine.Files;
using Gradus.Engine.Tensors;
using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;
using Gradus.Models.Families;
using Gradus.Models.Nn;

namespace Gradus.Tests.Models.Families;

[Row("I24")]
public class ModelFolderTests
{
    public static TheoryData<string> Kinds => TinyModels.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public void Saved_and_loaded_is_the_same_model_bit_for_bit(string kind)
    {
        using var folder = Repo.Temp();
        using var model = TinyModels.Build(kind);
        var options = TinyModels.Options(kind) with { BosTokenId = 1, EosTokenId = [2, 7] };
        ModelFolder.Save(model, options, folder.Path);
        var (read, loaded) = ModelFolder.Load(folder.Path);
        using (loaded)
        {
            AssertSame(model, loaded);
            Assert.Equal(RecipeFile.Write<ModelOptions>(options), RecipeFile.Write(read));
        }
    }

    [Theory, MemberData(nameof(Kinds))]
    public void Shards_hold_the_same_model(string kind)
    {
        using var folder = Repo.Temp();
        using var model = TinyModels.Build(kind);
        ModelFolder.Save(model, TinyModels.Options(kind), folder.Path, maxShardBytes: 6000);
        Assert.True(Directory.GetFiles(folder.Path, "model-*.safetensors").Length > 1);
        Assert.True(File.Exists(folder.File(WeightFolder.IndexName)));
        var (_, loaded) = ModelFolder.Load(folder.Path);
        using (loaded) AssertSame(model, loaded);
    }

    [Theory]
    [InlineData(DType.BFloat16), InlineData(DType.Float16), InlineData(DType.Float64)]
    public void Weights_of_another_type_are_rounded_in_the_file_and_widened_into_float32_masters(DType type)
    {
        using var folder = Repo.Temp();
        using var model = TinyModels.Build("llama");
        ModelFolder.Save(model, TinyModels.Options("llama"), folder.Path, type);
        using (var file = WeightFolder.Open(folder.Path)) Assert.All(file.Entries.Values, entry => Assert.Equal(type, entry.DType));
        Assert.Equal(type.Name, JsonNode.Parse(File.ReadAllText(folder.File("config.json")))!["torch_dtype"]!.ToString());
        var (_, loaded) = ModelFolder.Load(folder.Path);
        using (loaded)
            foreach (var (a, b) in model.Parameters.Zip(loaded.Parameters))
            {
                using var scope = Tensor.Scope();
                Assert.Equal(DType.Float32, b.Value.DType);
                Assert.Equal(a.Value.To(type).ToArray<float>(), b.Value.ToArray<float>());
            }
    }

    [Fact]
    public void Saving_twice_gives_the_same_bytes_and_leaves_other_files_alone()
    {
        using TempFolder a = Repo.Temp(), b = Repo.Temp();
        using var model = TinyModels.Build("gpt2");
        File.WriteAllText(b.File("tokenizer.json"), "{}");
        ModelFolder.Save(model, TinyModels.Options("gpt2"), b.Path, maxShardBytes: 6000);
        foreach (var folder in new[] { a, b }) ModelFolder.Save(model, TinyModels.Options("gpt2"), folder.Path);
        Assert.Equal(["config.json", "model.safetensors", "tokenizer.json"], Directory.GetFiles(b.Path).Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal));
        foreach (var name in new[] { "config.json", "model.safetensors" }) Assert.Equal(File.ReadAllBytes(a.File(name)), File.ReadAllBytes(b.File(name)));
    }

    [Fact]
    public void Names_without_the_prefix_masks_and_a_tied_copy_of_the_head_are_understood()
    {
        using var folder = Repo.Temp();
        using var model = TinyModels.Build("gpt2");
        ModelFolder.Save(model, TinyModels.Options("gpt2"), folder.Path);
        var mask = new TensorContent("h.0.attn.bias", DType.Bool, [1, 1, 2, 2], new byte[4]);
        Write(folder.Path, [.. model.Parameters.Select(p => Content(p.Name["transformer.".Length..], p)), mask, Content("lm_head.weight", model.Parameters[0])]);
        var (_, loaded) = ModelFolder.Load(folder.Path);
        using (loaded) AssertSame(model, loaded);

        Write(folder.Path, [.. model.Parameters.Select(p => Content(p.Name, p)), new TensorContent("lm_head.weight", DType.Float32, model.Parameters[0].Value.Shape, new byte[model.Parameters[0].Value.Elements * 4])]);
        var e = Assert.Throws<UserException>(() => ModelFolder.Load(folder.Path));
        Assert.Contains("lm_head.weight differs from transformer.wte.weight", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_missing_too_much_or_misshapen_is_said_in_one_line_with_both_shapes()
    {
        using var folder = Repo.Temp();
        using var model = TinyModels.Build("llama");
        ModelFolder.Save(model, TinyModels.Options("llama") with { VocabSize = 62 }, folder.Path);
        var contents = model.Parameters.Where(p => p.Name != "model.norm.weight").Select(p => Content(p.Name, p))
            .Append(new TensorContent("score.weight", DType.Float32, [2, 16], new byte[128]));
        Write(folder.Path, [.. contents]);
        var live = Tensor.Live;
        var e = Assert.Throws<UserException>(() => ModelFolder.Load(folder.Path));
        Assert.DoesNotContain('\n', e.Message);
        foreach (var part in new[]
        {
            folder.Path, "model.embed_tokens.weight is [61, 16] in the file and [62, 16] in the model", "lm_head.weight is [61, 16] in the file",
            "missing: model.norm.weight [16]", "not in the model: score.weight [2, 16]",
        })
            Assert.Contains(part, e.Message, StringComparison.Ordinal);
        Assert.Equal(live, Tensor.Live);
    }

    [Fact]
    public void A_folder_that_is_none_is_said_so()
    {
        using var folder = Repo.Temp();
        Assert.Contains("no such folder", Assert.Throws<UserException>(() => ModelFolder.Load(folder.File("absent"))).Message, StringComparison.Ordinal);
        Assert.Contains("config.json: no such file", Assert.Throws<UserException>(() => ModelFolder.Load(folder.Path)).Message, StringComparison.Ordinal);
        File.WriteAllText(folder.File("x.safetensors"), "");
        Assert.Contains("name the folder", Assert.Throws<UserException>(() => ModelFolder.Load(folder.File("x.safetensors"))).Message, StringComparison.Ordinal);
        using var model = TinyModels.Build("gpt2");
        ModelFolder.Save(model, TinyModels.Options("gpt2"), folder.Path);
        File.Delete(folder.File("model.safetensors"));
        Assert.Throws<UserException>(() => ModelFolder.Load(folder.Path));
    }

    [Fact]
    public void A_recipe_starts_from_a_folder_and_may_change_dropout_but_not_the_shape()
    {
        using var folder = Repo.Temp();
        using var model = TinyModels.Build("gpt2");
        ModelFolder.Save(model, TinyModels.Options("gpt2"), folder.Path);
        var (options, started) = Recipe($"kind: gpt2\nfrom: {folder.Path}\nresid_pdrop: 0.3\n").Start(seed: 5);
        using (started)
        {
            AssertSame(model, started);
            Assert.Equal(0.3, ((Gradus.Models.Families.Gpt2.Gpt2Options)options).ResidPdrop);
            Assert.Null(options.From);
        }
        var shape = Assert.Throws<UserException>(() => Recipe($"kind: gpt2\nfrom: {folder.Path}\nn_layer: 3\n").Start(seed: 5));
        Assert.StartsWith("n_layer: 3 in the recipe, 2 in ", shape.Message, StringComparison.Ordinal);
        var kind = Assert.Throws<UserException>(() => Recipe($"kind: llama\nfrom: {folder.Path}\n").Start(seed: 5));
        Assert.Contains("kind: llama in the recipe", kind.Message, StringComparison.Ordinal);

        static ModelOptions Recipe(string yaml) => RecipeFile.Parse<ModelOptions>(yaml, "r.yaml", []);
    }

    private static void AssertSame(ILanguageModel a, ILanguageModel b)
    {
        Assert.Equal(a.Parameters.Select(p => p.Name), b.Parameters.Select(p => p.Name));
        foreach (var (x, y) in a.Parameters.Zip(b.Parameters)) Assert.Equal(x.Value.ToArray<float>(), y.Value.ToArray<float>());
        using var scope = Tensor.Scope();
        var ids = TinyModels.Ids(2, 9, a.VocabSize);
        Assert.Equal(a.Logits(ids, new Step()).ToArray<float>(), b.Logits(ids, new Step()).ToArray<float>());
    }

    private static TensorContent Content(string name, Parameter p) =>
        new(name, DType.Float32, p.Value.Shape, System.Runtime.InteropServices.MemoryMarshal.AsBytes(p.Value.Span<float>()).ToArray());

    private static void Write(string folder, TensorContent[] contents) => WeightFolder.Write(folder, contents);
}

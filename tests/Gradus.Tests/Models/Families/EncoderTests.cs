using System.Text.Json;
using Gradus.Engine.Files;
using Gradus.Engine.Tensors;
using Gradus.Foundation.Files;
using Gradus.Models.Families;
using Gradus.Models.Nn;

namespace Gradus.Tests.Models.Families;

[Row("E10")]
public class EncoderTests
{
    private static readonly TaskHead s_two = new(TaskHead.SequenceClassification, ["no", "yes"]);

    [Theory]
    [InlineData("bert-base", 109_482_240, 109_514_298)]
    [InlineData("bert-base-cased", 108_310_272, 108_340_804)]
    [InlineData("bert-large", 335_141_888, 335_174_458)]
    [InlineData("roberta-base", 124_645_632, 124_697_433)]
    [InlineData("distilbert-base", 66_362_880, 66_985_530)]
    public void A_published_shape_has_exactly_its_parameters(string name, long body, long maskedLm)
    {
        var options = ModelPresets.Find(name);
        Assert.Equal(maskedLm, options.CountParameters());
        using var scope = Tensor.Scope();
        using var model = options.Build(Weights.Shapes(), s_two);
        // Hugging Face's BertModel and RobertaModel count a pooler: the dense layer before the classifier. DistilBERT has none.
        var classifier = model.Parameters.Where(p => p.Name is "classifier.weight" or "classifier.bias" or "classifier.out_proj.weight" or "classifier.out_proj.bias").Sum(p => p.Value.Elements);
        var before = model.Parameters.Where(p => p.Name.StartsWith("pre_classifier", StringComparison.Ordinal)).Sum(p => p.Value.Elements);
        Assert.Equal(body, model.ParameterCount - classifier - before);
    }

    [Fact]
    public void The_real_xsmall_checkpoint_gives_the_states_of_PyTorch()
    {
        using var scope = Tensor.Scope();
        var source = Repo.SharedData("ckpt-bert-xsmall-dummy");
        using var folder = Converted(source, damage: null);
        using var model = ModelFolder.LoadAs(folder.Path, ModelFolder.ReadOptions(folder.Path), DType.Float32, Device.Cpu, s_two, freshHead: 1);
        using var expected = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(source, "expected_forward.json")));
        Tensor Ids(string name) => Tensor.From(Flat(expected.RootElement.GetProperty(name)).Select(v => (long)v).ToArray(), 2, 9);
        var step = new Step { Types = Ids("token_type_ids"), Documents = Ids("attention_mask").Equal(0).To(DType.Int64), Positions = Tensor.Arange(9).Unsqueeze(0).Expand(2, 9).Contiguous() };
        var hidden = model.Hidden(Ids("input_ids"), step);
        var used = Ids("attention_mask").To(DType.Float32).Unsqueeze(2);
        var states = Tensor.From(Flat(expected.RootElement.GetProperty("last_hidden_state")).Select(v => (float)v).ToArray(), 2, 9, 20);
        ModelContractTests.AssertNear(states * used, hidden * used, 1e-5);
        // The pooler of the file is kept although the output layer is new.
        var pooled = model.BeforeHead(hidden.Select(1, 0), new Step());
        ModelContractTests.AssertNear(Tensor.From(Flat(expected.RootElement.GetProperty("pooler_output")).Select(v => (float)v).ToArray(), 2, 20), pooled, 1e-5);

        using var damaged = Converted(source, damage: "encoder.layer.0.attention.self.value.weight");
        using var other = ModelFolder.LoadAs(damaged.Path, ModelFolder.ReadOptions(damaged.Path), DType.Float32, Device.Cpu, s_two, freshHead: 1);
        Assert.True(ModelContractTests.Distance(states * used, other.Hidden(Ids("input_ids"), step) * used) > 1e-4);
    }

    [Fact]
    public void Its_pickle_is_refused_with_advice()
    {
        using var folder = Repo.Temp();
        foreach (var file in new[] { "config.json", "pytorch_model.bin" }) File.Copy(Path.Combine(Repo.SharedData("ckpt-bert-xsmall-dummy"), file), folder.File(file));
        var e = Assert.Throws<UserException>(() => ModelFolder.Load(folder.Path));
        Assert.Contains("pytorch_model.bin", e.Message, StringComparison.Ordinal);
        Assert.Contains("safetensors", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    [Fact]
    public void TensorFlow_s_names_of_norms_and_what_pre_training_leaves_behind_are_understood()
    {
        using var folder = Repo.Temp();
        using var model = TinyModels.Build("bert");
        ModelFolder.Save(model, TinyModels.Options("bert"), folder.Path);
        List<TensorContent> tensors = [Zeros("cls.seq_relationship.weight", 2, 16), Zeros("cls.seq_relationship.bias", 2), Zeros("bert.pooler.dense.weight", 16, 16), Zeros("bert.pooler.dense.bias", 16), Zeros("cls.predictions.decoder.bias", 61)];
        using (var file = WeightFolder.Open(folder.Path))
        {
            foreach (var entry in file.Entries.Values)
            {
                var bytes = new byte[entry.ByteCount];
                file.Read(entry.Name, bytes);
                var name = entry.Name.Replace("LayerNorm.weight", "LayerNorm.gamma", StringComparison.Ordinal).Replace("LayerNorm.bias", "LayerNorm.beta", StringComparison.Ordinal);
                tensors.Add(new TensorContent(name, entry.DType, entry.Shape, bytes));
            }
        }
        WeightFolder.Write(folder.Path, tensors);
        var (_, loaded) = ModelFolder.Load(folder.Path);
        using (loaded)
            foreach (var (a, b) in model.Parameters.Zip(loaded.Parameters)) Assert.Equal(a.Value.ToArray<float>(), b.Value.ToArray<float>());

        static TensorContent Zeros(string name, params long[] shape) => new(name, DType.Float32, shape, new byte[4 * shape.Aggregate(1L, (a, b) => a * b)]);
    }

    /// <summary>The checkpoint's bytes as a folder with safetensors; one value of one tensor spoiled if asked for.</summary>
    private static TempFolder Converted(string source, string? damage)
    {
        var folder = Repo.Temp();
        var bytes = File.ReadAllBytes(Path.Combine(source, "pytorch_model.bin"));
        using var layout = JsonDocument.Parse(File.ReadAllBytes(Repo.Fixture("bert_xsmall/layout.json")));
        Assert.Equal(layout.RootElement.GetProperty("bytes").GetInt32(), bytes.Length);
        var tensors = layout.RootElement.GetProperty("tensors").EnumerateObject().Select(tensor =>
        {
            long[] shape = [.. tensor.Value.GetProperty("shape").EnumerateArray().Select(v => v.GetInt64())];
            var data = bytes.AsSpan(tensor.Value.GetProperty("offset").GetInt32(), (int)(4 * shape.Aggregate(1L, (a, b) => a * b))).ToArray();
            if (tensor.Name == damage) BitConverter.TryWriteBytes(data, 1f);
            return new TensorContent(tensor.Name, DType.Float32, shape, data);
        });
        WeightFolder.Write(folder.Path, tensors);
        File.Copy(Path.Combine(source, "config.json"), folder.File("config.json"));
        return folder;
    }

    private static IEnumerable<double> Flat(JsonElement value) => value.ValueKind == JsonValueKind.Array ? value.EnumerateArray().SelectMany(Flat) : [value.GetDouble()];
}

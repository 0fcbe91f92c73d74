using System.Text.Json.Nodes;
using Gradus.Engine.Tensors;
using Gradus.Foundation.Files;
using Gradus.Models.Families;
using Gradus.Models.Nn;

namespace Gradus.Tests.Models.Families;

/// <summary>Other output layers, over every family.</summary>
[Row("I2")]
public class TaskHeadTests
{
    private static readonly TaskHead[] s_heads =
    [
        new(TaskHead.SequenceClassification, ["bad", "good", "odd"]), new(TaskHead.SequenceClassification, ["number"]) { Regression = true },
        new(TaskHead.TokenClassification, ["B-PER", "I-PER", "O"]), new(TaskHead.QuestionAnswering, []), new(TaskHead.SequenceClassification, ["a", "b"]) { MeanPooling = true },
    ];

    public static TheoryData<string, int> All => [.. TinyModels.Kinds.SelectMany(kind => Enumerable.Range(0, s_heads.Length).Select(head => new TheoryDataRow<string, int>(kind.Data, head)))];

    [Theory, MemberData(nameof(All))]
    public void A_model_with_another_head_is_saved_and_loaded_with_its_labels_bit_for_bit(string kind, int which)
    {
        using var scope = Tensor.Scope();
        using var folder = Repo.Temp();
        var head = s_heads[which];
        using var model = TinyModels.Options(kind).BuildFresh(3, head: head);
        Assert.Equal(head.Outputs, model.Head.Weight.Out);
        ModelFolder.Save(model, TinyModels.Options(kind), folder.Path);
        Assert.EndsWith("For" + head.Kind, JsonNode.Parse(File.ReadAllText(folder.File("config.json")))!["architectures"]![0]!.ToString(), StringComparison.Ordinal);
        var (_, loaded) = ModelFolder.Load(folder.Path);
        using var owned = loaded;
        Assert.True(TaskHead.Same(head, loaded.Task));
        foreach (var (a, b) in model.Parameters.Zip(loaded.Parameters)) Assert.Equal(a.Value.ToArray<float>(), b.Value.ToArray<float>());
        var ids = TinyModels.Ids(2, 6, model.VocabSize);
        Assert.Equal([2, 6, head.Outputs], loaded.Logits(ids, new Step()).Shape);
    }

    [Theory, MemberData(nameof(All))]
    public void Replacing_the_output_layer_keeps_every_byte_of_the_body(string kind, int which)
    {
        using var scope = Tensor.Scope();
        using var folder = Repo.Temp();
        var options = TinyModels.Options(kind);
        using (var pretrained = TinyModels.Build(kind)) ModelFolder.Save(pretrained, options, folder.Path);
        var (_, model) = (options with { From = folder.Path }).Start(9, head: s_heads[which]);
        using var owned = model;
        var (_, source) = ModelFolder.Load(folder.Path);
        using var read = source;
        var before = source.Parameters.ToDictionary(p => p.Name, p => p.Value.ToArray<float>());
        var (kept, made) = (model.Parameters.Where(p => before.ContainsKey(p.Name)).ToList(), model.Parameters.Where(p => !before.ContainsKey(p.Name)).ToList());
        Assert.All(kept, p => Assert.Equal(before[p.Name], p.Value.ToArray<float>()));
        Assert.NotEmpty(made);
        Assert.True(kept.Count >= before.Count - 5, $"{kept.Count} of {before.Count}"); // all but the layers that speak in tokens
        // And back: the body goes through unchanged, the token layer is fresh where it is not the embedding.
        ModelFolder.Save(model, options, folder.Path);
        var (_, again) = (options with { From = folder.Path }).Start(9);
        using var last = again;
        Assert.Null(again.Task);
        Assert.All(again.Parameters.Where(p => kept.Exists(k => k.Name == p.Name)), p => Assert.Equal(before[p.Name], p.Value.ToArray<float>()));
        // The same purpose and labels: nothing is made fresh.
        ModelFolder.Save(model, options, folder.Path);
        var (_, same) = (options with { From = folder.Path }).Start(77, head: s_heads[which]);
        using var kind2 = same;
        foreach (var (a, b) in model.Parameters.Zip(same.Parameters)) Assert.Equal(a.Value.ToArray<float>(), b.Value.ToArray<float>());
    }

    [Fact]
    public void A_body_that_does_not_fit_is_refused_although_the_head_is_new()
    {
        using var folder = Repo.Temp();
        using (var model = TinyModels.Build("bert")) ModelFolder.Save(model, TinyModels.Options("bert"), folder.Path);
        var config = JsonNode.Parse(File.ReadAllText(folder.File("config.json")))!;
        config["num_hidden_layers"] = 3;
        File.WriteAllText(folder.File("config.json"), config.ToJsonString());
        var options = ModelFolder.ReadOptions(folder.Path) with { From = folder.Path };
        var e = Assert.Throws<UserException>(() => options.Start(1, head: s_heads[0]));
        Assert.Contains("missing: bert.encoder.layer.2", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"0\": \"a\", \"2\": \"b\"}", "id2label: '2'")]
    [InlineData("{\"0\": \"a\", \"1\": \"a\"}", "two labels are named 'a'")]
    [InlineData("{\"0\": 3}", "id2label: '0'")]
    [InlineData("{}", "has no labels")]
    public void Labels_that_are_none_are_one_line(string labels, string message)
    {
        using var folder = Repo.Temp();
        File.WriteAllText(folder.File("config.json"), $$"""{"model_type": "bert", "architectures": ["BertForTokenClassification"], "vocab_size": 61, "id2label": {{labels}}}""");
        var e = Assert.Throws<UserException>(() => ConfigFile.ReadHead(folder.File("config.json")));
        Assert.StartsWith(folder.Path, e.Message, StringComparison.Ordinal);
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }
}

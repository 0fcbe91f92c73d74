using System.Text.Json;
using Gradus.Engine.Ops;
using Gradus.Engine.Tensors;
using Gradus.Models.Families;
using Gradus.Models.Nn;

namespace Gradus.Tests.Models.Families;

/// <summary>The same weights and rows, filled up to one length, through PyTorch's own transformer encoder and through us (tests/fixtures/bert).</summary>
[Row("E10"), Row("F2")]
public class EncoderParityTests
{
    public static TheoryData<string> Folders => ["bert", "bert-classifier", "roberta", "distilbert"];

    [Theory, MemberData(nameof(Folders))]
    public void States_logits_loss_and_every_gradient_are_those_of_PyTorch(string name)
    {
        using var scope = Tensor.Scope();
        using Fixture fixture = new($"bert/{name}/parity.safetensors"), gradients = new($"bert/{name}/gradients.safetensors");
        using var parity = JsonDocument.Parse(File.ReadAllBytes(Repo.Fixture($"bert/{name}/parity.json")));
        var (_, model) = ModelFolder.Load(Repo.Fixture($"bert/{name}"));
        using var owned = model;
        Assert.Equal(parity.RootElement.GetProperty("parameters").GetInt64(), model.ParameterCount);
        var step = Step(fixture, name);
        var hidden = model.Hidden(fixture["ids"], step);
        var used = fixture["documents"].Equal(0).To(DType.Float32).Unsqueeze(2);
        ModelContractTests.AssertNear(fixture["hidden"] * used, hidden * used, 1e-5); // what fills up means nothing on either side

        var classifier = model.Task is not null;
        var states = classifier ? hidden.Select(1, 0) : hidden;
        var logits = model.Head.Forward(model.BeforeHead(states, step));
        ModelContractTests.AssertNear(classifier ? fixture["logits"] : fixture["logits"] * used, classifier ? logits : logits * used, 1e-5);
        var targets = classifier ? fixture["labels"] : fixture["targets"].Reshape(-1);
        var loss = F.CrossEntropySum(logits.Reshape(-1, logits.Size(-1)), targets) / targets.ToArray<long>().Count(t => t >= 0);
        Assert.InRange(loss.Item() / parity.RootElement.GetProperty("loss").GetDouble(), 1 - 2e-6, 1 + 2e-6);

        loss.Backward();
        var undetermined = parity.RootElement.GetProperty("undetermined").EnumerateArray().Select(n => n.GetString()).ToHashSet();
        Assert.Equal(gradients.Names.Order(StringComparer.Ordinal), model.Parameters.Select(p => p.Name).Order(StringComparer.Ordinal));
        foreach (var parameter in model.Parameters.Where(p => !undetermined.Contains(p.Name)))
        {
            var distance = ModelContractTests.Distance(gradients[parameter.Name], parameter.Value.Gradient!);
            Assert.True(distance < 1e-5, $"{parameter.Name}: {distance:E2}"); // PyTorch's own float32 is up to 3e-6 off
        }
    }

    [Theory, InlineData("bert"), InlineData("roberta")]
    public void Without_the_mask_or_the_segments_or_the_positions_it_is_another_model(string name)
    {
        using var scope = Tensor.Scope();
        using var fixture = new Fixture($"bert/{name}/parity.safetensors");
        var (_, model) = ModelFolder.Load(Repo.Fixture($"bert/{name}"));
        using var owned = model;
        var right = Step(fixture, name);
        double Off(Step step) => ModelContractTests.Distance(fixture["hidden"].Narrow(1, 0, 9), model.Hidden(fixture["ids"], step).Narrow(1, 0, 9));
        Assert.True(Off(right) < 1e-5);
        Assert.True(Off(right with { Documents = null }) > 1e-3);
        Assert.True(Off(right with { Positions = right.Positions!.Add(1).To(DType.Int64) }) > 1e-3);
        if (name == "bert") Assert.True(Off(right with { Types = null }) > 1e-3);
    }

    private static Step Step(Fixture fixture, string name) => new()
    {
        Types = name is "bert" or "bert-classifier" ? fixture["types"] : null,
        Documents = fixture["documents"],
        Positions = Tensor.Arange(14).Unsqueeze(0).Expand(3, 14).Contiguous(),
    };
}

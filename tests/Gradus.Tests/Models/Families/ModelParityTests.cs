using System.Text.Json;
using Gradus.Engine.Ops;
using Gradus.Engine.Tensors;
using Gradus.Models.Families;
using Gradus.Models.Families.Llama;
using Gradus.Models.Nn;

namespace Gradus.Tests.Models.Families;

/// <summary>The same weights and tokens through Hugging Face Transformers and through us (tests/fixtures/models).</summary>
public class ModelParityTests
{
    public static TheoryData<string> Folders => ["gpt2", "llama", "llama-tied", "llama31"];

    [Row("E7", "E9", "E20", "I24", "F12"), Theory, MemberData(nameof(Folders))]
    public void Logits_and_loss_are_those_of_PyTorch(string name)
    {
        using var scope = Tensor.Scope();
        using var fixture = new Fixture($"models/{name}/parity.safetensors");
        using var parity = Parity(name);
        var (_, model) = ModelFolder.Load(Repo.Fixture($"models/{name}"));
        using (model)
        {
            Assert.Equal(parity.RootElement.GetProperty("parameters").GetInt64(), model.ParameterCount);
            var (ids, targets) = (fixture["ids"].Select(0, 0), fixture["targets"].Select(0, 0));
            var logits = model.Logits(ids, new Step());
            // PyTorch's own float32 is up to 1.5e-6 from double precision here; the mission asks for 1e-5.
            ModelContractTests.AssertNear(fixture["logits"], logits, 1e-5);
            var loss = F.CrossEntropySum(logits.View(-1, model.VocabSize), targets.Reshape(-1)).Item();
            var expected = parity.RootElement.GetProperty("loss_sum").GetDouble();
            Assert.InRange(loss / expected, 1 - 1e-6, 1 + 1e-6);
        }
    }

    [Row("E7", "E9", "E20", "D1", "G1"), Theory, MemberData(nameof(Folders))]
    public void Every_gradient_is_that_of_PyTorch(string name)
    {
        using var scope = Tensor.Scope();
        using Fixture fixture = new($"models/{name}/parity.safetensors"), gradients = new($"models/{name}/gradients.safetensors");
        using var parity = Parity(name);
        var (_, model) = ModelFolder.Load(Repo.Fixture($"models/{name}"));
        using (model)
        {
            var hidden = model.Hidden(fixture["ids"].Select(0, 0), new Step());
            var dense = (DenseWeight)model.Head.Weight;
            var sum = F.LinearCrossEntropySum(hidden.Reshape(-1, hidden.Size(2)), dense.Parameter.Value, fixture["targets"].Select(0, 0).Reshape(-1));
            (sum / parity.RootElement.GetProperty("target_count").GetDouble()).Backward();
            Assert.Equal(gradients.Names.Order(StringComparer.Ordinal), model.Parameters.Select(p => p.Name).Order(StringComparer.Ordinal));
            var undetermined = parity.RootElement.GetProperty("undetermined").GetProperty("ranges");
            foreach (var parameter in model.Parameters)
            {
                var (expected, actual) = (gradients[parameter.Name].ToArray<float>(), parameter.Value.Gradient!.ToArray<float>());
                if (undetermined.TryGetProperty(parameter.Name, out var range)) // exactly zero in exact arithmetic: nothing but rounding
                {
                    Array.Clear(expected, range[0].GetInt32(), range[1].GetInt32() - range[0].GetInt32());
                    Array.Clear(actual, range[0].GetInt32(), range[1].GetInt32() - range[0].GetInt32());
                }
                var scale = expected.Max(Math.Abs);
                var distance = expected.Zip(actual, (e, a) => Math.Abs(e - a)).Max() / scale;
                Assert.True(distance < 1e-5, $"{parameter.Name}: {distance:E2}"); // PyTorch's own float32 is up to 4e-6 off; the mission asks for 1e-4
            }
        }
    }

    [Row("I24"), Theory, MemberData(nameof(Folders))]
    public void Greedy_tokens_are_those_of_Transformers_with_and_without_a_cache(string name)
    {
        using var parity = Parity(name);
        var greedy = parity.RootElement.GetProperty("greedy");
        var (prompt, generated) = (Ids(greedy.GetProperty("prompt")), Ids(greedy.GetProperty("generated")));
        var (_, model) = ModelFolder.Load(Repo.Fixture($"models/{name}"));
        using (model)
        {
            Assert.Equal(generated, Greedy.Cached(model, prompt, generated.Length));
            Assert.Equal(generated, Greedy.Whole(model, prompt, generated.Length));
        }

        static long[] Ids(JsonElement list) => [.. list.EnumerateArray().Select(id => id.GetInt64())];
    }

    [Row("E20"), Fact]
    public void Scaled_rotary_frequencies_matter_to_the_parity_of_llama31()
    {
        using var scope = Tensor.Scope();
        using var fixture = new Fixture("models/llama31/parity.safetensors");
        var options = (LlamaOptions)ModelFolder.ReadOptions(Repo.Fixture("models/llama31"));
        Assert.Equal(128, options.RopeScaling!.OriginalMaxPositionEmbeddings);
        using var unscaled = ModelFolder.LoadAs(Repo.Fixture("models/llama31"), options with { RopeScaling = null }, DType.Float32, Device.Cpu);
        Assert.True(ModelContractTests.Distance(fixture["logits"], unscaled.Logits(fixture["ids"].Select(0, 0), new Step())) > 1e-3);
    }

    private static JsonDocument Parity(string name) => JsonDocument.Parse(File.ReadAllBytes(Repo.Fixture($"models/{name}/parity.json")));
}

/// <summary>The plainest generation: the best next token, again and again.</summary>
internal static class Greedy
{
    public static long[] Cached(ILanguageModel model, long[] prompt, int count) => Grad.Off(() =>
    {
        using var cache = model.NewCache(1, prompt.Length + count);
        var (next, made) = (prompt, new List<long>());
        while (made.Count < count)
        {
            using var scope = Tensor.Scope();
            var logits = model.Logits(Tensor.From(next, 1, next.Length), new Step { Cache = cache });
            next = logits.Select(1, next.Length - 1).ArgMax(-1).ToArray<long>();
            made.Add(next[0]);
        }
        return made.ToArray();
    });

    public static long[] Whole(ILanguageModel model, long[] prompt, int count) => Grad.Off(() =>
    {
        var all = prompt.ToList();
        while (all.Count < prompt.Length + count)
        {
            using var scope = Tensor.Scope();
            all.Add(model.Logits(Tensor.From(all.ToArray(), 1, all.Count), new Step()).Select(1, all.Count - 1).ArgMax(-1).ToArray<long>()[0]);
        }
        return all.Skip(prompt.Length).ToArray();
    });
}

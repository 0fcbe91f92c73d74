using Gradus.Engine.Tensors;
using Gradus.Foundation.Recipes;
using Gradus.Models.Families;
using Gradus.Models.Nn;
using Gradus.Models.Peft;
using Gradus.Tests.Models.Families;

namespace Gradus.Tests.Models.Peft;

/// <summary>Every method, every kind of weight and every family, at the smallest size.</summary>
internal static class TinyAdapters
{
    private static readonly string[] s_variants = ["lora+dora", "lora+rslora", "prefix+long", "ia3+outputs"];

    /// <summary>method × kind of weight × family, but for bitfit on a family without biases and what stands before a text on encoders, which are refused.</summary>
    public static TheoryData<string, string, string> Cases
    {
        get
        {
            var data = new TheoryData<string, string, string>();
            foreach (var method in Components.Of(typeof(AdapterOptions)).Select(c => c.Kind).Concat(s_variants))
                foreach (var weights in new[] { "dense" }.Concat(Components.Of(typeof(WeightOptions)).Select(c => c.Kind)))
                    foreach (var family in Components.Of(typeof(ModelOptions)).Select(c => c.Kind))
                        if ((method != "bitfit" || HasBiases(family)) && (IsCausal(family) || !method.StartsWith('p')))
                            data.Add(method, weights, family);
            return data;
        }
    }

    public static AdapterOptions Options(string method) => method switch
    {
        "lora" => new LoraOptions { Rank = 4, Alpha = 8 },
        "lora+dora" => new LoraOptions { Rank = 4, Alpha = 8, Dora = true },
        "lora+rslora" => new LoraOptions { Rank = 4, Alpha = 8, Rslora = true },
        "bottleneck" => new BottleneckOptions { Size = 5, Activation = "gelu" },
        "prefix" => new PrefixOptions { Length = 3 },
        "prefix+long" => new PrefixOptions { Length = 7, InitStd = 1 },
        "prompt" => new PromptOptions { Length = 3 },
        "ia3+outputs" => new Ia3Options { Targets = [TargetModules.AllLinear], Feedforward = ["none"] },
        _ => (AdapterOptions)Activator.CreateInstance(Components.Of(typeof(AdapterOptions)).Single(c => c.Kind == method).Type)!,
    };

    public static WeightOptions? Held(string weights) => weights == "dense" ? null : (WeightOptions)Activator.CreateInstance(Components.Of(typeof(WeightOptions)).Single(c => c.Kind == weights).Type)!;

    /// <summary>A model with weights large enough that nothing is lost in rounding, its blocks held as asked.</summary>
    public static ILanguageModel Base(string family, string weights = "dense", DType type = DType.Float32)
    {
        using var dense = TinyModels.Build(family, type);
        return TinyModels.Options(family).Build(new Weights(new CopyOf(dense), Held(weights)));
    }

    public static AdaptedModel Build(string method, string weights, string family, DType type = DType.Float32, bool disturbed = false)
    {
        var model = new AdaptedModel(Base(family, weights, type));
        try
        {
            var adapter = model.Train(Options(method), seed: 4);
            if (disturbed) Disturb(adapter);
            return model;
        }
        catch
        {
            model.Dispose(); // or one refusal would look like leaks of the tests after it
            throw;
        }
    }

    /// <summary>As if it had been trained: every number of it moved.</summary>
    public static void Disturb(Adapter adapter, double by = 0.3) => Grad.Off(() =>
    {
        using var scope = Tensor.Scope();
        foreach (var (name, value) in adapter.Saved) value.AddInPlace(TinyModels.Noise("disturb " + name, by, value.DType, value.Shape));
    });

    public static float[] Logits(ILanguageModel model, int length = 12, string stream = "ids") => Grad.Off(() =>
    {
        using var scope = Tensor.Scope();
        return model.Logits(TinyModels.Ids(2, length, model.VocabSize, stream), new Step()).ToArray<float>();
    });

    public static Tensor Out(ILanguageModel model, Tensor ids, in Step step) => model.Logits(ids, step);

    public static double Distance(float[] expected, float[] actual) => expected.Zip(actual, (x, y) => Math.Abs((double)x - y)).Max() / expected.Max(x => Math.Abs((double)x));

    public static bool IsCausal(string family)
    {
        using var model = TinyModels.Options(family).Build(Weights.Shapes());
        return model.IsCausal;
    }

    private static bool HasBiases(string family)
    {
        using var model = TinyModels.Options(family).Build(Weights.Shapes());
        return model.Parameters.Any(p => p.Name.EndsWith(".bias", StringComparison.Ordinal));
    }

    /// <summary>The values of another model, name by name.</summary>
    private sealed class CopyOf(ILanguageModel model) : WeightSource
    {
        protected internal override Tensor Make(string name, long[] shape, Init init) => model.Parameters.Single(p => p.Name == name).Value.Detach().Clone();
    }
}

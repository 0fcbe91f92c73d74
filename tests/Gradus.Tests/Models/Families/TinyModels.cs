using Gradus.Engine.Tensors;
using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;
using Gradus.Models.Families;
using Gradus.Models.Nn;

namespace Gradus.Tests.Models.Families;

/// <summary>The smallest shape of every registered family, and tokens for it.</summary>
internal static class TinyModels
{
    public static TheoryData<string> Kinds => [.. Components.Of(typeof(ModelOptions)).Select(family => family.Kind)];

    /// <summary>Families that continue a text.</summary>
    public static TheoryData<string> Decoders => [.. Components.Of(typeof(ModelOptions)).Select(family => family.Kind).Where(kind => Options(kind).IsCausal)];

    /// <summary>Families that see whole rows.</summary>
    public static TheoryData<string> Encoders => [.. Components.Of(typeof(ModelOptions)).Select(family => family.Kind).Where(kind => !Options(kind).IsCausal)];

    public static ModelOptions Options(string kind) => ModelPresets.Find($"{kind}-tiny");

    /// <summary>Weights far larger than published ones, so that what a test looks for is not lost in rounding.</summary>
    public static ILanguageModel Build(string kind, DType type = DType.Float32, ulong seed = 1)
    {
        var model = Options(kind).BuildFresh(seed, type);
        Grad.Off(() =>
        {
            using var scope = Tensor.Scope();
            foreach (var parameter in model.Parameters)
                if (parameter.Value.Dims > 1) parameter.Value.MulInPlace(15);
                else parameter.Value.AddInPlace(Noise(parameter.Name, 0.1, type, parameter.Value.Shape));
        });
        return model;
    }

    public static Tensor Ids(int rows, int length, int vocab, string stream = "ids")
    {
        var draws = new Counter(5, stream);
        return Tensor.From(Enumerable.Range(0, rows * length).Select(i => (long)draws.Below((ulong)i, vocab)).ToArray(), rows, length);
    }

    public static Tensor Noise(string stream, double scale, DType type, params long[] shape)
    {
        var draws = new Counter(6, stream);
        var count = shape.Aggregate(1L, (product, n) => product * n);
        return Tensor.From(Enumerable.Range(0, (int)count).Select(i => scale * (2 * draws.Unit((ulong)i) - 1)).ToArray(), shape).To(type);
    }
}

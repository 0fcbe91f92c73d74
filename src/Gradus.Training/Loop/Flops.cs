using System.Diagnostics;
using System.Text.RegularExpressions;
using Gradus.Engine.Tensors;
using Gradus.Models.Nn;

namespace Gradus.Training.Loop;

/// <summary>
/// Floating-point operations of training, for model FLOPs utilisation (Chowdhery et al., 2022): 6 a matrix weight and token (4 for a frozen one), plus
/// 12 · layers · width · length for attention scores. Recomputed activations do not count: they are not the model's.
/// </summary>
public static partial class Flops
{
    /// <summary>Operations one trained token needs in rows of <paramref name="length"/>.</summary>
    public static double PerToken(ILanguageModel model, int length)
    {
        ArgumentNullException.ThrowIfNull(model);
        var (vocab, width) = (model.Head.Weight.Out, model.Head.Weight.In);
        var layers = model.Parameters.Select(p => LayerNumber().Match(p.Name)).Where(m => m.Success)
            .Select(m => int.Parse(m.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture) + 1).DefaultIfEmpty(0).Max();
        // Tables that are looked up are no products; the head is one, tied to such a table or not.
        // A frozen matrix needs no gradient of its own: 2 forward and 2 for the gradient of what came before it.
        var operations = model.Parameters.Where(p => p.Value.Dims >= 2 && !IsTable(p.Value) && !IsHead(p)).Sum(p => (p.Trainable ? 6.0 : 4.0) * p.Value.Elements)
            + model.Linears.Where(l => l.Weight is PackedWeight).Sum(l => 4.0 * l.Weight.In * l.Weight.Out);
        var head = model.Head.Weight is DenseWeight { Parameter.Trainable: false } ? 4.0 : 6.0;
        return operations + head * vocab * width + 12.0 * layers * width * length;

        // By the rows of the embedding: under a task the head has as many as there are labels. RoBERTa's positions have two rows more.
        bool IsTable(Tensor value) => value.Size(1) == width && (value.Size(0) == model.VocabSize || value.Size(0) - model.MaxPositions is >= 0 and <= 2);

        bool IsHead(Parameter parameter) => model.Head.Weight is DenseWeight dense && dense.Parameter == parameter;
    }

    /// <summary>What this machine's matrix products reach a second, measured for a moment. On a busy machine it is too low.</summary>
    public static double MeasurePeak(DType type, Device device)
    {
        const long n = 1024, k = 768, m = 2304;
        using var off = Grad.Off();
        using var scope = Tensor.Scope();
        var (a, b) = (Tensor.Ones(type, device, n, k), Tensor.Ones(type, device, k, m));
        var best = 0.0;
        for (var i = 0; i < 6; i++)
        {
            using var inner = Tensor.Scope();
            var began = Stopwatch.GetTimestamp();
            _ = a.MatMul(b);
            device.Synchronize();
            best = Math.Max(best, 2.0 * n * k * m / Stopwatch.GetElapsedTime(began).TotalSeconds);
        }
        return best;
    }

    [GeneratedRegex(@"\.([0-9]{1,6})\.", RegexOptions.CultureInvariant)]
    private static partial Regex LayerNumber();
}

using Gradus.Engine.Ops;
using Gradus.Engine.Tensors;

namespace Gradus.Models.Nn;

/// <summary>Layer normalisation with gain and bias (Ba et al., 2016).</summary>
public sealed class LayerNorm(Weights w, int width, double eps)
{
    private readonly Parameter _weight = w.Parameter("weight", Init.Ones, width);
    private readonly Parameter _bias = w.Parameter("bias", Init.Zeros, width);

    /// <summary>[.., D] → [.., D].</summary>
    public Tensor Forward(Tensor x) => F.LayerNorm(x, _weight.Value, _bias.Value, eps);
}

/// <summary>Root-mean-square normalisation with gain (Zhang and Sennrich, 2019).</summary>
public sealed class RmsNorm(Weights w, int width, double eps)
{
    private readonly Parameter _weight = w.Parameter("weight", Init.Ones, width);

    /// <summary>[.., D] → [.., D].</summary>
    public Tensor Forward(Tensor x) => F.RmsNorm(x, _weight.Value, eps);
}

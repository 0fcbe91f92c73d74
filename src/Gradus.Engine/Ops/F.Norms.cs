using Gradus.Engine.Tensors;

namespace Gradus.Engine.Ops;

public static partial class F
{
    /// <summary>(x - mean) / sqrt(variance + eps) · weight + bias over the last dimension (Ba et al., 2016).</summary>
    public static Tensor LayerNorm(Tensor x, Tensor weight, Tensor? bias, double eps) => Plain.LayerNorm(x, weight, bias, eps);

    /// <summary>x / sqrt(mean(x²) + eps) · weight over the last dimension (Zhang and Sennrich, 2019), computed in float32.</summary>
    public static Tensor RmsNorm(Tensor x, Tensor weight, double eps) => Plain.RmsNorm(x, weight, eps);
}

using Gradus.Engine.Tensors;

namespace Gradus.Engine.Ops;

public static partial class F
{
    /// <summary>Gaussian error linear unit (Hendrycks and Gimpel, 2016), exact or by the tanh formula.</summary>
    public static Tensor Gelu(Tensor x, bool tanh = false) => Plain.Gelu(x, tanh);

    /// <summary>silu(gate) · up (Shazeer, 2020), elementwise.</summary>
    public static Tensor SwiGlu(Tensor gate, Tensor up) => Plain.SwiGlu(gate, up);

    /// <summary>
    /// Rotary position embedding (Su et al., 2021) in the half-split layout of Hugging Face's Llama: x [B, T, H, W], cos and sin
    /// [T, W] or [B, T, W] → x · cos + rotate(x) · sin, where rotate maps (a, b) halves to (-b, a).
    /// </summary>
    public static Tensor Rope(Tensor x, Tensor cos, Tensor sin) => Plain.Rope(x, cos, sin);
}

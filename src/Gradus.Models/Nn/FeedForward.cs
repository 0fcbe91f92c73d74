using Gradus.Engine.Ops;
using Gradus.Engine.Tensors;

namespace Gradus.Models.Nn;

/// <summary>down(activation(up(x))): the plain two-layer network of a transformer block, over any two linears.</summary>
public sealed class FeedForward(Linear up, Linear down, Func<Tensor, Tensor> activation)
{
    /// <summary>[.., D] → [.., D].</summary>
    public Tensor Forward(Tensor x) => down.Forward(activation(up.Forward(x)));
}

/// <summary>down(silu(gate(x)) · up(x)) (Shazeer, 2020), with Llama's names.</summary>
public sealed class SwiGlu(Weights w, int width, int inner, Init init, bool bias = false)
{
    private readonly Linear _gate = Linear.Dense(w / "gate_proj", width, inner, init, bias);
    private readonly Linear _up = Linear.Dense(w / "up_proj", width, inner, init, bias);
    private readonly Linear _down = Linear.Dense(w / "down_proj", inner, width, init, bias);

    /// <summary>[.., D] → [.., D].</summary>
    public Tensor Forward(Tensor x) => _down.Forward(F.SwiGlu(_gate.Forward(x), _up.Forward(x)));
}

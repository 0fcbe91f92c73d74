using Gradus.Engine.Native;

namespace Gradus.Engine.Tensors;

public sealed partial class Tensor
{
    /// <summary>Whether operations on this tensor are recorded for the backward pass.</summary>
    public bool RequiresGrad
    {
        get => Info().RequiresGrad != 0;
        set => Abi.Check(Abi.RequiresGrad(Handle, value ? 1 : 0), "requires_grad");
    }

    /// <summary>The gradient gathered so far in this leaf; null when there is none. Setting null frees it.</summary>
    public Tensor? Gradient
    {
        get
        {
            Abi.Check(Abi.GradGet(Handle, out var gradient), "grad");
            return gradient == 0 ? null : new Tensor(gradient);
        }
        set => Abi.Check(Abi.GradSet(Handle, value?.Handle ?? 0), "grad");
    }

    public bool HasGradient => Info().HasGrad != 0;

    /// <inheritdoc cref="Grad.Backward(Tensor, Tensor?, bool)"/>
    public void Backward(Tensor? gradient = null, bool retainGraph = false) => Grad.Backward(this, gradient, retainGraph);
}

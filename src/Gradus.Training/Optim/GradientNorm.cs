using Gradus.Engine.Tensors;
using Gradus.Models.Nn;

namespace Gradus.Training.Optim;

/// <summary>The norm over all gradients together, and clipping by it (Pascanu et al., 2013).</summary>
public static class GradientNorm
{
    /// <summary>Norm of all gradients as one vector; 0 when there are none. <paramref name="order"/> may be infinity.</summary>
    public static double Total(IReadOnlyList<Parameter> parameters, double order = 2)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        using var off = Grad.Off();
        using var scope = Tensor.Scope();
        var norms = parameters.Select(p => p.Value.Gradient).OfType<Tensor>().Select(g => g.Norm(order)).ToArray();
        return norms.Length == 0 ? 0 : Tensor.Stack(norms, 0).Norm(order).Item(); // one wait for the device
    }

    /// <summary>What clipping multiplies the gradients by: min(1, most / (norm + 1e-6)), as torch's clip_grad_norm_.</summary>
    public static double ClipFactor(double norm, double most) => Math.Min(1, most / (norm + 1e-6));

    /// <summary>The first parameter whose gradient or value holds NaN or infinity, or null.</summary>
    public static (string Name, string What)? FirstNonFinite(IReadOnlyList<Parameter> parameters)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        using var off = Grad.Off();
        foreach (var parameter in parameters)
        {
            using var scope = Tensor.Scope();
            // A bad weight makes bad gradients everywhere: it is the better name for the cause.
            if (!IsFinite(parameter.Value)) return (parameter.Name, "weight");
        }
        foreach (var parameter in parameters)
        {
            using var scope = Tensor.Scope();
            if (parameter.Value.Gradient is { } gradient && !IsFinite(gradient)) return (parameter.Name, "gradient");
        }
        return null;
    }

    private static bool IsFinite(Tensor tensor) => tensor.IsFinite().All().Item() != 0;
}

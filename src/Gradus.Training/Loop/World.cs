using Gradus.Engine.Groups;
using Gradus.Engine.Tensors;
using Gradus.Models.Nn;

namespace Gradus.Training.Loop;

/// <summary>The processes that train together, as the loop sees them: everyone calls the same methods in the same order.</summary>
public interface IWorld
{
    int Rank { get; }
    int Size { get; }

    /// <summary>The sum over all ranks.</summary>
    double Sum(double value);

    /// <summary>Replaces every gradient by its sum over all ranks.</summary>
    void SumGradients(IReadOnlyList<Parameter> parameters);
}

/// <summary>One process, alone.</summary>
public sealed class SingleWorld : IWorld
{
    public int Rank => 0;
    public int Size => 1;

    public double Sum(double value) => value;

    public void SumGradients(IReadOnlyList<Parameter> parameters)
    {
        // What is here is the sum.
    }
}

/// <summary>Several processes over a process group, each with the whole model (data parallelism).</summary>
public sealed class GroupWorld(ProcessGroup group) : IWorld
{
    public int Rank => group.Rank;
    public int Size => group.Size;

    public double Sum(double value)
    {
        using var scope = Tensor.Scope();
        var tensor = Tensor.Scalar(value, DType.Float64);
        group.AllReduce(tensor);
        return tensor.Item();
    }

    public void SumGradients(IReadOnlyList<Parameter> parameters)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        using var off = Grad.Off();
        foreach (var parameter in parameters)
        {
            if (!parameter.Trainable) continue;
            using var scope = Tensor.Scope();
            // A rank whose rows did not touch a parameter still takes part, with zero.
            if (!parameter.Value.HasGradient) parameter.Value.Gradient = parameter.Value.ZerosLike();
            group.AllReduce(parameter.Value.Gradient!);
        }
    }
}

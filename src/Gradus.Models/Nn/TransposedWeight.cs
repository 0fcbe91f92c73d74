using Gradus.Engine.Ops;
using Gradus.Engine.Tensors;

namespace Gradus.Models.Nn;

/// <summary>A weight stored [in, out], as the Conv1D of GPT-2's files is.</summary>
public sealed class TransposedWeight(Parameter parameter) : IWeight
{
    /// <summary>The parameter, [in, out].</summary>
    public Parameter Parameter { get; } = parameter ?? throw new ArgumentNullException(nameof(parameter));

    public long In => Parameter.Value.Size(0);
    public long Out => Parameter.Value.Size(1);

    public DType ComputeType { get => Parameter.ComputeType; set => Parameter.ComputeType = value; }

    public Tensor Dense(DType type) => Parameter.Value.Detach().T().To(type);

    public Tensor Apply(Tensor x, Parameter? bias) =>
        F.LinearTransposed(x, Parameter.Value, bias?.Value, Parameter.Computed);
}

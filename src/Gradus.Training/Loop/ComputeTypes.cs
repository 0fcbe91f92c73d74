using Gradus.Engine.Tensors;
using Gradus.Foundation.Files;
using Gradus.Foundation.Kernels;
using Gradus.Models.Nn;

namespace Gradus.Training.Loop;

/// <summary>Sets what a model's products run in: matrices get a copy in the smaller type, vectors (biases, norms) stay float32.</summary>
public static class ComputeTypes
{
    /// <exception cref="UserException">The device cannot do it.</exception>
    public static void Set(ILanguageModel model, Precision precision)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (precision == Precision.Fp16 && model.Device.IsCpu)
            throw new UserException("trainer.precision: fp16 needs a CUDA device, and the model is on the CPU; use bf16");
        var type = Of(Decide(precision, model.Device));
        foreach (var parameter in model.Parameters)
            if (parameter.Value.Dims >= 2)
                parameter.ComputeType = type;
        foreach (var linear in model.Linears)
            if (linear.Weight is PackedWeight packed)
                packed.ComputeType = type;
    }

    /// <summary><see cref="Precision.Auto"/> decided for a device; any other precision is itself.</summary>
    public static Precision Decide(Precision precision, Device device) =>
        precision != Precision.Auto ? precision : !device.IsCpu || Bf16.HasProducts ? Precision.Bf16 : Precision.Fp32;

    /// <summary>The element type of a precision; <see cref="Precision.Auto"/> must be decided before.</summary>
    public static DType Of(Precision precision) => precision switch { Precision.Bf16 => DType.BFloat16, Precision.Fp16 => DType.Float16, _ => DType.Float32 };
}

using Gradus.Engine.Ops;

namespace Gradus.Engine.Tensors;

// Creation: one line an operator; shapes broadcast as in PyTorch.
public sealed partial class Tensor
{
    private static readonly Op s_emptyMemoryFormat = Op.Find("aten::empty.memory_format", "size, dtype, layout, device");
    private static readonly Op s_zeros = Op.Find("aten::zeros", "size, dtype, layout, device");
    private static readonly Op s_ones = Op.Find("aten::ones", "size, dtype, layout, device");
    private static readonly Op s_full = Op.Find("aten::full", "size, fill_value, dtype, layout, device");
    private static readonly Op s_arange = Op.Find("aten::arange", "end, dtype, layout, device");
    private static readonly Op s_normalFloatFloat = Op.Find("aten::normal.float_float", "mean, std, size, generator, dtype");
    private static readonly Op s_randGenerator = Op.Find("aten::rand.generator", "size, generator, dtype");
    private static readonly Op s_zerosLike = Op.Find("aten::zeros_like", "self");
    private static readonly Op s_emptyLike = Op.Find("aten::empty_like", "self");
    private static readonly Op s_clone = Op.Find("aten::clone", "self");
    private static readonly Op s_detach = Op.Find("aten::detach", "self");
    private static readonly Op s_toDtype = Op.Find("aten::to.dtype", "self, dtype");
    private static readonly Op s_toDevice = Op.Find("aten::to.device", "self, device, dtype");
    private static readonly Op s_contiguous = Op.Find("aten::contiguous", "self");

    /// <summary>Uninitialised memory.</summary>
    public static Tensor Empty(DType type, Device device, params long[] shape) => s_emptyMemoryFormat.Call(shape, type, Arg.None, device);
    public static Tensor Zeros(DType type, Device device, params long[] shape) => s_zeros.Call(shape, type, Arg.None, device);
    public static Tensor Ones(DType type, Device device, params long[] shape) => s_ones.Call(shape, type, Arg.None, device);
    public static Tensor Full(long[] shape, double value, DType type = DType.Float32, Device device = default) => s_full.Call(shape, value, type, Arg.None, device);
    /// <summary>0, 1 … end - 1 as int64.</summary>
    public static Tensor Arange(long end, Device device = default) => s_arange.Call(end, DType.Int64, Arg.None, device);
    /// <summary>Independent draws on the CPU, float32.</summary>
    public static Tensor Normal(Generator generator, double mean, double std, params long[] shape) => s_normalFloatFloat.Call(mean, std, shape, generator, DType.Float32);
    /// <summary>Independent draws from [0, 1) on the CPU, float32.</summary>
    public static Tensor Uniform(Generator generator, params long[] shape) => s_randGenerator.Call(shape, generator, DType.Float32);
    public Tensor ZerosLike() => s_zerosLike.Call(this);
    public Tensor EmptyLike() => s_emptyLike.Call(this);
    public Tensor Clone() => s_clone.Call(this);
    /// <summary>The same buffer without history.</summary>
    public Tensor Detach() => s_detach.Call(this);
    /// <summary>Converts; the same tensor when nothing changes.</summary>
    public Tensor To(DType type) => s_toDtype.Call(this, type);
    /// <summary>Moves; the same tensor when nothing changes.</summary>
    public Tensor To(Device device) => s_toDevice.Call(this, device, DType);
    public Tensor Contiguous() => s_contiguous.Call(this);
}

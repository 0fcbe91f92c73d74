using Gradus.Engine.Tensors;
using Gradus.Foundation.Kernels;

namespace Gradus.Engine.Ops;

public static partial class F
{
    /// <summary>(x - mean) / sqrt(variance + eps) · weight + bias over the last dimension (Ba et al., 2016).</summary>
    public static Tensor LayerNorm(Tensor x, Tensor weight, Tensor? bias, double eps)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(weight);
        return x.DType == DType.Float32 && IsNorm(x, weight) && (bias is null || IsNorm(x, bias)) ? Norm(x, weight, bias, eps, centred: true) : Plain.LayerNorm(x, weight, bias, eps);
    }

    /// <summary>x / sqrt(mean(x²) + eps) · weight over the last dimension (Zhang and Sennrich, 2019), computed in float32.</summary>
    public static Tensor RmsNorm(Tensor x, Tensor weight, double eps)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(weight);
        return x.DType == DType.Float32 && IsNorm(x, weight) ? Norm(x, weight, null, eps, centred: false) : Plain.RmsNorm(x, weight, eps);
    }

    private static bool IsNorm(Tensor x, Tensor weight) =>
        IsFast(x) && IsFast(weight, DType.Float32) && weight.IsContiguous && weight.Dims == 1 && x.Dims > 0 && x.Size(-1) == weight.Size(0) && x.Elements > 0;

    private static unsafe Tensor Norm(Tensor x, Tensor weight, Tensor? bias, double eps, bool centred)
    {
        var width = x.Size(-1);
        var rows = x.Elements / width;
        var context = new FunctionContext();
        var (gain, shift) = (context.Save(weight), bias is null ? null : context.Save(bias));
        Tensor input = null!, statistics = null!;
        var y = Grad.Off(() =>
        {
            var y = Tensor.Empty(DType.Float32, x.Device, x.Shape);
            using var scope = Tensor.Scope();
            input = context.Save(x.Detach().Contiguous());
            statistics = context.Save(Tensor.Empty(DType.Float32, x.Device, rows, 2));
            var r = new NormKernel.Rows(input.Pointer<byte>(), gain.Pointer<float>(), shift is null ? null : shift.Pointer<float>(), y.Pointer<float>(), statistics.Pointer<float>(), width, (float)eps, centred);
            Threads.For(rows, Math.Max(1, Grain / width), (from, to) => NormKernel.Forward<AsFloat32>(r, from, to));
            return y;
        });
        Grad.Attach(bias is null ? [x, weight] : [x, weight, bias], [y], context, (c, grads) =>
        {
            if (grads[0] is not { } incoming) return [null, null, null];
            var dy = Gemm.Cast(incoming, DType.Float32);
            var r = new NormKernel.Rows(input.Pointer<byte>(), gain.Pointer<float>(), null, dy.Pointer<float>(), statistics.Pointer<float>(), width, (float)eps, centred);
            Tensor? dx = null, dGain = null, dBias = null;
            if (c.Needs(0))
            {
                dx = Tensor.Empty(DType.Float32, dy.Device, input.Shape);
                var target = (nint)dx.Pointer<byte>();
                Threads.For(rows, Math.Max(1, Grain / width), (from, to) => NormKernel.Backward<AsFloat32>(r, (byte*)target, from, to));
            }
            if (c.Needs(1) || (shift is not null && c.Needs(2)))
            {
                dGain = Tensor.Empty(DType.Float32, dy.Device, width);
                dBias = shift is null ? null : Tensor.Empty(DType.Float32, dy.Device, width);
                var (g, b) = ((nint)dGain.Pointer<float>(), dBias is null ? 0 : (nint)dBias.Pointer<float>());
                Threads.For((width + 63) / 64, 1, (from, to) => NormKernel.Parameters<AsFloat32>(r, rows, (float*)g, (float*)b, from * 64, Math.Min(to * 64, width)));
            }
            return [dx, c.Needs(1) ? Gemm.Deposit(gain, dGain!) : null, shift is not null && c.Needs(2) ? Gemm.Deposit(shift, dBias!) : null];
        });
        return y;
    }
}

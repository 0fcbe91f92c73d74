using Gradus.Engine.Ops;

namespace Gradus.Engine.Tensors;

// Arithmetic: one line an operator; shapes broadcast as in PyTorch.
public sealed partial class Tensor
{
    private static readonly Op s_addTensor = Op.Find("aten::add.Tensor", "self, other");
    private static readonly Op s_addTensorScaled = Op.Find("aten::add.Tensor", "self, other, alpha");
    private static readonly Op s_addScalar = Op.Find("aten::add.Scalar", "self, other");
    private static readonly Op s_subTensor = Op.Find("aten::sub.Tensor", "self, other");
    private static readonly Op s_subScalar = Op.Find("aten::sub.Scalar", "self, other");
    private static readonly Op s_mulTensor = Op.Find("aten::mul.Tensor", "self, other");
    private static readonly Op s_mulScalar = Op.Find("aten::mul.Scalar", "self, other");
    private static readonly Op s_divTensor = Op.Find("aten::div.Tensor", "self, other");
    private static readonly Op s_divScalar = Op.Find("aten::div.Scalar", "self, other");
    private static readonly Op s_neg = Op.Find("aten::neg", "self");
    private static readonly Op s_powTensorScalar = Op.Find("aten::pow.Tensor_Scalar", "self, exponent");
    private static readonly Op s_sqrt = Op.Find("aten::sqrt", "self");
    private static readonly Op s_rsqrt = Op.Find("aten::rsqrt", "self");
    private static readonly Op s_exp = Op.Find("aten::exp", "self");
    private static readonly Op s_log = Op.Find("aten::log", "self");
    private static readonly Op s_sin = Op.Find("aten::sin", "self");
    private static readonly Op s_cos = Op.Find("aten::cos", "self");
    private static readonly Op s_tanh = Op.Find("aten::tanh", "self");
    private static readonly Op s_sigmoid = Op.Find("aten::sigmoid", "self");
    private static readonly Op s_relu = Op.Find("aten::relu", "self");
    private static readonly Op s_silu = Op.Find("aten::silu", "self");
    private static readonly Op s_gelu = Op.Find("aten::gelu", "self, approximate");
    private static readonly Op s_abs = Op.Find("aten::abs", "self");
    private static readonly Op s_matmul = Op.Find("aten::matmul", "self, other");
    private static readonly Op s_softmaxInt = Op.Find("aten::softmax.int", "self, dim");
    private static readonly Op s_logSoftmaxInt = Op.Find("aten::log_softmax.int", "self, dim");
    private static readonly Op s_eqTensor = Op.Find("aten::eq.Tensor", "self, other");
    private static readonly Op s_eqScalar = Op.Find("aten::eq.Scalar", "self, other");
    private static readonly Op s_neScalar = Op.Find("aten::ne.Scalar", "self, other");
    private static readonly Op s_gtScalar = Op.Find("aten::gt.Scalar", "self, other");
    private static readonly Op s_leTensor = Op.Find("aten::le.Tensor", "self, other");
    private static readonly Op s_logicalAnd = Op.Find("aten::logical_and", "self, other");
    private static readonly Op s_logicalNot = Op.Find("aten::logical_not", "self");
    private static readonly Op s_isfinite = Op.Find("aten::isfinite", "self");
    private static readonly Op s_maximum = Op.Find("aten::maximum", "self, other");
    private static readonly Op s_clamp = Op.Find("aten::clamp", "self, min, max");

    public Tensor Add(Tensor other) => s_addTensor.Call(this, other);
    /// <summary>self + alpha · other</summary>
    public Tensor Add(Tensor other, double alpha) => s_addTensorScaled.Call(this, other, alpha);
    public Tensor Add(double other) => s_addScalar.Call(this, other);
    public Tensor Sub(Tensor other) => s_subTensor.Call(this, other);
    public Tensor Sub(double other) => s_subScalar.Call(this, other);
    public Tensor Mul(Tensor other) => s_mulTensor.Call(this, other);
    public Tensor Mul(double other) => s_mulScalar.Call(this, other);
    public Tensor Div(Tensor other) => s_divTensor.Call(this, other);
    public Tensor Div(double other) => s_divScalar.Call(this, other);
    public Tensor Neg() => s_neg.Call(this);
    public Tensor Pow(double exponent) => s_powTensorScalar.Call(this, exponent);
    public Tensor Sqrt() => s_sqrt.Call(this);
    public Tensor Rsqrt() => s_rsqrt.Call(this);
    public Tensor Exp() => s_exp.Call(this);
    public Tensor Log() => s_log.Call(this);
    public Tensor Sin() => s_sin.Call(this);
    public Tensor Cos() => s_cos.Call(this);
    public Tensor Tanh() => s_tanh.Call(this);
    public Tensor Sigmoid() => s_sigmoid.Call(this);
    public Tensor Relu() => s_relu.Call(this);
    /// <summary>x · sigmoid(x)</summary>
    public Tensor Silu() => s_silu.Call(this);
    /// <summary>Gaussian error linear unit (Hendrycks and Gimpel, 2016), exact or by the tanh formula.</summary>
    public Tensor Gelu(bool tanh = false) => s_gelu.Call(this, tanh ? "tanh" : "none");
    public Tensor Abs() => s_abs.Call(this);
    /// <summary>Batched matrix product: [.., n, k] × [.., k, m] → [.., n, m].</summary>
    public Tensor MatMul(Tensor other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return Gemm.Widens(this) && Gemm.Widens(other) ? s_matmul.Call(To(DType.Float32), other.To(DType.Float32)).To(DType) : s_matmul.Call(this, other);
    }
    public Tensor Softmax(int dim) => s_softmaxInt.Call(this, dim);
    public Tensor LogSoftmax(int dim) => s_logSoftmaxInt.Call(this, dim);
    public Tensor Equal(Tensor other) => s_eqTensor.Call(this, other);
    public Tensor Equal(double other) => s_eqScalar.Call(this, other);
    public Tensor NotEqual(double other) => s_neScalar.Call(this, other);
    public Tensor Greater(double other) => s_gtScalar.Call(this, other);
    public Tensor LessOrEqual(Tensor other) => s_leTensor.Call(this, other);
    public Tensor LogicalAnd(Tensor other) => s_logicalAnd.Call(this, other);
    public Tensor LogicalNot() => s_logicalNot.Call(this);
    public Tensor IsFinite() => s_isfinite.Call(this);
    public Tensor Maximum(Tensor other) => s_maximum.Call(this, other);
    public Tensor Clamp(double min, double max) => s_clamp.Call(this, min, max);

    public static Tensor operator +(Tensor a, Tensor b) => a.Add(b);
    public static Tensor operator +(Tensor a, double b) => a.Add(b);
    public static Tensor operator -(Tensor a, Tensor b) => a.Sub(b);
    public static Tensor operator -(Tensor a, double b) => a.Sub(b);
    public static Tensor operator -(Tensor a) => a.Neg();
    public static Tensor operator *(Tensor a, Tensor b) => a.Mul(b);
    public static Tensor operator *(Tensor a, double b) => a.Mul(b);
    public static Tensor operator *(double a, Tensor b) => b.Mul(a);
    public static Tensor operator /(Tensor a, Tensor b) => a.Div(b);
    public static Tensor operator /(Tensor a, double b) => a.Div(b);
}

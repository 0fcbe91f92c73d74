using Gradus.Engine.Ops;

namespace Gradus.Engine.Tensors;

// In place: one line an operator; shapes broadcast as in PyTorch.
public sealed partial class Tensor
{
    private static readonly Op s_addInPlaceTensor = Op.Find("aten::add_.Tensor", "self, other, alpha");
    private static readonly Op s_addInPlaceScalar = Op.Find("aten::add_.Scalar", "self, other");
    private static readonly Op s_mulInPlaceTensor = Op.Find("aten::mul_.Tensor", "self, other");
    private static readonly Op s_mulInPlaceScalar = Op.Find("aten::mul_.Scalar", "self, other");
    private static readonly Op s_divInPlaceTensor = Op.Find("aten::div_.Tensor", "self, other");
    private static readonly Op s_sqrtInPlace = Op.Find("aten::sqrt_", "self");
    private static readonly Op s_addcmulInPlace = Op.Find("aten::addcmul_", "self, tensor1, tensor2, value");
    private static readonly Op s_addcdivInPlace = Op.Find("aten::addcdiv_", "self, tensor1, tensor2, value");
    private static readonly Op s_lerpInPlaceScalar = Op.Find("aten::lerp_.Scalar", "self, end, weight");
    private static readonly Op s_copyInPlace = Op.Find("aten::copy_", "self, src");
    private static readonly Op s_fillInPlaceScalar = Op.Find("aten::fill_.Scalar", "self, value");
    private static readonly Op s_zeroInPlace = Op.Find("aten::zero_", "self");
    private static readonly Op s_bernoulliInPlaceFloat = Op.Find("aten::bernoulli_.float", "self, p");
    private static readonly Op s_indexAddInPlace = Op.Find("aten::index_add_", "self, dim, index, source");
    private static readonly Op s_scatterInPlaceValue = Op.Find("aten::scatter_.value", "self, dim, index, value");

    /// <summary>self += alpha · other</summary>
    public void AddInPlace(Tensor other, double alpha = 1) => s_addInPlaceTensor.Run(this, other, alpha);
    public void AddInPlace(double other) => s_addInPlaceScalar.Run(this, other);
    public void MulInPlace(Tensor other) => s_mulInPlaceTensor.Run(this, other);
    public void MulInPlace(double other) => s_mulInPlaceScalar.Run(this, other);
    public void DivInPlace(Tensor other) => s_divInPlaceTensor.Run(this, other);
    public void SqrtInPlace() => s_sqrtInPlace.Run(this);
    /// <summary>self += value · a · b</summary>
    public void AddCMulInPlace(Tensor a, Tensor b, double value) => s_addcmulInPlace.Run(this, a, b, value);
    /// <summary>self += value · a / b</summary>
    public void AddCDivInPlace(Tensor a, Tensor b, double value) => s_addcdivInPlace.Run(this, a, b, value);
    /// <summary>self += weight · (end - self)</summary>
    public void LerpInPlace(Tensor end, double weight) => s_lerpInPlaceScalar.Run(this, end, weight);
    public void CopyFrom(Tensor source) => s_copyInPlace.Run(this, source);
    public void Fill(double value) => s_fillInPlaceScalar.Run(this, value);
    public void Zero() => s_zeroInPlace.Run(this);
    /// <summary>Draws of 0 and 1 from the default generator.</summary>
    public void BernoulliInPlace(double p) => s_bernoulliInPlaceFloat.Run(this, p);
    public void IndexAddInPlace(int dim, Tensor index, Tensor source) => s_indexAddInPlace.Run(this, dim, index, source);
    public void ScatterInPlace(int dim, Tensor index, double value) => s_scatterInPlaceValue.Run(this, dim, index, value);
}

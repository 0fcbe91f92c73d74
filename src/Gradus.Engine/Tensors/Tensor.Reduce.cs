using Gradus.Engine.Ops;

namespace Gradus.Engine.Tensors;

// Reductions: one line an operator; shapes broadcast as in PyTorch.
public sealed partial class Tensor
{
    private static readonly Op s_sum = Op.Find("aten::sum", "self");
    private static readonly Op s_sumDimIntList = Op.Find("aten::sum.dim_IntList", "self, dim, keepdim, dtype");
    private static readonly Op s_mean = Op.Find("aten::mean", "self");
    private static readonly Op s_meanDim = Op.Find("aten::mean.dim", "self, dim, keepdim");
    private static readonly Op s_max = Op.Find("aten::max", "self");
    private static readonly Op s_min = Op.Find("aten::min", "self");
    private static readonly Op s_argmax = Op.Find("aten::argmax", "self, dim");
    private static readonly Op s_linalgVectorNorm = Op.Find("aten::linalg_vector_norm", "self, ord");
    private static readonly Op s_all = Op.Find("aten::all", "self");
    private static readonly Op s_any = Op.Find("aten::any", "self");
    private static readonly Op s_cumsum = Op.Find("aten::cumsum", "self, dim");
    private static readonly Op s_logsumexp = Op.Find("aten::logsumexp", "self, dim, keepdim");

    public Tensor Sum() => s_sum.Call(this);
    public Tensor Sum(long[] dims, bool keepDim = false, DType? type = null) => s_sumDimIntList.Call(this, dims, keepDim, type);
    public Tensor Mean() => s_mean.Call(this);
    public Tensor Mean(long[] dims, bool keepDim = false) => s_meanDim.Call(this, dims, keepDim);
    public Tensor Max() => s_max.Call(this);
    public Tensor Min() => s_min.Call(this);
    public Tensor ArgMax(int dim) => s_argmax.Call(this, dim);
    public Tensor Norm(double order = 2) => s_linalgVectorNorm.Call(this, order);
    public Tensor All() => s_all.Call(this);
    public Tensor Any() => s_any.Call(this);
    public Tensor CumSum(int dim) => s_cumsum.Call(this, dim);
    public Tensor LogSumExp(long[] dims, bool keepDim = false) => s_logsumexp.Call(this, dims, keepDim);
}

using Gradus.Engine.Ops;

namespace Gradus.Engine.Tensors;

// Shape and indexing: one line an operator; shapes broadcast as in PyTorch.
public sealed partial class Tensor
{
    private static readonly Op s_view = Op.Find("aten::view", "self, size");
    private static readonly Op s_reshape = Op.Find("aten::reshape", "self, shape");
    private static readonly Op s_flattenUsingInts = Op.Find("aten::flatten.using_ints", "self, start_dim, end_dim");
    private static readonly Op s_transposeInt = Op.Find("aten::transpose.int", "self, dim0, dim1");
    private static readonly Op s_t = Op.Find("aten::t", "self");
    private static readonly Op s_permute = Op.Find("aten::permute", "self, dims");
    private static readonly Op s_unsqueeze = Op.Find("aten::unsqueeze", "self, dim");
    private static readonly Op s_squeezeDim = Op.Find("aten::squeeze.dim", "self, dim");
    private static readonly Op s_expand = Op.Find("aten::expand", "self, size");
    private static readonly Op s_narrow = Op.Find("aten::narrow", "self, dim, start, length");
    private static readonly Op s_selectInt = Op.Find("aten::select.int", "self, dim, index");
    private static readonly Op s_indexSelect = Op.Find("aten::index_select", "self, dim, index");
    private static readonly Op s_gather = Op.Find("aten::gather", "self, dim, index");
    private static readonly Op s_maskedFillScalar = Op.Find("aten::masked_fill.Scalar", "self, mask, value");
    private static readonly Op s_whereSelf = Op.Find("aten::where.self", "condition, self, other");
    private static readonly Op s_tril = Op.Find("aten::tril", "self, diagonal");
    private static readonly Op s_triu = Op.Find("aten::triu", "self, diagonal");
    private static readonly Op s_repeat = Op.Find("aten::repeat", "self, repeats");
    private static readonly Op s_repeatInterleaveSelfInt = Op.Find("aten::repeat_interleave.self_int", "self, repeats, dim");
    private static readonly Op s_cat = Op.Find("aten::cat", "tensors, dim");
    private static readonly Op s_stack = Op.Find("aten::stack", "tensors, dim");
    private static readonly Op s_splitTensor = Op.Find("aten::split.Tensor", "self, split_size, dim");
    private static readonly Op s_unbindInt = Op.Find("aten::unbind.int", "self, dim");
    private static readonly Op s_topk = Op.Find("aten::topk", "self, k, dim");
    private static readonly Op s_sort = Op.Find("aten::sort", "self, dim, descending");
    private static readonly Op s_maxDim = Op.Find("aten::max.dim", "self, dim");

    public Tensor View(params long[] shape) => s_view.Call(this, shape);
    public Tensor Reshape(params long[] shape) => s_reshape.Call(this, shape);
    public Tensor Flatten(int from, int to) => s_flattenUsingInts.Call(this, from, to);
    public Tensor Transpose(int a, int b) => s_transposeInt.Call(this, a, b);
    /// <summary>Transpose of a matrix.</summary>
    public Tensor T() => s_t.Call(this);
    public Tensor Permute(params long[] dims) => s_permute.Call(this, dims);
    public Tensor Unsqueeze(int dim) => s_unsqueeze.Call(this, dim);
    public Tensor Squeeze(int dim) => s_squeezeDim.Call(this, dim);
    public Tensor Expand(params long[] shape) => s_expand.Call(this, shape);
    /// <summary>Elements from … from + length - 1 of one dimension; a view.</summary>
    public Tensor Narrow(int dim, long from, long length) => s_narrow.Call(this, dim, from, length);
    public Tensor Select(int dim, long index) => s_selectInt.Call(this, dim, index);
    public Tensor IndexSelect(int dim, Tensor index) => s_indexSelect.Call(this, dim, index);
    public Tensor Gather(int dim, Tensor index) => s_gather.Call(this, dim, index);
    public Tensor MaskedFill(Tensor mask, double value) => s_maskedFillScalar.Call(this, mask, value);
    /// <summary>this where the condition holds, other elsewhere.</summary>
    public Tensor Where(Tensor condition, Tensor other) => s_whereSelf.Call(condition, this, other);
    public Tensor Tril(long diagonal = 0) => s_tril.Call(this, diagonal);
    public Tensor Triu(long diagonal = 0) => s_triu.Call(this, diagonal);
    public Tensor Repeat(params long[] times) => s_repeat.Call(this, times);
    public Tensor RepeatInterleave(long times, int dim) => s_repeatInterleaveSelfInt.Call(this, times, dim);
    public static Tensor Cat(Tensor[] tensors, int dim) => s_cat.Call(tensors, dim);
    public static Tensor Stack(Tensor[] tensors, int dim) => s_stack.Call(tensors, dim);
    public Tensor[] Split(long size, int dim) => s_splitTensor.CallMany(this, size, dim);
    public Tensor[] Unbind(int dim) => s_unbindInt.CallMany(this, dim);
    /// <summary>Values and indices of the k largest, in falling order.</summary>
    public Tensor[] TopK(long k, int dim) => s_topk.CallMany(this, k, dim);
    /// <summary>Values and indices.</summary>
    public Tensor[] Sort(int dim, bool descending) => s_sort.CallMany(this, dim, descending);
    /// <summary>Values and indices.</summary>
    public Tensor[] Max(int dim) => s_maxDim.CallMany(this, dim);
}

using Gradus.Engine.Tensors;

namespace Gradus.Engine.Ops;

public static partial class F
{
    /// <summary>Each operation as its formula, from libtorch's own operators: any device, any floating type.</summary>
    public static partial class Plain
    {
        private static readonly Op s_linear = Op.Find("aten::linear", "input, weight, bias");
        private static readonly Op s_embedding = Op.Find("aten::embedding", "weight, indices");
        private static readonly Op s_layerNorm = Op.Find("aten::layer_norm", "input, normalized_shape, weight, bias, eps");
        private static readonly Op s_crossEntropy = Op.Find("aten::cross_entropy_loss", "self, target, weight, reduction, ignore_index, label_smoothing");

        /// <inheritdoc cref="F.Linear"/>
        public static Tensor Linear(Tensor x, Tensor weight, Tensor? bias = null, Tensor? computed = null)
        {
            ArgumentNullException.ThrowIfNull(weight);
            ArgumentNullException.ThrowIfNull(x);
            if (computed is null || computed.DType == weight.DType)
                return Gemm.Widens(weight) ? s_linear.Call(x.To(DType.Float32), weight.To(DType.Float32), bias?.To(DType.Float32)).To(weight.DType) : s_linear.Call(x, weight, bias);
            if (Gemm.Widens(computed)) return s_linear.Call(x.To(computed.DType).To(DType.Float32), weight.To(computed.DType).To(DType.Float32), bias?.To(computed.DType).To(DType.Float32)).To(computed.DType);
            return s_linear.Call(x.To(computed.DType), weight.To(computed.DType), bias?.To(computed.DType));
        }

        /// <inheritdoc cref="F.LinearCrossEntropySum"/>
        public static Tensor LinearCrossEntropySum(Tensor x, Tensor weight, Tensor targets, Tensor? computed = null) =>
            CrossEntropySum(Linear(x, weight, null, computed).To(x?.DType == DType.Float64 ? DType.Float64 : DType.Float32), targets);

        /// <inheritdoc cref="F.CrossEntropySum"/>
        public static Tensor CrossEntropySum(Tensor logits, Tensor targets) => s_crossEntropy.Call(logits, targets, Arg.None, 2, Ignore, 0.0);

        /// <inheritdoc cref="F.CrossEntropyEach"/>
        public static Tensor CrossEntropyEach(Tensor logits, Tensor targets, double smoothing = 0) => s_crossEntropy.Call(logits, targets, Arg.None, 0, Ignore, smoothing);

        /// <inheritdoc cref="F.Gelu"/>
        public static Tensor Gelu(Tensor x, bool tanh = false)
        {
            ArgumentNullException.ThrowIfNull(x);
            return x.Gelu(tanh);
        }

        /// <inheritdoc cref="F.SwiGlu"/>
        public static Tensor SwiGlu(Tensor gate, Tensor up)
        {
            ArgumentNullException.ThrowIfNull(gate);
            return gate.Silu() * up;
        }

        /// <inheritdoc cref="F.Rope"/>
        public static Tensor Rope(Tensor x, Tensor cos, Tensor sin)
        {
            ArgumentNullException.ThrowIfNull(x);
            ArgumentNullException.ThrowIfNull(cos);
            ArgumentNullException.ThrowIfNull(sin);
            var half = x.Size(3) / 2;
            var rotated = Tensor.Cat([-x.Narrow(3, half, half), x.Narrow(3, 0, half)], 3);
            return (x * cos.Unsqueeze(-2) + rotated * sin.Unsqueeze(-2)).To(x.DType);
        }

        /// <inheritdoc cref="F.Embedding"/>
        public static Tensor Embedding(Tensor weight, Tensor ids) => s_embedding.Call(weight, ids);

        /// <inheritdoc cref="F.LayerNorm"/>
        public static Tensor LayerNorm(Tensor x, Tensor weight, Tensor? bias, double eps)
        {
            ArgumentNullException.ThrowIfNull(weight);
            return s_layerNorm.Call(x, weight.Shape, weight, bias, eps);
        }

        /// <inheritdoc cref="F.RmsNorm"/>
        public static Tensor RmsNorm(Tensor x, Tensor weight, double eps)
        {
            ArgumentNullException.ThrowIfNull(x);
            var wide = x.DType == DType.Float64 ? x : x.To(DType.Float32);
            return (wide * (wide.Pow(2).Mean([-1], keepDim: true) + eps).Rsqrt()).To(x.DType) * weight;
        }

        /// <inheritdoc cref="F.Attention"/>
        public static Tensor Attention(Tensor q, Tensor k, Tensor v, bool causal, Tensor? documents = null, double dropout = 0)
        {
            ArgumentNullException.ThrowIfNull(q);
            ArgumentNullException.ThrowIfNull(k);
            ArgumentNullException.ThrowIfNull(v);
            var (queries, keys, group) = (q.Size(1), k.Size(1), q.Size(2) / k.Size(2));
            var (qBHTW, kBHSW, vBHSW) = (q.Transpose(1, 2), k.Transpose(1, 2), v.Transpose(1, 2));
            if (group > 1) (kBHSW, vBHSW) = (kBHSW.RepeatInterleave(group, 1), vBHSW.RepeatInterleave(group, 1));
            var scores = (qBHTW * (1 / Math.Sqrt(q.Size(3)))).MatMul(kBHSW.Transpose(2, 3));
            if (causal && queries > 1)
            {
                var seen = Tensor.Ones(DType.Bool, q.Device, queries, keys).Tril(keys - queries);
                scores = scores.MaskedFill(seen.LogicalNot(), double.NegativeInfinity);
            }
            if (documents is not null)
            {
                var hidden = documents.Unsqueeze(2).Equal(documents.Unsqueeze(1)).LogicalNot().LogicalAnd(documents.Unsqueeze(1).NotEqual(Everyone));
                scores = scores.MaskedFill(hidden.Unsqueeze(1), double.NegativeInfinity);
            }
            return Dropout(scores.Softmax(-1), dropout).MatMul(vBHSW).Transpose(1, 2);
        }
    }
}

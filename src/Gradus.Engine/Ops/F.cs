using Gradus.Engine.Tensors;

namespace Gradus.Engine.Ops;

/// <summary>
/// Composed and fused operations. The plain formula of each is in <see cref="Plain"/>: it serves other devices and types, and is the
/// oracle of the fast path. Shape letters: B batch, T time, D model width, H heads, W head width, V vocabulary.
/// </summary>
/// <remarks>
/// Fast paths run in C# on libtorch's threads. Results are the same bits for the same number of threads; with another number only
/// libtorch's and oneDNN's products may differ, because they may split their sums differently.
/// </remarks>
public static partial class F
{
    /// <summary>A target that no loss counts.</summary>
    public const int Ignore = -100;

    /// <summary>The document of a key that every document sees; see <see cref="Attention"/>.</summary>
    public const int Everyone = -1;

    /// <summary>Sum over the targets of -log softmax(logits)[target]; targets equal to <see cref="Ignore"/> count nothing. [N, V], [N] → scalar.</summary>
    public static Tensor CrossEntropySum(Tensor logits, Tensor targets) => Plain.CrossEntropySum(logits, targets);

    /// <summary>As <see cref="CrossEntropySum"/>, before the sum: the loss of each row, [N, V], [N] → [N]; a share of each target may be spread over all classes.</summary>
    public static Tensor CrossEntropyEach(Tensor logits, Tensor targets, double smoothing = 0) => Plain.CrossEntropyEach(logits, targets, smoothing);

    /// <summary>Zeroes each element with probability <paramref name="p"/> and scales the rest by 1 / (1 - p) (Srivastava et al., 2014). The identity at p = 0.</summary>
    public static Tensor Dropout(Tensor x, double p)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (p == 0) return x;
        var keep = Grad.Off(() =>
        {
            var mask = x.Detach().EmptyLike();
            mask.BernoulliInPlace(1 - p);
            mask.MulInPlace(1 / (1 - p));
            return mask;
        });
        return x * keep;
    }
}

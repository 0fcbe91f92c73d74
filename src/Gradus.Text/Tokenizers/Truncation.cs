namespace Gradus.Text.Tokenizers;

/// <summary>Cuts a text or a pair to a length, by the rules of Hugging Face's library.</summary>
internal static class Truncation
{
    /// <param name="first">The text.</param>
    /// <param name="second">The second of a pair, or null.</param>
    /// <param name="o">How.</param>
    /// <param name="reserved">Tokens that the post-processor will add.</param>
    public static (EncodingDraft First, EncodingDraft? Second) Apply(EncodingDraft first, EncodingDraft? second, TruncationOptions o, int reserved)
    {
        var length = o.MaxLength - reserved;
        if (length < 0 || o.Stride < 0)
            throw new ArgumentException($"truncation to {o.MaxLength} tokens with stride {o.Stride} leaves no room beside the {reserved} special tokens");
        var total = first.Tokens.Count + (second?.Tokens.Count ?? 0);
        if (length == 0)
            return (Cut(first, 0, o), second is null ? null : Cut(second, 0, o));
        if (total <= length)
            return (first, second);
        var excess = total - length;
        if (o.Strategy == TruncationStrategy.LongestFirst)
        {
            if (second is null)
                return (Cut(first, length, o), null);
            var (n1, n2) = Lengths(first.Tokens.Count, second.Tokens.Count, length);
            return (Cut(first, n1, o), Cut(second, n2, o));
        }

        var target = o.Strategy == TruncationStrategy.OnlyFirst ? first : second ?? throw new ArgumentException("truncation of the second text only, but there is no second text");
        if (target.Tokens.Count <= excess)
            throw new ArgumentException($"truncation to {o.MaxLength} tokens: the text that may be cut has only {target.Tokens.Count} of the {excess} tokens that are too many");
        var cut = Cut(target, target.Tokens.Count - excess, o);
        return o.Strategy == TruncationStrategy.OnlyFirst ? (cut, second) : (first, cut);
    }

    private static (int First, int Second) Lengths(int first, int second, int length)
    {
        var (shorter, longer) = (Math.Min(first, second), Math.Max(first, second));
        longer = shorter > length ? shorter : Math.Max(shorter, length - shorter);
        if (shorter + longer > length)
            (shorter, longer) = (length / 2, length / 2 + length % 2);
        return first > second ? (longer, shorter) : (shorter, longer);
    }

    private static EncodingDraft Cut(EncodingDraft text, int length, TruncationOptions o)
    {
        if (length > 0 && length < text.Tokens.Count && o.Stride >= length)
            throw new ArgumentException($"the stride of truncation, {o.Stride}, must be less than the {length} tokens that remain");
        return text.Truncated(length, o.Stride, o.Direction == CutSide.Left);
    }
}

using Gradus.Text.Tokenizers;

namespace Gradus.Text.Data.Rows;

/// <summary>What a tokenizer puts round a text.</summary>
/// <param name="Before">Ids before it: <c>[CLS]</c>.</param>
/// <param name="After">Ids after it: <c>[SEP]</c>.</param>
internal readonly record struct RowFrame(int[] Before, int[] After)
{
    public static RowFrame Of(Tokenizer tokenizer)
    {
        int[] framed = tokenizer.Encode("a"), plain = tokenizer.Encode("a", addSpecialTokens: false);
        var at = plain.Length == 0 ? 0 : framed.AsSpan().IndexOf(plain);
        return at < 0 ? new([], []) : new(framed[..at], framed[(at + plain.Length)..]);
    }
}

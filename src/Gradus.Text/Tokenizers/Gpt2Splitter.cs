using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers;

/// <summary>GPT-2's cuts: words with the space before them, numbers, other signs, white space.</summary>
[Component("gpt2")]
public sealed record Gpt2PreTokenizerOptions : PreTokenizerOptions
{
    // The same pattern as tiktoken writes it now, with and without possessive quantifiers.
    private static readonly string[] s_spellings =
    [
        Gpt2Splitter.Published,
        @"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
        @"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s",
    ];

    internal override Splitter Build() => Gpt2Splitter.Instance;

    internal override Splitter? Knows(string pattern) => s_spellings.Contains(pattern) ? Gpt2Splitter.Instance : null;
}

/// <summary>GPT-2's pattern as a hand-written scanner over UTF-8 bytes.</summary>
/// <param name="digitsAlone">Every digit is a piece of its own, cut out before the pattern sees the text (StarCoder).</param>
internal sealed class Gpt2Splitter(bool digitsAlone = false) : ScanSplitter
{
    public const string Published = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    public static Gpt2Splitter Instance { get; } = new();

    public static Gpt2Splitter WithDigitsAlone { get; } = new(digitsAlone: true);

    public override string Pattern => string.Join(" then ", Steps);

    public override IReadOnlyList<string> Steps => digitsAlone ? [@"\p{N}", Published] : [Published];

    protected override int PieceEnd(ReadOnlySpan<byte> text, int at)
    {
        var first = text[at];
        if (first == '\'')
        {
            var contraction = Contraction(text, at);
            if (contraction != 0)
                return at + contraction;
        }

        var from = first == ' ' && at + 1 < text.Length ? at + 1 : at;
        var kind = CharClass.At(text, from, out var length);
        return kind switch
        {
            CharClass.Letter => LettersFrom(text, from + length),
            CharClass.Number when digitsAlone => from + (from == at ? length : 0),
            CharClass.Space => SpacesFrom(text, at, digitsAlone),
            _ => RunFrom(text, from + length, kind),
        };
    }

    /// <summary>The length of <c>'s 't 're 've 'm 'll 'd</c> at the apostrophe, or 0.</summary>
    private static int Contraction(ReadOnlySpan<byte> text, int at)
    {
        if (at + 1 >= text.Length)
            return 0;
        var second = text[at + 1];
        if (second is (byte)'s' or (byte)'t' or (byte)'m' or (byte)'d')
            return 2;
        if (at + 2 >= text.Length)
            return 0;
        var third = text[at + 2];
        return (second is (byte)'r' or (byte)'v' && third == 'e') || (second == 'l' && third == 'l') ? 3 : 0;
    }
}

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
internal sealed class Gpt2Splitter : Splitter
{
    public const string Published = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    public static Gpt2Splitter Instance { get; } = new();

    public override string Pattern => Published;

    public override int SafeCut(ReadOnlySpan<byte> text, int from) => CutAfterWord(text, from);

    public override int Split(ReadOnlySpan<byte> text, ref int position, Span<Piece> pieces)
    {
        var count = 0;
        var at = position;
        while (at < text.Length && count < pieces.Length)
        {
            var end = PieceEnd(text, at);
            pieces[count++] = new(at, end);
            at = end;
        }

        position = at;
        return count;
    }

    private static int PieceEnd(ReadOnlySpan<byte> text, int at)
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
            CharClass.Space => SpacesFrom(text, at),
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

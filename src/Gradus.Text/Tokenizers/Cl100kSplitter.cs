using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers;

/// <summary>The cuts of GPT-3.5 and GPT-4: as gpt2, but numbers go by three digits, any sign may lead a word, and line breaks end a piece.</summary>
[Component("cl100k")]
public sealed record Cl100kPreTokenizerOptions : PreTokenizerOptions
{
    private static readonly string[] s_spellings =
    [
        Cl100kSplitter.Published,
        @"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+",
    ];

    internal override Splitter Build() => Cl100kSplitter.Instance;

    internal override Splitter? Knows(string pattern) =>
        s_spellings.Contains(pattern) ? Cl100kSplitter.Instance : pattern == Cl100kSplitter.Possessive ? Cl100kSplitter.WithWholeTail : null;
}

/// <summary>The pattern of cl100k (GPT-3.5, GPT-4) as a hand-written scanner over UTF-8 bytes.</summary>
/// <remarks>
/// tiktoken later rewrote the pattern with possessive quantifiers and gave white space at the very end of the text to one piece
/// (<c>\s++$</c>); the two differ on a text that ends in a line break followed by other white space, so both readings are here.
/// </remarks>
internal sealed class Cl100kSplitter(bool wholeTail) : Splitter
{
    public const string Published =
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    public const string Possessive =
        @"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s";

    public static Cl100kSplitter Instance { get; } = new(wholeTail: false);

    public static Cl100kSplitter WithWholeTail { get; } = new(wholeTail: true);

    public override string Pattern => wholeTail ? Possessive : Published;

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

    private int PieceEnd(ReadOnlySpan<byte> text, int at)
    {
        var first = text[at];
        if (first == '\'')
        {
            var contraction = Contraction(text, at);
            if (contraction != 0)
                return at + contraction;
        }

        var kind = CharClass.At(text, at, out var length);
        var next = at + length;
        if (kind == CharClass.Letter)
            return LettersFrom(text, next);
        if (kind == CharClass.Number)
            return Digits(text, next);

        if (next < text.Length && first is not ((byte)'\r' or (byte)'\n'))
        {
            // One character of any other kind leads a word: a space, but also a tab, a bracket or a dash.
            var nextKind = CharClass.At(text, next, out var nextLength);
            if (nextKind == CharClass.Letter)
                return LettersFrom(text, next + nextLength);
            if (first == ' ' && nextKind == CharClass.Other)
                return Symbols(text, next + nextLength);
        }

        return kind == CharClass.Other ? Symbols(text, next) : WhiteSpace(text, at);
    }

    private static int Digits(ReadOnlySpan<byte> text, int at)
    {
        for (var more = 0; more < 2 && at < text.Length && CharClass.At(text, at, out var length) == CharClass.Number; more++)
            at += length;
        return at;
    }

    /// <summary><c>[^\s\p{L}\p{N}]+[\r\n]*</c> after its first character.</summary>
    private static int Symbols(ReadOnlySpan<byte> text, int at)
    {
        at = RunFrom(text, at, CharClass.Other);
        while (at < text.Length && text[at] is (byte)'\r' or (byte)'\n')
            at++;
        return at;
    }

    /// <summary><c>\s*[\r\n]+|\s+(?!\S)|\s+</c>: up to the last line break of the run if there is one.</summary>
    private int WhiteSpace(ReadOnlySpan<byte> text, int at)
    {
        var lineEnd = 0;
        var last = at;
        var end = at;
        while (end < text.Length && CharClass.At(text, end, out var length) == CharClass.Space)
        {
            last = end;
            end += length;
            if (text[last] is (byte)'\r' or (byte)'\n')
                lineEnd = end;
        }

        if (wholeTail && end == text.Length)
            return end;
        if (lineEnd != 0)
            return lineEnd;
        return end == text.Length || last == at ? end : last;
    }

    /// <summary>The length of a contraction in any case at the apostrophe, or 0. Case folding makes U+017F, the long s, an s.</summary>
    private static int Contraction(ReadOnlySpan<byte> text, int at)
    {
        if (at + 1 >= text.Length)
            return 0;
        var second = text[at + 1] | 0x20;
        if (second is 's' or 't' or 'm' or 'd')
            return 2;
        if (at + 2 >= text.Length)
            return 0;
        var third = text[at + 2] | 0x20;
        if ((second is 'r' or 'v' && third == 'e') || (second == 'l' && third == 'l'))
            return 3;
        return text[at + 1] == 0xC5 && text[at + 2] == 0xBF ? 3 : 0;
    }
}

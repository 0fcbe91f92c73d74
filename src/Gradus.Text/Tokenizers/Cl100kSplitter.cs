using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers;

/// <summary>The cuts of GPT-3.5, GPT-4 and Llama 3: as gpt2, but numbers go by three digits, any sign may lead a word, and line breaks end a piece.</summary>
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

/// <summary>The pattern of cl100k (GPT-3.5, GPT-4, Llama 3) as a hand-written scanner over UTF-8 bytes.</summary>
/// <remarks>
/// tiktoken later rewrote the pattern with possessive quantifiers and gave white space at the very end of the text to one piece
/// (<c>\s++$</c>); the two differ on a text that ends in a line break followed by other white space, so both readings are here.
/// </remarks>
internal sealed class Cl100kSplitter(string pattern, int digits, bool wholeTail = false) : ScanSplitter
{
    public const string Published =
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    public const string Possessive =
        @"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s";

    public static Cl100kSplitter Instance { get; } = new(Published, digits: 3);

    public static Cl100kSplitter WithWholeTail { get; } = new(Possessive, digits: 3, wholeTail: true);

    public override string Pattern => pattern;

    protected override int PieceEnd(ReadOnlySpan<byte> text, int at)
    {
        var first = text[at];
        if (first == '\'')
        {
            var contraction = AnyCaseContraction(text, at);
            if (contraction != 0)
                return at + contraction;
        }

        var kind = CharClass.At(text, at, out var length);
        var next = at + length;
        if (kind == CharClass.Letter)
            return LettersFrom(text, next);
        if (kind == CharClass.Number)
            return DigitsFrom(text, next, digits - 1);

        if (next < text.Length && first is not ((byte)'\r' or (byte)'\n'))
        {
            // One character of any other kind leads a word: a space, but also a tab, a bracket or a dash.
            var nextKind = CharClass.At(text, next, out var nextLength);
            if (nextKind == CharClass.Letter)
                return LettersFrom(text, next + nextLength);
            if (first == ' ' && nextKind == CharClass.Other)
                return SymbolsFrom(text, next + nextLength, slash: false);
        }

        return kind == CharClass.Other ? SymbolsFrom(text, next, slash: false) : LinesFrom(text, at, wholeTail);
    }
}

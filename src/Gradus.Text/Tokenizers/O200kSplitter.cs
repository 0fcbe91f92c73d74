using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers;

/// <summary>The cuts of GPT-4o and gpt-oss: as cl100k, but a word also ends before a capital letter, and contractions stay with their word.</summary>
[Component("o200k")]
public sealed record O200kPreTokenizerOptions : PreTokenizerOptions
{
    internal override Splitter Build() => O200kSplitter.Instance;

    internal override Splitter? Knows(string pattern) => pattern == O200kSplitter.Published ? O200kSplitter.Instance : null;
}

/// <summary>The cuts of Mistral's Tekken: o200k without contractions, every digit a piece of its own.</summary>
[Component("tekken")]
public sealed record TekkenPreTokenizerOptions : PreTokenizerOptions
{
    internal override Splitter Build() => O200kSplitter.Tekken;

    internal override Splitter? Knows(string pattern) => pattern == O200kSplitter.PublishedTekken ? O200kSplitter.Tekken : null;
}

/// <summary>The pattern of o200k as a hand-written scanner over UTF-8 bytes.</summary>
/// <remarks>
/// A word is capitals, then small letters: <c>U*W+</c>, or else <c>U+W*</c>. Letters without case and marks are of both classes, which
/// makes the regex engine go back: where no small letter follows the capitals, the word ends behind the last of them without case.
/// </remarks>
internal sealed class O200kSplitter(string pattern, int digits, bool contractions) : ScanSplitter
{
    public const string Published =
        @"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    public const string PublishedTekken =
        @"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    private const byte InWord = CharClass.StartsWord | CharClass.EndsWord;

    public static O200kSplitter Instance { get; } = new(Published, digits: 3, contractions: true);

    public static O200kSplitter Tekken { get; } = new(PublishedTekken, digits: 1, contractions: false);

    public override string Pattern => pattern;

    protected override int PieceEnd(ReadOnlySpan<byte> text, int at)
    {
        var first = CharClass.Full(text, at, out var length);
        var next = at + length;
        var kind = first & CharClass.ClassMask;
        if (kind == CharClass.Letter)
            return WordEnd(text, at, out _);
        if (kind == CharClass.Number)
            return DigitsFrom(text, next, digits - 1);

        if (next < text.Length && text[at] is not ((byte)'\r' or (byte)'\n'))
        {
            var follower = CharClass.Full(text, next, out var followerLength);
            if ((follower & InWord) != 0)
            {
                var end = WordEnd(text, next, out var capitals);
                // A mark may lead the word or be one: before capitals alone it is one, since U*W+ is tried before U+W*.
                return capitals && (first & CharClass.Mark) != 0 ? Suffix(text, next) : end;
            }

            if (text[at] == ' ' && (follower & CharClass.ClassMask) == CharClass.Other)
                return SymbolsFrom(text, next + followerLength, slash: true);
        }

        if ((first & CharClass.Mark) != 0)
            return Suffix(text, next);
        return kind == CharClass.Other ? SymbolsFrom(text, next, slash: true) : LinesFrom(text, at);
    }

    /// <summary>The end of the word that begins at <paramref name="at"/> with a letter or mark; whether it is capitals alone.</summary>
    private int WordEnd(ReadOnlySpan<byte> text, int at, out bool capitals)
    {
        var end = at;
        var caseless = 0; // the end of the last letter without case
        capitals = false;
        while (end < text.Length)
        {
            var kind = CharClass.Full(text, end, out var length);
            if ((kind & CharClass.StartsWord) == 0)
            {
                if ((kind & CharClass.EndsWord) == 0)
                    break;
                return Suffix(text, SmallLettersFrom(text, end + length));
            }

            end += length;
            if ((kind & CharClass.EndsWord) != 0)
                caseless = end;
        }

        capitals = caseless == 0;
        return Suffix(text, capitals ? end : caseless);
    }

    private static int SmallLettersFrom(ReadOnlySpan<byte> text, int at)
    {
        while (at < text.Length && (CharClass.Full(text, at, out var length) & CharClass.EndsWord) != 0)
            at += length;
        return at;
    }

    private int Suffix(ReadOnlySpan<byte> text, int at) =>
        contractions && at < text.Length && text[at] == '\'' ? at + AnyCaseContraction(text, at) : at;
}

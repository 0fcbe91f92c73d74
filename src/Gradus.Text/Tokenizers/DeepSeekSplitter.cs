using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers;

/// <summary>The cuts of DeepSeek V3 and R1: numbers by three digits, runs of Chinese and kana, then words, signs and white space.</summary>
[Component("deepseek-v3")]
public sealed record DeepSeekPreTokenizerOptions : PreTokenizerOptions
{
    internal override Splitter Build() => DeepSeekSplitter.Instance;

    internal override Splitter? Knows(string pattern) => pattern == DeepSeekSplitter.Instance.Pattern ? DeepSeekSplitter.Instance : null;
}

/// <summary>DeepSeek's three patterns in one scan over UTF-8 bytes.</summary>
/// <remarks>
/// The third pattern sees only what the first two left or cut out: for it the text ends where a number, or a run of Chinese and kana,
/// begins or ends. What it does not match (control characters, mostly) is a piece from the last match to the next.
/// </remarks>
internal sealed class DeepSeekSplitter : ScanSplitter
{
    private const byte Letter = CharClass.Letter, Space = CharClass.Space, Other = CharClass.Other;

    public static DeepSeekSplitter Instance { get; } = new();

    public override IReadOnlyList<string> Steps { get; } =
    [
        @"\p{N}{1,3}",
        "[一-龥\u3040-ゟ゠-ヿ]+",
        @"[!""#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^" + "\r\n" + @"\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[" + "\r\n" + @"]*|\s*[" + "\r\n" + @"]+|\s+(?!\S)|\s+",
    ];

    public override string Pattern => string.Join(" then ", Steps);

    protected override int PieceEnd(ReadOnlySpan<byte> text, int at)
    {
        var first = CharClass.Full(text, at, out var length);
        var next = at + length;
        if ((first & CharClass.ClassMask) == CharClass.Number)
            return DigitsFrom(text, next, 2);
        var region = (byte)(first & CharClass.Cjk);
        if (text[at] < 0x80 && (first & CharClass.Sign) != 0 && next < text.Length && char.IsAsciiLetter((char)text[next]))
        {
            while (next < text.Length && char.IsAsciiLetter((char)text[next]))
                next++;
            return next;
        }

        if (IsWord(first))
            return WordFrom(text, next, region);
        if ((first & CharClass.Sign) != 0)
            return SignsFrom(text, next, region);
        var isBreak = text[at] is (byte)'\r' or (byte)'\n';
        if (!isBreak && In(text, next, region, out var follower, out var followerLength))
        {
            if (IsWord(follower))
                return WordFrom(text, next + followerLength, region);
            if (text[at] == ' ' && (follower & CharClass.Sign) != 0)
                return SignsFrom(text, next + followerLength, region);
        }

        return (first & CharClass.ClassMask) == Space ? SpacesFrom(text, at, region) : UnmatchedFrom(text, next, region);
    }

    private static bool IsWord(byte kind) => (kind & CharClass.ClassMask) == Letter || (kind & CharClass.Mark) != 0;

    /// <summary>The character at <paramref name="at"/>, if the third pattern sees it together with what is before it.</summary>
    private static bool In(ReadOnlySpan<byte> text, int at, byte region, out byte kind, out int length)
    {
        (kind, length) = (0, 0);
        if (at >= text.Length)
            return false;
        kind = CharClass.Full(text, at, out length);
        return (kind & CharClass.ClassMask) != CharClass.Number && (kind & CharClass.Cjk) == region;
    }

    private static int WordFrom(ReadOnlySpan<byte> text, int at, byte region)
    {
        while (In(text, at, region, out var kind, out var length) && IsWord(kind))
            at += length;
        return at;
    }

    private static int SignsFrom(ReadOnlySpan<byte> text, int at, byte region)
    {
        while (In(text, at, region, out var kind, out var length) && (kind & CharClass.Sign) != 0)
            at += length;
        while (region == 0 && at < text.Length && text[at] is (byte)'\r' or (byte)'\n')
            at++;
        return at;
    }

    /// <summary><c>\s*[\r\n]+|\s+(?!\S)|\s+</c>, where the text ends with the region.</summary>
    private static int SpacesFrom(ReadOnlySpan<byte> text, int at, byte region)
    {
        var (lineEnd, last, end) = (0, at, at);
        bool inside;
        while ((inside = In(text, end, region, out var kind, out var length)) && (kind & CharClass.ClassMask) == Space)
        {
            last = end;
            end += length;
            if (text[last] is (byte)'\r' or (byte)'\n')
                lineEnd = end;
        }

        return lineEnd != 0 ? lineEnd : !inside || last == at ? end : last;
    }

    /// <summary>No alternative matches here: on to the next character where one does.</summary>
    private static int UnmatchedFrom(ReadOnlySpan<byte> text, int at, byte region)
    {
        while (In(text, at, region, out var kind, out var length) && (kind & (CharClass.ClassMask | CharClass.Mark | CharClass.Sign)) == Other
            && !(In(text, at + length, region, out var follower, out _) && IsWord(follower)))
            at += length;
        return at;
    }
}

using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers;

/// <summary>Cuts by a regular expression of your own: its matches are pieces, and so is what lies between them.</summary>
[Component("regex")]
public sealed record RegexPreTokenizerOptions : PreTokenizerOptions
{
    /// <summary>The pattern, in .NET's syntax.</summary>
    public string Pattern { get; init; } = @"\s+|\S+";

    internal override Splitter Build() => ForPattern(Pattern, "pre_tokenizer.pattern");
}

/// <summary>Any other pattern, run by the framework's regex engine under a time limit: correct, and some fifty times slower than a scanner of our own.</summary>
/// <remarks>
/// The engine sees UTF-16 units, the references see code points; so every character beyond U+FFFF is shown to it as one character of
/// the same general category, and <c>\p{L}</c> means the same to both.
/// </remarks>
internal sealed class RegexSplitter : Splitter
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(3);
    private static readonly char[] s_standIns = MakeStandIns();
    private readonly Regex _regex;

    private RegexSplitter(string pattern, Regex regex) => (Pattern, _regex) = (pattern, regex);

    public override string Pattern { get; }

    public override bool AtOnce => true;

    /// <summary>A splitter whose pieces are the pattern's matches and what lies between them.</summary>
    /// <param name="pattern">The pattern.</param>
    /// <param name="where">File and field, for the error.</param>
    /// <exception cref="UserException">The pattern uses syntax that the framework's engine lacks, possessive quantifiers for example.</exception>
    public static RegexSplitter Make(string pattern, string where)
    {
        try
        {
            return new RegexSplitter(pattern, new Regex(pattern, RegexOptions.CultureInvariant | RegexOptions.Compiled, s_limit));
        }
        catch (ArgumentException e)
        {
            throw new UserException($"{where}: the pattern {pattern} is neither GPT-2's nor cl100k's, and .NET regular expressions cannot read it: {e.Message}", e);
        }
    }

    public override void SplitAll(ReadOnlySpan<byte> text, List<Piece> pieces)
    {
        var chars = new char[text.Length];
        var starts = new int[text.Length + 1]; // the byte where each character starts
        var count = 0;
        for (var at = 0; at < text.Length; count++)
        {
            Rune.DecodeFromUtf8(text[at..], out var rune, out var length);
            starts[count] = at;
            chars[count] = rune.IsBmp ? (char)rune.Value : s_standIns[(int)CharUnicodeInfo.GetUnicodeCategory(rune.Value)];
            at += length;
        }

        starts[count] = text.Length;
        var done = 0;
        try
        {
            foreach (var match in _regex.EnumerateMatches(chars.AsSpan(0, count)))
            {
                if (match.Length == 0)
                    continue;
                if (match.Index > done)
                    pieces.Add(new(starts[done], starts[match.Index]));
                done = match.Index + match.Length;
                pieces.Add(new(starts[match.Index], starts[done]));
            }
        }
        catch (RegexMatchTimeoutException e)
        {
            throw new UserException($"the tokenizer's pattern {Pattern} took more than {s_limit.TotalSeconds:0} s on one text of {text.Length} bytes: simplify the pattern or cut the text", e);
        }

        if (done < count)
            pieces.Add(new(starts[done], text.Length));
    }

    // For every general category its first character from U+0250 on: none of them is likely to be written out in a pattern.
    private static char[] MakeStandIns()
    {
        var standIns = new char[30];
        Array.Fill(standIns, '\uFFFD');
        for (var c = 0xFFFF; c >= 0x250; c--)
            standIns[(int)CharUnicodeInfo.GetUnicodeCategory(c)] = (char)c;
        return standIns;
    }
}

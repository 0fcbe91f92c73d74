using System.Globalization;

namespace Gradus.Text.Data.Analysis;

/// <summary>
/// Words as the statistics count them: runs of letters, marks and digits in lower case, an apostrophe or hyphen inside kept; each character
/// of a script without spaces (Chinese, Japanese kana, Thai, Lao, Khmer, Burmese) is a word of its own.
/// </summary>
internal static class Words
{
    /// <summary>The words of a text, in order.</summary>
    public static List<string> Of(string text)
    {
        var words = new List<string>();
        foreach (var (start, length) in Spans(text))
            words.Add(text.Substring(start, length).ToLowerInvariant());
        return words;
    }

    /// <summary>Where the words stand.</summary>
    public static IEnumerable<(int Start, int Length)> Spans(string text)
    {
        var start = -1;
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (IsAlone(c))
            {
                if (start >= 0)
                    yield return (start, i - start);
                yield return (i, 1);
                start = -1;
            }
            else if (IsPart(c))
            {
                start = start < 0 ? i : start;
            }
            else if (start >= 0 && !(c is '\'' or '’' or '-' && i + 1 < text.Length && IsPart(text[i + 1]) && !IsAlone(text[i + 1])))
            {
                yield return (start, i - start);
                start = -1;
            }
        }

        if (start >= 0)
            yield return (start, text.Length - start);
    }

    /// <summary>Sentences: up to a full stop, question or exclamation mark with white space behind it, or a line's end.</summary>
    public static IEnumerable<string> Sentences(string text)
    {
        var start = 0;
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            var ends = c == '\n' || c is '。' or '！' or '？' or '।' || (c is '.' or '!' or '?' && (i + 1 == text.Length || char.IsWhiteSpace(text[i + 1]) || text[i + 1] is '"' or '”' or '\'' or ')'));
            if (!ends)
                continue;
            if (text.AsSpan(start, i + 1 - start).Trim() is { Length: > 1 } sentence)
                yield return sentence.ToString();
            start = i + 1;
        }

        if (text.AsSpan(start).Trim() is { Length: > 1 } last)
            yield return last.ToString();
    }

    private static bool IsPart(char c) => c < 0x80 ? char.IsAsciiLetterOrDigit(c) : char.IsLetterOrDigit(c) || char.IsSurrogate(c) || CharUnicodeInfo.GetUnicodeCategory(c) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark;

    private static bool IsAlone(char c) => c >= 0x0E00 && c is (>= '\u3040' and <= '\u30FF') or (>= '\u3400' and <= '\u9FFF') or (>= '\uF900' and <= '\uFAFF') or (>= '\u0E01' and <= '\u0EDF') or (>= '\u1000' and <= '\u109F') or (>= '\u1780' and <= '\u17D3') && char.IsLetter(c);
}

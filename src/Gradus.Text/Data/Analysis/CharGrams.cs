using System.Globalization;
using Gradus.Foundation.Kernels;

namespace Gradus.Text.Data.Analysis;

/// <summary>
/// Character n-grams of a text for language identification: letters and marks in lower case, everything else a single space, a space at both
/// ends. Each n-gram is a 32-bit hash; of some millions of them a few hundred share one, which moves no result.
/// </summary>
internal static class CharGrams
{
    /// <summary>Longest n-gram.</summary>
    public const int Longest = 5;

    /// <summary>The text as n-grams see it.</summary>
    /// <param name="text">Any text.</param>
    /// <param name="most">Characters that are enough; the rest is not looked at.</param>
    public static string Normal(ReadOnlySpan<char> text, int most = int.MaxValue)
    {
        var buffer = new char[(int)Math.Min((long)text.Length + 2, (long)most + 2)];
        var n = 0;
        buffer[n++] = ' ';
        foreach (var c in text)
        {
            if (n + 1 >= buffer.Length)
                break;
            if (IsLetter(c))
                buffer[n++] = char.ToLowerInvariant(c);
            else if (buffer[n - 1] != ' ')
                buffer[n++] = ' ';
        }

        if (buffer[n - 1] != ' ')
            buffer[n++] = ' ';
        return new string(buffer, 0, n);
    }

    /// <summary>The hash of the n-gram that ends before <paramref name="end"/>.</summary>
    public static uint Hash(ReadOnlySpan<char> normal, int end, int n)
    {
        var low = (ulong)n;
        for (var i = end - n; i < end; i++)
            low = unchecked(low * 0x1_0000_01B3UL + normal[i]);
        return (uint)(Hash64.Mix(low) >> 32);
    }

    private static bool IsLetter(char c) => c < 0x80 ? char.IsAsciiLetter(c) : char.IsLetter(c) || char.IsSurrogate(c) || CharUnicodeInfo.GetUnicodeCategory(c) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark || c is '’' or 'ʼ' or '·';
}

using System.Runtime.CompilerServices;
using Gradus.Foundation.Kernels;

namespace Gradus.Text.Data.Dedup;

/// <summary>
/// Word n-grams of a text as hashes, for comparing texts: ASCII case, punctuation and white space do not count. Where a script has no
/// spaces (Chinese, Japanese) each character is a word. A text with fewer words than n is one n-gram.
/// </summary>
internal sealed class Shingles(int n)
{
    private const ulong Prime = 0x100000001B3, Start = 0xCBF29CE484222325;

    // 0: between words; else the byte as it counts.
    private static readonly byte[] s_bytes = Classes();

    private ulong[] _words = new ulong[1024];
    private uint[] _hashes = new uint[1024];

    /// <summary>Where the words of the last text are, when positions were asked for.</summary>
    public List<(int Start, int End)> Positions { get; } = [];

    /// <summary>The n-grams of a text, one for each place; valid until the next call. Empty for a text without words.</summary>
    public ReadOnlySpan<uint> Of(ReadOnlySpan<byte> text)
    {
        var wide = Wide(text, positions: false);
        if (_hashes.Length < wide.Length)
            _hashes = new uint[Math.Max(wide.Length, 2 * _hashes.Length)];
        for (var i = 0; i < wide.Length; i++)
            _hashes[i] = (uint)(wide[i] >> 32);
        return _hashes.AsSpan(0, wide.Length);
    }

    /// <summary>As <see cref="Of"/>, in 64 bits.</summary>
    public ReadOnlySpan<ulong> Wide(ReadOnlySpan<byte> text, bool positions)
    {
        var count = Words(text, positions);
        if (count == 0)
            return [];
        var grams = Math.Max(1, count - n + 1);
        for (var i = 0; i < grams; i++)
        {
            var hash = 0UL;
            for (var k = i; k < Math.Min(count, i + n); k++)
                hash = unchecked(hash * 0x9E3779B97F4A7C15 + _words[k]);
            _words[i] = Hash64.Mix(hash); // a word is not needed again once the n-gram that starts with it is made
        }

        return _words.AsSpan(0, grams);
    }

    /// <summary>The set of n-grams in order, each once: what an exact comparison takes.</summary>
    public ulong[] SetOf(ReadOnlySpan<byte> text)
    {
        var set = Wide(text, positions: false).ToArray();
        Array.Sort(set);
        var n = 0;
        for (var i = 0; i < set.Length; i++)
            if (i == 0 || set[i] != set[i - 1])
                set[n++] = set[i];
        return set[..n];
    }

    /// <summary>Shared members over all members of two sorted sets; 0 when both are empty.</summary>
    public static double Jaccard(ReadOnlySpan<ulong> a, ReadOnlySpan<ulong> b)
    {
        var (i, j, shared) = (0, 0, 0);
        while (i < a.Length && j < b.Length)
        {
            if (a[i] == b[j])
            {
                shared++;
                i++;
                j++;
            }
            else if (a[i] < b[j])
                i++;
            else
                j++;
        }

        return a.Length + b.Length == 0 ? 0 : (double)shared / (a.Length + b.Length - shared);
    }

    private int Words(ReadOnlySpan<byte> text, bool positions)
    {
        Positions.Clear();
        var (count, at) = (0, 0);
        while (at < text.Length)
        {
            var c = s_bytes[text[at]];
            if (c == 0)
            {
                at++;
                continue;
            }

            if (c >= 0xE2 && Special(text, ref at, out var ideograph))
            {
                if (ideograph == 0)
                    continue;
                Add(ideograph, at - 3, at);
                continue;
            }

            var (start, hash) = (at, Start);
            do
            {
                hash = unchecked((hash ^ c) * Prime);
                at++;
                c = at < text.Length ? s_bytes[text[at]] : (byte)0;
            }
            while (c != 0 && !(c >= 0xE2 && IsSpecial(text, at)));
            Add(Hash64.Mix(hash), start, at);
        }

        return count;

        void Add(ulong word, int start, int end)
        {
            if (count == _words.Length)
                Array.Resize(ref _words, 2 * _words.Length);
            _words[count++] = word;
            if (positions)
                Positions.Add((start, end));
        }
    }

    /// <summary>A character that is a word alone, or punctuation beyond ASCII.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsSpecial(ReadOnlySpan<byte> text, int at) => at + 2 < text.Length && text[at] is >= 0xE2 and <= 0xEF && IsSpecial((text[at] & 0xF) << 12 | (text[at + 1] & 0x3F) << 6 | text[at + 2] & 0x3F);

    private static bool IsSpecial(int c) => c is >= 0x2000 and <= 0x206F or >= 0x3000 and <= 0x9FFF or >= 0xF900 and <= 0xFAFF or >= 0xFF00 and <= 0xFF0F;

    private static bool Special(ReadOnlySpan<byte> text, ref int at, out ulong ideograph)
    {
        ideograph = 0;
        if (!IsSpecial(text, at))
            return false;
        var c = (text[at] & 0xF) << 12 | (text[at + 1] & 0x3F) << 6 | text[at + 2] & 0x3F;
        ideograph = c is >= 0x3040 and <= 0x9FFF or >= 0xF900 and <= 0xFAFF ? Hash64.Mix((ulong)c) : 0;
        at += 3;
        return true;
    }

    private static byte[] Classes()
    {
        var classes = new byte[256];
        for (var b = 0; b < 256; b++)
            classes[b] = b >= 0x80 ? (byte)b : char.IsAsciiLetterUpper((char)b) ? (byte)(b | 0x20) : char.IsAsciiLetterLower((char)b) || char.IsAsciiDigit((char)b) ? (byte)b : (byte)0;
        return classes;
    }
}

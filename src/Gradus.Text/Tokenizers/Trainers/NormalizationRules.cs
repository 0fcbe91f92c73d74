using System.Globalization;
using System.Text;
using Gradus.Foundation.Files;
using Gradus.Text.Tokenizers.Normalizers;

namespace Gradus.Text.Tokenizers.Trainers;

/// <summary>The rules that new SentencePiece models are given, compiled: what SentencePiece builds from Unicode's tables under the same names.</summary>
internal static class NormalizationRules
{
    private const int Hangul = 0xAC00, HangulEnd = 0xD7A4;

    private static readonly string[] s_names = ["identity", "nfkc", "nmt_nfkc"];
    private static readonly Lazy<CharsMap> s_nfkc = new(() => CharsMap.Build(Nfkc())), s_nmt = new(() => CharsMap.Build(Nmt()));

    /// <summary>The rules of this name; null for none.</summary>
    public static CharsMap? Find(string name) => name switch
    {
        "identity" => null,
        "nfkc" => s_nfkc.Value,
        "nmt_nfkc" => s_nmt.Value,
        _ => throw new UserException($"normalization: '{name}' is unknown{NearestName.Hint(name, s_names)}"),
    };

    private static Dictionary<string, string> Nfkc()
    {
        var rules = new Dictionary<string, string>(StringComparer.Ordinal);
        var spellings = new Dictionary<int, List<string>>(); // a character → all single characters that decompose to it
        var sequences = new SortedSet<string>(StringComparer.Ordinal);
        for (var c = 1; c <= 0x10FFFF; c++)
        {
            if (c is < 0x80 or (>= 0xD800 and < 0xE000) || (c is < Hangul or >= HangulEnd && UnicodeData.Decompose(c, compatibility: true) is null))
                continue;
            var text = char.ConvertFromUtf32(c);
            var composed = Form(text, new NfkcNormalizer());
            if (composed != text)
                rules.Add(text, composed);
            var parts = Form(text, new NfkdNormalizer());
            if (parts.EnumerateRunes().Count() > 1)
                sequences.Add(parts);
            else
                (spellings.TryGetValue(char.ConvertToUtf32(parts, 0), out var list) ? list : spellings[char.ConvertToUtf32(parts, 0)] = []).Add(text);
        }

        foreach (var parts in sequences)
        {
            var composed = Form(parts, new NfcNormalizer());
            if (composed != parts)
                foreach (var spelling in Spellings(parts, spellings))
                    if (spelling != composed)
                        rules[spelling] = composed;
        }

        return rules;
    }

    private static Dictionary<string, string> Nmt()
    {
        var rules = Nfkc();
        foreach (var c in "\t\n\f\r\u1680\u200B\u200E\u200F\u2028\u2029\u2581\uFEFF\uFFFD\u200C")
            rules[c.ToString(CultureInfo.InvariantCulture)] = " ";
        for (var c = '\u0001'; c < ' '; c++)
            rules.TryAdd(c.ToString(CultureInfo.InvariantCulture), "");
        foreach (var c in "\u007F\u008F\u009F")
            rules[c.ToString(CultureInfo.InvariantCulture)] = "";
        rules.Remove("\uFF5E"); // the full-width tilde means something else in Japanese
        return rules;
    }

    /// <summary>Every sequence of the same length that decomposes to this one, itself included.</summary>
    private static IEnumerable<string> Spellings(string parts, Dictionary<int, List<string>> spellings)
    {
        IEnumerable<string> all = [""];
        foreach (var rune in parts.EnumerateRunes())
        {
            var ways = spellings.TryGetValue(rune.Value, out var others) ? [.. others, rune.ToString()] : new List<string> { rune.ToString() };
            all = all.SelectMany(_ => ways, (start, way) => start + way);
        }

        return all;
    }

    private static string Form(string text, Normalizer form)
    {
        var aligned = new AlignedText(Encoding.UTF8.GetBytes(text), track: false);
        form.Apply(aligned);
        return Encoding.UTF8.GetString(aligned.Bytes);
    }
}

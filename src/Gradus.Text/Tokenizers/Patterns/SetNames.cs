using System.Globalization;

namespace Gradus.Text.Tokenizers.Patterns;

/// <summary>The named sets of patterns: general categories, scripts, POSIX classes.</summary>
internal static class SetNames
{
    private const string Short = "Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Zs Zl Zp Cc Cf Cs Co Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Cn"; // in the order of UnicodeCategory

    private static readonly string[] s_short = Short.Split(' ');

    private static readonly Dictionary<string, string> s_long = new(StringComparer.Ordinal)
    {
        ["letter"] = "L", ["mark"] = "M", ["number"] = "N", ["separator"] = "Z", ["other"] = "C", ["punctuation"] = "P", ["symbol"] = "S",
        ["uppercaseletter"] = "Lu", ["lowercaseletter"] = "Ll", ["titlecaseletter"] = "Lt", ["modifierletter"] = "Lm", ["otherletter"] = "Lo",
        ["nonspacingmark"] = "Mn", ["spacingmark"] = "Mc", ["enclosingmark"] = "Me", ["decimalnumber"] = "Nd", ["letternumber"] = "Nl", ["othernumber"] = "No",
        ["spaceseparator"] = "Zs", ["control"] = "Cc", ["format"] = "Cf", ["privateuse"] = "Co", ["unassigned"] = "Cn",
        ["connectorpunctuation"] = "Pc", ["dashpunctuation"] = "Pd", ["openpunctuation"] = "Ps", ["closepunctuation"] = "Pe", ["initialpunctuation"] = "Pi",
        ["finalpunctuation"] = "Pf", ["otherpunctuation"] = "Po", ["mathsymbol"] = "Sm", ["currencysymbol"] = "Sc", ["modifiersymbol"] = "Sk", ["othersymbol"] = "So",
        ["cntrl"] = "Cc", ["digit"] = "Nd",
    };

    /// <summary>The set with this name and how .NET writes it, if it does; null when there is none.</summary>
    public static (CodeSet Set, string? Net)? Find(string name)
    {
        var plain = name.Replace("_", "", StringComparison.Ordinal).Replace(" ", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal).ToLowerInvariant();
        var category = s_long.GetValueOrDefault(plain) ?? (plain.Length is 1 or 2 ? char.ToUpperInvariant(plain[0]) + plain[1..] : "");
        if (category.Length > 0 && Categories(category) is { } set)
            return (set, $"\\p{{{category}}}");
        return plain switch
        {
            "any" => (CodeSet.All, null),
            "ascii" => (CodeSet.Range(0, 0x7F), null),
            "space" or "whitespace" => (Space, "\\s"),
            "word" => (Word, null),
            "alpha" or "alphabetic" => (Union("L", "Nl"), null),
            "alnum" => (Union("L", "Nl", "Nd"), null),
            "upper" or "uppercase" => (Categories("Lu")!, "\\p{Lu}"),
            "lower" or "lowercase" => (Categories("Ll")!, "\\p{Ll}"),
            "punct" => (Categories("P")!.Union(Of("$+<=>^`|~")), null),
            "blank" => (Categories("Zs")!.Union(Of("\t")), null),
            "xdigit" => (Of("0123456789abcdefABCDEF"), null),
            "assigned" => (Categories("Cn")!.Complement(), null),
            "graph" => (Union("Z", "Cc", "Cn", "Cs").Union(Space).Complement(), null),
            "print" => (Union("Cc", "Cn", "Cs").Complement(), null),
            _ => Script(name),
        };
    }

    public static CodeSet Space { get; } = CodeSet.Where(UnicodeData.IsPatternSpace);

    /// <summary>Word characters in brackets.</summary>
    public static CodeSet Word { get; } = Union("L", "M", "Nd", "Nl", "Pc");

    /// <summary>Word characters outside of brackets: Oniguruma has Latin-1's raised digits and fractions too.</summary>
    public static CodeSet WordAlone { get; } = Word.Union(Of("\u00B2\u00B3\u00B9\u00BC\u00BD\u00BE"));

    private static CodeSet Of(string characters) => characters.Aggregate(CodeSet.Empty, (set, c) => set.Union(CodeSet.Range(c, c)));

    private static CodeSet Union(params string[] categories) => categories.Aggregate(CodeSet.Empty, (set, c) => set.Union(Categories(c)!));

    private static CodeSet? Categories(string name)
    {
        CodeSet? set = null;
        for (var i = 0; i < s_short.Length; i++)
            if (s_short[i] == name || (name.Length == 1 && s_short[i][0] == name[0]))
                set = (set ?? CodeSet.Empty).Union(CodeSet.Category((UnicodeCategory)i));
        return set;
    }

    private static (CodeSet, string?)? Script(string name)
    {
        var number = UnicodeData.ScriptNamed(name);
        return number == 0 ? null : (CodeSet.Where(c => UnicodeData.Script(c) == number), null);
    }
}

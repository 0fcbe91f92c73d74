using System.Globalization;
using System.IO.Compression;

namespace Gradus.Text.Tokenizers;

/// <summary>
/// What Hugging Face's library believes of every code point: from a table asked of that library (tests/fixtures/tokenizers/unicode.mjs), so
/// that both agree on every character whatever Unicode version .NET and the system have. Read when first needed.
/// </summary>
internal static class UnicodeData
{
    private const byte White = 1, Punct = 2, Digit = 4, Control = 8, NonSpacing = 16, Combining = 32, Word = 64, PatternSpace = 128;

    private static readonly Lazy<Tables> s_tables = new(() => new Tables());

    /// <summary>White space as the library's own steps see it.</summary>
    public static bool IsWhiteSpace(int c) => (Class(c) & White) != 0;

    public static bool IsPunctuation(int c) => (Class(c) & Punct) != 0;

    public static bool IsNumeric(int c) => (Class(c) & Digit) != 0;

    /// <summary>Control, format, private and unassigned characters, but not tab, line feed and carriage return.</summary>
    public static bool IsControl(int c) => (Class(c) & Control) != 0;

    public static bool IsNonSpacingMark(int c) => (Class(c) & NonSpacing) != 0;

    public static bool IsCombiningMark(int c) => (Class(c) & Combining) != 0;

    /// <summary>A word character (<c>\w</c>).</summary>
    public static bool IsWord(int c) => (Class(c) & Word) != 0;

    /// <summary>White space as patterns see it (<c>\s</c>).</summary>
    public static bool IsPatternSpace(int c) => (Class(c) & PatternSpace) != 0;

    /// <summary>The lower case of a character; that of U+0130 is two characters and not here.</summary>
    public static int ToLower(int c) => c < 0x80 ? c is >= 'A' and <= 'Z' ? c | 0x20 : c : s_tables.Value.Lower.GetValueOrDefault(c, c);

    /// <summary>The number of the script; 0 where a character belongs to every script.</summary>
    public static int Script(int c) => s_tables.Value.Scripts[c >> 8] is { } page ? page[c & 0xFF] : 0;

    /// <summary>The number of the script with this name (<c>Han</c>), or 0.</summary>
    public static int ScriptNamed(string name) => s_tables.Value.ScriptNames.GetValueOrDefault(name);

    /// <summary>The order in which combining characters are sorted; 0 for those that are not moved.</summary>
    public static int CombiningClass(int c) => c < 0x300 ? 0 : s_tables.Value.CombiningClasses[c >> 8] is { } page ? page[c & 0xFF] : 0;

    /// <summary>The full decomposition of a character, or null. Hangul syllables are not here.</summary>
    public static int[]? Decompose(int c, bool compatibility) =>
        compatibility && s_tables.Value.Nfkd.TryGetValue(c, out var k) ? k : s_tables.Value.Nfd.GetValueOrDefault(c);

    /// <summary>The character that two become, or -1. Hangul is not here.</summary>
    public static int Compose(int first, int second) => s_tables.Value.Compositions.TryGetValue((first, second), out var c) ? c : -1;

    /// <summary>What a character does to its grapheme cluster.</summary>
    public static ClusterClass Cluster(int c) => s_tables.Value.Clusters[c >> 8] is { } page ? (ClusterClass)page[c & 0xFF] : ClusterClass.None;

    /// <summary>L, V or T where a character is a part of Hangul syllables, else 0.</summary>
    public static char Jamo(int c) => s_tables.Value.Jamos[c >> 8] is { } page ? (char)page[c & 0xFF] : '\0';

    /// <summary>What form NFC may do to a character.</summary>
    public static FormC Form(int c) => s_tables.Value.Forms[c >> 8] is { } page ? (FormC)page[c & 0xFF] : FormC.Plain;

    private static byte Class(int c) => s_tables.Value.Classes[c >> 8] is { } page ? page[c & 0xFF] : (byte)0;

    private sealed class Tables
    {
        public readonly byte[]?[] Classes = new byte[0x1100][], CombiningClasses = new byte[0x1100][], Scripts = new byte[0x1100][], Clusters = new byte[0x1100][], Jamos = new byte[0x1100][], Forms = new byte[0x1100][];
        public readonly Dictionary<int, int> Lower = [];
        public readonly Dictionary<int, int[]> Nfd = [], Nfkd = [];
        public readonly Dictionary<(int, int), int> Compositions = [];
        public readonly Dictionary<string, int> ScriptNames = new(StringComparer.Ordinal);

        public Tables()
        {
            using var packed = typeof(UnicodeData).Assembly.GetManifestResourceStream("Gradus.Text.Tokenizers.unicode.gz")!;
            using var reader = new StreamReader(new GZipStream(packed, CompressionMode.Decompress));
            while (reader.ReadLine() is { } line)
            {
                var entries = line.Split(' ');
                foreach (var entry in entries.AsSpan(1))
                    if (entry.Length > 0)
                        Add(entries[0], entry.Split(','));
            }

            FillForms();
        }

        private void Add(string section, string[] entry)
        {
            switch (section)
            {
                case "class":
                    Fill(Classes, entry, (byte)entry[2].Sum(letter => letter switch
                    {
                        'w' => White, 'p' => Punct, 'n' => Digit, 'c' => Control, 'm' => NonSpacing, 'M' => Combining, 'W' => Word, _ => PatternSpace,
                    }));
                    break;
                case "grapheme":
                    Fill(Clusters, entry, (byte)entry[2].Sum(letter => 1 << "jpcexkli".IndexOf(letter, StringComparison.Ordinal)));
                    break;
                case "jamo":
                    Fill(Jamos, entry, (byte)entry[2][0]);
                    break;
                case "combining":
                    Fill(CombiningClasses, entry, byte.Parse(entry[2], CultureInfo.InvariantCulture));
                    break;
                case "script":
                    if (!ScriptNames.TryGetValue(entry[2], out var script))
                        ScriptNames.Add(entry[2], script = ScriptNames.Count + 1);
                    Fill(Scripts, entry, checked((byte)script));
                    break;
                case "lower":
                    Lower.Add(Hex(entry[0]), Hex(entry[1]));
                    break;
                case "nfd":
                    Nfd.Add(Hex(entry[0]), [.. entry.Skip(1).Select(Hex)]);
                    break;
                case "nfkd":
                    Nfkd.Add(Hex(entry[0]), [.. entry.Skip(1).Select(Hex)]);
                    break;
                case "compose":
                    Compositions.Add((Hex(entry[0]), Hex(entry[1])), Hex(entry[2]));
                    break;
            }
        }

        private void FillForms()
        {
            for (var page = 0; page < CombiningClasses.Length; page++)
                if (CombiningClasses[page] is { } classes)
                    Forms[page] = [.. classes.Select(c => (byte)(c > 0 ? FormC.Mark : FormC.Plain))];
            foreach (var (_, second) in Compositions.Keys)
                Set(second, FormC.Joins);
            for (var vowel = 0x1161; vowel < 0x1176; vowel++)
                Set(vowel, FormC.Joins);
            for (var trail = 0x11A8; trail < 0x11C3; trail++)
                Set(trail, FormC.Joins);
            foreach (var c in Nfd.Keys.Except(Compositions.Values))
                Set(c, FormC.Never);

            void Set(int c, FormC form) => (Forms[c >> 8] ??= new byte[256])[c & 0xFF] = (byte)form;
        }

        private static void Fill(byte[]?[] pages, string[] run, byte value)
        {
            for (var c = Hex(run[0]); c <= Hex(run[1]); c++)
                (pages[c >> 8] ??= new byte[256])[c & 0xFF] = value;
        }

        private static int Hex(string text) => int.Parse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
    }
}

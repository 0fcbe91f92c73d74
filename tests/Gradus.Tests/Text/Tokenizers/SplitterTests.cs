using System.Text;
using System.Text.RegularExpressions;
using Gradus.Text.Tokenizers;

namespace Gradus.Tests.Text.Tokenizers;

/// <summary>The hand-written scanners against the published patterns in the framework's regex engine.</summary>
[Row("C1")]
public class SplitterTests
{
    // The engine works on UTF-16 units. It is shown one unit for each code point: for those beyond U+FFFF a character of the same category.
    // It does not fold U+017F (long s) to s, as Unicode and the Rust reference do, so the cl100k pattern names it; and it lacks possessive
    // quantifiers, which are atomic groups written shorter.
    private static readonly Regex s_gpt2 = new(Gpt2Splitter.Published, RegexOptions.CultureInvariant | RegexOptions.Compiled);
    private static readonly Regex s_cl100k = new(Cl100kSplitter.Published.Replace("(?i:'s", "(?i:'ſ|'s"), RegexOptions.CultureInvariant | RegexOptions.Compiled);
    private static readonly Regex s_possessive = new(
        @"'(?i:[sſdmt]|ll|ve|re)|(?>[^\r\n\p{L}\p{N}]?)(?>\p{L}+)|(?>\p{N}{1,3})| ?(?>[^\s\p{L}\p{N}]+)(?>[\r\n]*)|(?>\s+)\z|\s*[\r\n]|\s+(?!\S)|\s",
        RegexOptions.CultureInvariant | RegexOptions.Compiled);

    private static readonly Splitter[] s_all =
        [Gpt2Splitter.Instance, Cl100kSplitter.Instance, Cl100kSplitter.WithWholeTail, .. new[] { "qwen2", "o200k", "tekken", "deepseek-v3", "starcoder" }.Select(Scanner)];

    [Fact]
    public void Scanners_equal_their_patterns_on_random_text()
    {
        var random = new Random(20261120);
        for (var i = 0; i < 20_000; i++)
        {
            var text = RandomText(random);
            var bytes = Encoding.UTF8.GetBytes(text);
            Check(s_gpt2, Gpt2Splitter.Instance, text, bytes);
            Check(s_cl100k, Cl100kSplitter.Instance, text, bytes);
            Check(s_possessive, Cl100kSplitter.WithWholeTail, text, bytes);
        }
    }

    [Fact]
    public void Scanners_equal_their_patterns_around_every_code_point()
    {
        var text = new StringBuilder();
        for (var c = 0; c <= 0x10FFFF; c++)
        {
            if (!Rune.IsValid(c) || (c is > 0x33FFF and < 0xE0000 && c % 97 != 0)) // nothing is assigned there: a sample will do
                continue;
            text.Append(" a").Append(new Rune(c)).Append('1').Append(new Rune(c)).Append(" !").Append(new Rune(c)).Append('\'').Append(new Rune(c));
            if (text.Length > 16_000 || c == 0x10FFFF)
            {
                var bytes = Encoding.UTF8.GetBytes(text.ToString());
                Check(s_gpt2, Gpt2Splitter.Instance, text.ToString(), bytes);
                Check(s_cl100k, Cl100kSplitter.Instance, text.ToString(), bytes);
                text.Clear();
            }
        }
    }

    [Fact]
    public void The_regex_splitter_agrees_with_the_scanners()
    {
        var gpt2 = RegexSplitter.Make(Gpt2Splitter.Published, "test");
        var cl100k = RegexSplitter.Make(Cl100kSplitter.Published.Replace("(?i:'s", "(?i:'ſ|'s"), "test");
        var random = new Random(3);
        for (var i = 0; i < 3_000; i++)
        {
            var bytes = Encoding.UTF8.GetBytes(RandomText(random));
            Assert.Equal(All(Gpt2Splitter.Instance, bytes), All(gpt2, bytes));
            Assert.Equal(All(Cl100kSplitter.Instance, bytes), All(cl100k, bytes));
        }
    }

    [Theory]
    [InlineData("qwen2")]
    [InlineData("o200k")]
    [InlineData("tekken")]
    [InlineData("deepseek-v3")]
    [InlineData("starcoder")]
    public void Scanners_of_later_patterns_equal_the_regex_engine(string kind)
    {
        var scanner = Scanner(kind);
        var engine = Engine(scanner);
        var random = new Random(20261121);
        for (var i = 0; i < 10_000; i++)
            Equal(engine, scanner, Encoding.UTF8.GetBytes(RandomText(random)));

        var text = new StringBuilder();
        for (var c = 0; c <= 0x10FFFF; c++)
        {
            if (!Rune.IsValid(c) || (c is > 0x33FFF and < 0xE0000 && c % 97 != 0))
                continue;
            var r = new Rune(c).ToString();
            text.Append($" a{r}B{r}{r}c{r}D 1{r} !{r}'{r}本{r}ア{r}  {r}\n{r}");
            if (text.Length > 16_000 || c == 0x10FFFF)
            {
                Equal(engine, scanner, Encoding.UTF8.GetBytes(text.ToString()));
                text.Clear();
            }
        }
    }

    [Theory]
    [InlineData("o200k", "HELLOWorld's XMLParser", "HELLOWorld's| XMLParser")]
    [InlineData("o200k", "日本ABC ÉTÉ", "日本|ABC| ÉTÉ")]
    [InlineData("o200k", "a//\n/b", "a|//\n/|b")]
    [InlineData("qwen2", "in 2024", "in| |2|0|2|4")]
    [InlineData("starcoder", "a  12", "a|  |1|2")]
    [InlineData("deepseek-v3", "東京は12345、_abc", "東京は|123|45|、_|abc")]
    public void Later_patterns_cut_as_published(string kind, string text, string pieces)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        Assert.Equal(pieces, string.Join('|', All(Scanner(kind), bytes).Select(p => Encoding.UTF8.GetString(bytes, p.Start, p.End - p.Start))));
    }

    [Fact]
    public void Pieces_cover_any_bytes_without_gap()
    {
        var random = new Random(7);
        var bytes = new byte[97];
        for (var i = 0; i < 5_000; i++)
        {
            random.NextBytes(bytes);
            foreach (var splitter in s_all)
            {
                var at = 0;
                foreach (var piece in All(splitter, bytes))
                {
                    Assert.Equal(at, piece.Start);
                    Assert.True(piece.End > at);
                    at = piece.End;
                }

                Assert.Equal(bytes.Length, at);
            }
        }
    }

    [Fact]
    public void A_safe_cut_changes_no_piece()
    {
        var random = new Random(11);
        foreach (var splitter in s_all)
            for (var i = 0; i < 3_000; i++)
            {
                var bytes = Encoding.UTF8.GetBytes(RandomText(random) + RandomText(random));
                var cut = splitter.SafeCut(bytes, random.Next(bytes.Length + 1));
                var parts = All(splitter, bytes.AsSpan(0, cut));
                parts.AddRange(All(splitter, bytes.AsSpan(cut)).Select(p => new Piece(p.Start + cut, p.End + cut)));
                Assert.Equal(All(splitter, bytes), parts);
            }
    }

    [Fact]
    public void The_two_cl100k_patterns_differ_where_text_ends_in_space_after_a_line_break()
    {
        Assert.Equal([new(0, 1), new(1, 2), new(2, 4)], All(Cl100kSplitter.Instance, "a\n  "u8));
        Assert.Equal([new(0, 1), new(1, 4)], All(Cl100kSplitter.WithWholeTail, "a\n  "u8));
    }

    private static Splitter Scanner(string kind) =>
        ((PreTokenizerOptions)Activator.CreateInstance(Gradus.Foundation.Recipes.Components.Of(typeof(PreTokenizerOptions)).Single(c => c.Kind == kind).Type)!).Build();

    /// <summary>The scanner's patterns in the framework's engine, one after another; the engine does not fold U+017F to s.</summary>
    private static Splitter Engine(Splitter scanner) =>
        scanner.Steps.Select(step => (Splitter)RegexSplitter.Make(step.Replace("(?i:'s", "(?i:'ſ|'s"), "test")).Aggregate((first, second) => new ChainSplitter(first, second));

    private static void Equal(Splitter expected, Splitter actual, byte[] bytes)
    {
        var (wanted, got) = (All(expected, bytes), All(actual, bytes));
        var at = wanted.Zip(got).TakeWhile(p => p.First == p.Second).Count();
        if (at == wanted.Count && at == got.Count)
            return;
        var start = at == 0 ? 0 : wanted[at - 1].Start;
        Assert.Fail($"{actual.Pattern}\non …{System.Text.Json.JsonSerializer.Serialize(Encoding.UTF8.GetString(bytes.AsSpan(start, Math.Min(40, bytes.Length - start))))}\nfrom {start}: expected {string.Join(' ', wanted.Skip(at).Take(4))}\nactual {string.Join(' ', got.Skip(at).Take(4))}");
    }

    private static void Check(Regex regex, Splitter splitter, string text, byte[] bytes)
    {
        var shown = new StringBuilder();
        List<int> starts = [];
        var at = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            shown.Append(rune.IsBmp ? (char)rune.Value : StandIn(rune));
            starts.Add(at);
            at += rune.Utf8SequenceLength;
        }

        starts.Add(at);
        List<Piece> expected = [];
        foreach (var match in regex.EnumerateMatches(shown.ToString()))
            expected.Add(new(starts[match.Index], starts[match.Index + match.Length]));
        var actual = All(splitter, bytes);
        if (!expected.SequenceEqual(actual))
            Assert.Fail($"{splitter.Pattern}\non {System.Text.Json.JsonSerializer.Serialize(text)}\nexpected {string.Join(' ', expected)}\nactual   {string.Join(' ', actual)}");
    }

    private static char StandIn(Rune rune) => Rune.IsLetter(rune) ? 'ª' : Rune.IsNumber(rune) ? '²' : Rune.IsWhiteSpace(rune) ? '\u3000' : '§';

    private static List<Piece> All(Splitter splitter, ReadOnlySpan<byte> text)
    {
        var pieces = new List<Piece>();
        splitter.SplitAll(text, pieces);
        return pieces;
    }

    private static string RandomText(Random random)
    {
        string[] bits = [" ", "  ", "\n", "\r\n", "\t", "'s", "'S", "'ll", "'LL", "'Re", "'ſ", "'", "a", "word", "Zz", "1", "2345", "!", "...", "é", "ſ", "日本", "٣", "Ⅷ", "½", "\u00A0", "\u0085", "\u2028", "\u3000", "\u200B", "🤗", "𝒜", "𝟘", "\u0301", "\0", "_", "HTML", "iPhone", "ǅ", "ʰ", "ア・ー", "一", "\u3099", "👩‍💻", "/", "\u0301", "$x", "Ａ", "𝐀𝐚"];
        var text = new StringBuilder();
        var count = random.Next(0, 24);
        for (var i = 0; i < count; i++)
            switch (random.Next(8))
            {
                case 0:
                    int c;
                    do
                        c = random.Next(3) == 0 ? random.Next(0x110000) : random.Next(0x3100);
                    while (!Rune.IsValid(c));
                    text.Append(new Rune(c));
                    break;
                case 1:
                    text.Append((char)random.Next(0x80));
                    break;
                case 2:
                    text.Append((char)('a' + random.Next(26)), random.Next(40)); // longer than one vector
                    break;
                default:
                    text.Append(bits[random.Next(bits.Length)]);
                    break;
            }

        return text.ToString();
    }
}

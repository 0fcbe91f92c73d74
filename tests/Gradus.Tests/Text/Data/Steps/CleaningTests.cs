using System.Text;
using Gradus.Foundation.Files;
using Gradus.Text.Data.Steps;

namespace Gradus.Tests.Text.Data.Steps;

public sealed class CleaningTests
{
    [Theory]
    [InlineData("plain ASCII\nand a\ttab", "plain ASCII\nand a\ttab")]
    [InlineData("cafÃ© and naÃ¯ve", "café and naïve")]
    [InlineData("itâ€™s â€œquotedâ€\u009d", "it’s “quoted”")]
    [InlineData("dÃƒÂ©jÃƒÂ\u00A0 vu", "déjà vu")] // twice misread
    [InlineData("smile ðŸ˜€!", "smile 😀!")]
    [InlineData("price 5 â‚¬", "price 5 €")]
    [InlineData("Â© 2024", "© 2024")]
    [InlineData("Ð¼Ð¸Ñ€", "мир")]
    [InlineData("SÃO PAULO «é» Ünïcödé ÅNGSTRÖM", "SÃO PAULO «é» Ünïcödé ÅNGSTRÖM")] // right as it is
    [InlineData("a\r\nb\rc\u2028d\u0085e", "a\nb\nc\nd\ne")]
    [InlineData("ze\u200Bro\uFEFF wi\u00ADdth \u202Eno bidi", "zero width no bidi")]
    [InlineData("bell\a null\0 escape\u001B[0m", "bell null escape[0m")]
    [InlineData("e\u0301 A\u030A \u1100\u1161", "é Å 가")]
    [InlineData("می\u200Cخواهم 👩\u200D👩\u200D👧", "می\u200Cخواهم 👩\u200D👩\u200D👧")] // joiners are needed
    [Row("B2")]
    public void Unicode_is_put_right(string text, string expected) => Assert.Equal(expected, StepRun.Of(new UnicodeRepair(), text).Text);

    [Fact]
    [Row("B2")]
    public void What_is_repaired_is_counted_and_nothing_else_is()
    {
        Assert.Equal(new Dictionary<string, long> { ["mojibake"] = 2, ["control-character"] = 1 }, StepRun.Of(new UnicodeRepair(), "cafÃ© Ã\u00A0la\a").Edits);
        Assert.Empty(StepRun.Of(new UnicodeRepair(), "café à la carte").Edits);
        Assert.Equal("control-characters-only", StepRun.Of(new UnicodeRepair(), "\u200B\u0001").Rule);
        Assert.Equal("cafÃ©", StepRun.Of(new UnicodeRepair { Mojibake = false }, "cafÃ©").Text);
    }

    [Theory]
    [InlineData("  two   spaces \u00A0 and\ttab  \n\n\n\nnext\u3000line \n", "two spaces and tab\n\nnext line")]
    [InlineData("\n\n a\n b\n\n", "a\nb")]
    [InlineData("already clean\n\nand so on", "already clean\n\nand so on")]
    [Row("B2")]
    public void White_space_is_normal(string text, string expected) => Assert.Equal(expected, StepRun.Of(new Whitespace(), text).Text);

    [Fact]
    [Row("B2")]
    public void Indentation_stays_where_it_is_wanted()
    {
        Assert.Equal("def f():\n    return  1".Replace("  1", " 1", StringComparison.Ordinal), StepRun.Of(new Whitespace { KeepIndentation = true }, "def f():  \n    return  1\n").Text);
        Assert.Equal("blank", StepRun.Of(new Whitespace(), " \n\t \u00A0").Rule);
        Assert.Equal("a\n\n\nb", StepRun.Of(new Whitespace { MaxBlankLines = 2 }, "a\n\n\n\n\nb").Text);
    }

    public static TheoryData<string> Cleaners => ["unicode", "whitespace", "indentation", "pii", "boilerplate", "c4"];

    [Theory]
    [MemberData(nameof(Cleaners))]
    [Row("B2")]
    public void Cleaning_twice_is_cleaning_once(string name)
    {
        LocalStep step = name switch
        {
            "unicode" => new UnicodeRepair(),
            "whitespace" => new Whitespace(),
            "indentation" => new Whitespace { KeepIndentation = true, MaxBlankLines = 3 },
            "pii" => new PiiStep(),
            "boilerplate" => new BoilerplateLines { MaxRemovedWords = 1 },
            _ => new C4Quality { MinSentences = 0 },
        };
        var draws = new Counter(11, "clean " + name);
        var (n, changed) = (0UL, 0);
        // Pieces that each mean something to one of the steps, in any order.
        string[] pieces = ["a", "é", "e\u0301", "Ã", "©", "¯", "â", "€", "™", "Ã©", "ðŸ˜€", "\u0080", "\u200B", "\r", "\n", "\n\n", " ", "\u00A0", "\t", "\u0300", "Home", "3 likes", "2024", "CAPITALS ONLY",
            "A sentence of five words.", "me@example.com", "4111 1111 1111 1111", "+1 212 555 0123", "8.8.8.8", "DE89 3704 0044 0532 0130 00", "[1]", "\uFEFF", "\u1100", "\u1161", "\u11A8", "क", "़", "Å", "\u2028", "_", "-", "."];
        for (var i = 0; i < 3000; i++)
        {
            var text = new StringBuilder();
            for (var k = 1 + draws.Below(n++, 14); k > 0; k--)
                text.Append(pieces[draws.Below(n++, pieces.Length)]);
            var once = StepRun.Of(step, text.ToString());
            if (once.Text is null)
                continue;
            changed += once.Text != text.ToString() ? 1 : 0;
            var twice = StepRun.Of(step, once.Text);
            Assert.True(once.Text == twice.Text, $"{Escaped(text.ToString())} → {Escaped(once.Text)} → {Escaped(twice.Text ?? "dropped: " + twice.Rule)}");
        }

        Assert.True(changed > 50, $"only {changed} texts were changed: the test proves little");
    }

    [Fact]
    [Row("B2")]
    public void Composition_is_that_of_the_runtime()
    {
        // .NET's normalisation is another implementation; over characters that both know.
        var step = new UnicodeRepair { Mojibake = false };
        var draws = new Counter(5, "nfc");
        for (var i = 0UL; i < 400; i++)
        {
            var text = "x" + string.Concat(Enumerable.Range(0, 6).Select(k => new Rune(draws.Below(10 * i + (ulong)k, 3) switch { 0 => 0xC0 + draws.Below(1000 + 10 * i, 0x100), 1 => 0x300 + draws.Below(2000 + 10 * i + (ulong)k, 0x40), _ => 0x1E00 + draws.Below(3000 + 10 * i, 0xF0) }).ToString()));
            Assert.Equal(text.Normalize(NormalizationForm.FormC), StepRun.Of(step, text).Text);
        }
    }

    private static string Escaped(string text) => string.Concat(text.Select(c => c is >= ' ' and < (char)0x7F ? c.ToString() : $"\\u{(int)c:X4}"));
}

using System.Text;
using Gradus.Text.Data.Sources;
using Gradus.Text.Tokenizers;
using Gradus.Text.Tokenizers.Normalizers;

namespace Gradus.Tests.Text.Tokenizers;

/// <summary>Text that is in form NFC already takes the fast path of byte-level BPE (Qwen); the check must never be wrong.</summary>
[Row("C1")]
public class NfcTests
{
    [Fact]
    public void Every_character_alone_and_behind_others_is_told_as_normalising_does()
    {
        var faults = new List<string>();
        foreach (var before in new[] { "", "a", "e\u0301", "é", "\u1100", "가", "각", "\u09c7", "\u0b47\u0301", "q\u0323" })
            for (var c = 0; c < 0x110000; c++)
            {
                if (c is >= 0xD800 and < 0xE000 or (> 0x323AF and < 0xE0000) or > 0xE01EF || (c is > 0x3100 and < 0xA000 or > 0x20000 and < 0x2F800 && before.Length > 0))
                    continue; // ideographs, and what is not assigned
                Check(before + char.ConvertFromUtf32(c), faults);
            }

        Assert.Equal([], faults.Take(5));
    }

    [Fact]
    public void Random_strings_are_told_as_normalising_does()
    {
        int[] some = [.. Enumerable.Range(0x300, 0x70), .. Enumerable.Range(0x1AB0, 0x50), 0x9BE, 0x9C7, 0x9D7, 0xB3E, 0xB47, 0xB56, 0xB57, 0xCC2, 0xCD5, 0x1100, 0x1112, 0x1161, 0x1175, 0x11A8, 0x11C2, 0xAC00, 0xAC01, 0xD788,
            0x340, 0x341, 0x343, 0x344, 0x374, 0x37E, 0x387, 0x958, 0x2126, 0x212B, 0xF900, 0xFB1D, 0x1D15E, 0x1E00, 0x1EA4, 0x1F71, 0xE9, 0xC5, 0x3042, 0x3099, 0x304C, 0x5D0, 0x5B0, 0x5BC, 0x644, 0x653, 0x622, 'a', 'e', 'o', ' ', 'q'];
        var draws = new Gradus.Foundation.Files.Counter(3, "nfc");
        var (at, faults, inForm) = (0UL, new List<string>(), 0);
        for (var i = 0; i < 200_000; i++)
        {
            var text = new StringBuilder();
            for (var n = 1 + draws.Below(at++, 7); n > 0; n--)
                text.Append(char.ConvertFromUtf32(some[draws.Below(at++, some.Length)]));
            inForm += Check(text.ToString(), faults) ? 1 : 0;
        }

        Assert.Equal([], faults.Take(5));
        Assert.InRange(inForm, 10_000, 190_000); // both answers come up often
    }

    [Fact]
    public void Text_of_500_languages_is_told_as_normalising_does()
    {
        var (faults, documents, inForm) = (new List<string>(), 0, 0);
        foreach (var document in SourceOptions.FromPath(Repo.SharedData("udhr/udhr.jsonl.xz")).Read(new SourceReport()))
        {
            var row = Encoding.UTF8.GetString(document.Utf8.Span);
            documents++;
            inForm += Check(row, faults) ? 1 : 0;
            Check(row.Normalize(NormalizationForm.FormD), faults);
        }

        Assert.Equal([], faults.Take(2).Select(f => f[..Math.Min(80, f.Length)]));
        Assert.True(documents > 400 && inForm > documents / 2, $"{inForm} of {documents}");
    }

    [Fact]
    public void Broken_text_is_not_in_form()
    {
        Assert.False(Decomposition.IsNfc([0xCC]));
        Assert.False(Decomposition.IsNfc([(byte)'a', 0xFF, (byte)'b']));
        Assert.True(Decomposition.IsNfc([]));
    }

    [Fact]
    public void A_tokenizer_that_normalises_to_nfc_takes_the_fast_path_and_gives_the_ids_of_the_pipeline()
    {
        var fast = Assert.IsType<ByteLevelBpe>(Tokenizer.Load(Repo.Fixture("tokenizers/shapes/qwen-2.json")));
        var pipeline = new PipelineTokenizer(fast.Parts);
        string[] parts = ["the", " whale", "é", "e\u0301", "e\u0301\u0323", "\u0323", "Å", "\u212b", "가", "\u1100\u1161", "日本", "<|im_start|>", "<tool_call>", "<tool_", "\n", "  ", "1234", "'s", "\u0958", "ক\u09be", "👩‍👩‍👧", "\u09c7\u09be"];
        var draws = new Gradus.Foundation.Files.Counter(9, "qwen");
        var (at, changed) = (0UL, 0);
        for (var i = 0; i < 20_000; i++)
        {
            var text = string.Concat(Enumerable.Range(0, draws.Below(at++, 9)).Select(_ => parts[draws.Below(at++, parts.Length)]));
            Assert.Equal(pipeline.Encode(text), fast.Encode(text));
            Assert.Equal(pipeline.EncodeParsed(text), fast.EncodeParsed(text));
            changed += Decomposition.IsNfc(Encoding.UTF8.GetBytes(text)) ? 0 : 1;
        }

        Assert.InRange(changed, 5_000, 15_000);
        Assert.Equal(fast.Encode("\u00e9"), fast.Encode("e\u0301")); // without the normaliser these differ
        List<int> broken = [], slow = [];
        fast.Encode([(byte)'a', 0xFF], broken, true);
        pipeline.Encode([(byte)'a', 0xFF], slow, true);
        Assert.Equal(slow, broken);
    }

    /// <summary>Whether the text is in form; notes it where the check says another thing.</summary>
    private static bool Check(string text, List<string> faults)
    {
        var utf8 = Encoding.UTF8.GetBytes(text);
        var aligned = new AlignedText(utf8, track: false);
        Decomposition.Apply(aligned, compatibility: false, compose: true);
        var same = aligned.Bytes.SequenceEqual(utf8);
        if (same != Decomposition.IsNfc(utf8))
            faults.Add($"{string.Join(' ', text.EnumerateRunes().Select(r => $"{r.Value:X}"))}: in form is {same}");
        return same;
    }
}

using System.Globalization;
using System.Text;
using Gradus.Foundation.Recipes;
using Gradus.Text.Data.Sources;
using Gradus.Text.Tokenizers;
using Gradus.Text.Tokenizers.Trainers;

namespace Gradus.Tests.Text.Tokenizers;

/// <summary>The tables of docs/guides/tokenizers.md say what is so: their figures that no machine changes are computed again.</summary>
[Row("D7")]
public class TokenizerTableTests
{
    private static readonly Lazy<string[][]> s_rows = new(() => [.. File.ReadAllLines(Path.Combine(Repo.Root, "docs/guides/tokenizers.md"))
        .SkipWhile(l => !l.Contains("made by bench/tokenizer_table.py", StringComparison.Ordinal)).TakeWhile(l => l != "<!-- end -->")
        .Where(l => l.StartsWith('|')).Select(l => l.Trim('|', ' ').Split('|', StringSplitOptions.TrimEntries))]);

    [Theory]
    [InlineData("GPT-2", "tok-gpt2/tokenizer.json")]
    [InlineData("cl100k", "tok-tiktoken/cl100k_base.tiktoken")]
    [InlineData("BERT uncased", "tok-bert/tokenizer.json")]
    [InlineData("T5", "tok-t5/spiece.model")]
    public void A_published_tokenizer_has_the_figures_of_the_table(string name, string path)
    {
        var row = Assert.Single(s_rows.Value, r => r[0] == name);
        Same(row.AsSpan(2), Tokenizer.Load(Repo.SharedData(path)));
    }

    [Theory]
    [InlineData("bpe")]
    [InlineData("wordpiece")]
    [InlineData("sentencepiece-bpe")]
    [InlineData("char")]
    [InlineData("word")]
    public void A_tokenizer_trained_here_has_the_figures_of_the_table(string kind)
    {
        var row = Assert.Single(s_rows.Value, r => r[0] == kind);
        TokenizerTrainerOptions options = kind switch
        {
            "bpe" => new BpeTrainerOptions { PreTokenizer = new Cl100kPreTokenizerOptions() }, "wordpiece" => new WordPieceTrainerOptions(),
            "sentencepiece-bpe" => new SentencePieceBpeTrainerOptions { ByteFallback = true }, "char" => new CharTrainerOptions(), _ => new WordTrainerOptions(),
        };
        var book = File.ReadAllBytes(Repo.SharedData("moby-dick/moby-dick.txt"));
        var tokenizer = (options with { VocabSize = 8000 }).Train([book.AsMemory(..^250_000), .. Versions().Select(v => (ReadOnlyMemory<byte>)v.AsMemory(..Half(v)))]);
        string[] cells = [row[1], .. row.AsSpan(4)];
        Same(cells, tokenizer);
    }

    [Fact]
    public void The_table_has_every_kind_that_can_be_trained_with_its_time_and_size()
    {
        foreach (var kind in Components.Of(typeof(TokenizerTrainerOptions)).Select(c => c.Kind))
        {
            var row = Assert.Single(s_rows.Value, r => r[0] == kind);
            Assert.True(double.Parse(row[2], CultureInfo.InvariantCulture) > 0 && double.Parse(row[3], NumberStyles.Number, CultureInfo.InvariantCulture) > 0, string.Join(" | ", row));
            Assert.All(row[8..10], speed => Assert.True(double.Parse(speed, CultureInfo.InvariantCulture) > 0));
            Assert.NotEqual("", row[10]); // what it pairs with
        }
    }

    /// <param name="cells">Vocabulary, bytes a token in English and in languages, unknown tokens in both.</param>
    /// <param name="tokenizer">What they are of.</param>
    private static void Same(ReadOnlySpan<string> cells, Tokenizer tokenizer)
    {
        Assert.Equal(cells[0], tokenizer.VocabSize.ToString("N0", CultureInfo.InvariantCulture));
        var book = File.ReadAllBytes(Repo.SharedData("moby-dick/moby-dick.txt"));
        var (english, languages) = (Figures(tokenizer, [book[^250_000..]]), Figures(tokenizer, Versions().Where((_, i) => i % 9 == 0).Select(v => v[Half(v)..])));
        Assert.Equal((cells[1], cells[2], cells[3], cells[4]), (english.PerToken, languages.PerToken, english.Unknown, languages.Unknown));
    }

    private static (string PerToken, string Unknown) Figures(Tokenizer tokenizer, IEnumerable<byte[]> texts)
    {
        var (bytes, tokens, unknown, ids) = (0L, 0L, 0L, new List<int>());
        foreach (var text in texts)
        {
            ids.Clear();
            tokenizer.Encode(text, ids, addSpecialTokens: false);
            (bytes, tokens, unknown) = (bytes + text.Length, tokens + ids.Count, unknown + ids.Count(id => id == tokenizer.UnkId));
        }

        return (((double)bytes / tokens).ToString("F2", CultureInfo.InvariantCulture), unknown == 0 ? "0" : (100.0 * unknown / tokens).ToString("F1", CultureInfo.InvariantCulture) + " %");
    }

    private static List<byte[]> Versions() => [.. new JsonlSource { Path = Repo.SharedData("udhr/udhr.jsonl.xz") }.Read(new SourceReport()).Select(d => d.Utf8.ToArray())];

    /// <summary>Where the second half of the characters begins.</summary>
    private static int Half(byte[] text)
    {
        var (left, at) = (Encoding.UTF8.GetString(text).EnumerateRunes().Count() / 2, 0);
        for (; left > 0; left--)
            at += AlignedText.CharLength(text[at]);
        return at;
    }
}

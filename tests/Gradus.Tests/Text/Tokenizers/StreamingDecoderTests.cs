using System.Text;
using Gradus.Text.Tokenizers;

namespace Gradus.Tests.Text.Tokenizers;

[Row("C1", "J1")]
public class StreamingDecoderTests
{
    [Theory]
    [InlineData("tok-gpt2/encoder.json")]
    [InlineData("ckpt-stories260K/tok512.bin")]
    public void Pushed_one_by_one_the_text_is_whole_and_no_character_is_broken(string path)
    {
        var tokenizer = Tokenizer.Load(Repo.SharedData(path));
        foreach (var text in new[] { "Ünïcödé naïve", "日本語のテキスト", "🤗 emoji 👨‍👩‍👧 𝒜", " leading", "plain words, one by one", "" })
        {
            var ids = tokenizer.Encode(text);
            AssertWhole(tokenizer, ids, text);
        }
    }

    [Fact]
    public void Cut_at_every_byte_the_text_is_whole()
    {
        // A vocabulary of single bytes cuts every character at every byte.
        var tokenizer = Tokenizer.Load(Repo.SharedData("tok-gpt2/encoder.json"));
        var byteIds = Enumerable.Range(0, 256).ToDictionary(b => (byte)b, b => tokenizer.Encode(new[] { (byte)b })[0]);
        const string Text = "aé日🤗\u0301ÿ\u0000 𝟘!";
        int[] ids = [.. Encoding.UTF8.GetBytes(Text).Select(b => byteIds[b])];
        AssertWhole(tokenizer, ids, Text);
    }

    [Fact]
    public void Broken_bytes_stream_as_they_decode()
    {
        var tokenizer = Tokenizer.Load(Repo.SharedData("tok-gpt2/encoder.json"));
        var random = new Random(9);
        for (var i = 0; i < 2_000; i++)
        {
            var bytes = new byte[random.Next(1, 12)];
            random.NextBytes(bytes);
            var ids = tokenizer.Encode(bytes);
            var stream = new StreamingDecoder(tokenizer);
            Assert.Equal(tokenizer.Decode(ids), string.Concat(ids.Select(stream.Push)) + stream.Flush());
        }
    }

    private static void AssertWhole(Tokenizer tokenizer, int[] ids, string text)
    {
        var stream = new StreamingDecoder(tokenizer);
        var parts = ids.Select(stream.Push).ToList();
        Assert.Equal("", stream.Flush());
        Assert.Equal(text, string.Concat(parts));
        Assert.Equal(text, tokenizer.Decode(ids));
        Assert.DoesNotContain(parts, p => p.Contains('\uFFFD') || (p.Length > 0 && (char.IsLowSurrogate(p[0]) || char.IsHighSurrogate(p[^1]))));
    }
}

file static class Bytes
{
    public static int[] Encode(this Tokenizer tokenizer, byte[] bytes)
    {
        List<int> ids = [];
        tokenizer.Encode(bytes, ids, addSpecialTokens: false);
        return [.. ids];
    }
}

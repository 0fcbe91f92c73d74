using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using Gradus.Text.Tokenizers;
using Gradus.Text.Tokenizers.Normalizers;

namespace Gradus.Tests.Text.Tokenizers;

/// <summary>Grapheme clusters as the Rust library cuts them: what SentencePiece's rules in a <c>tokenizer.json</c> are applied to.</summary>
[Row("C3")]
public class GraphemeTests
{
    [Fact]
    public void Clusters_are_those_of_the_rust_library()
    {
        using var cases = JsonDocument.Parse(File.ReadAllBytes(Repo.Fixture("tokenizers/clusters.json")));
        var normalizer = new PrecompiledNormalizer { Map = EverythingIsB() };
        var (count, joined) = (0, 0);
        foreach (var item in cases.RootElement.EnumerateArray())
        {
            var text = item[0].GetString()!;
            var expected = item[1].GetInt32();
            Assert.True(new string('b', expected) == Normalized(normalizer, text), $"{item[0].GetRawText()}: {Normalized(normalizer, text).Length} clusters, not {expected}");
            count++;
            joined += expected < text.EnumerateRunes().Count() ? 1 : 0;
        }

        Assert.Equal(900, count);
        Assert.True(joined > 250, $"{joined} strings have a short cluster: too few to tell anything"); // an implementation without clusters fails on these
    }

    [Theory]
    [InlineData("\u0915\u094d\u0915\u0301", 4)] // consonant, linker, consonant: one cluster; else the last two are one of 5 bytes, and come to 3
    [InlineData("\u00a9\u200d\u00a9\u0301", 4)] // pictographs
    [InlineData("\u1100\uac00\u0301", 3)] // Hangul
    public void Each_rule_that_binds_what_is_far_tells(string text, int expected) => Assert.Equal(expected, Normalized(new PrecompiledNormalizer { Map = EverythingIsB() }, text).Length);

    [Fact]
    public void A_mark_newer_than_dotnet_belongs_to_its_letter()
    {
        var normalizer = new PrecompiledNormalizer { Map = CharsMap.Build(new Dictionary<string, string> { ["ſ"] = "s", ["\r"] = " " }) };
        Assert.Equal("xsy", Normalized(normalizer, "xſ\u1ae3y")); // 5 bytes: the rule takes the whole cluster
        Assert.Equal("xs\u0301\u0302y", Normalized(normalizer, "xſ\u0301\u0302y")); // 6 bytes: each character by itself
        Assert.Equal("xsx", Normalized(normalizer, "xſ\u0301x"));
        Assert.Equal(" x", Normalized(normalizer, "\r\nx"));
        Assert.Equal("\n ", Normalized(normalizer, "\n\r"));
        Assert.Equal("s", Normalized(normalizer, "ſ"));
    }

    [Fact]
    public void Clusters_of_any_length_take_time_like_their_length()
    {
        var normalizer = new PrecompiledNormalizer { Map = EverythingIsB() };
        foreach (var unit in new[] { "\u0301", "👩\u200d", "क\u094d", "\u0600", "가", "\u1100" })
        {
            var text = string.Concat(Enumerable.Repeat(unit, 200_000));
            var clock = System.Diagnostics.Stopwatch.StartNew();
            Assert.InRange(Normalized(normalizer, text).Length, 1, text.Length);
            Assert.True(clock.Elapsed.TotalSeconds < 2, $"{clock.Elapsed.TotalSeconds:F1} s for 200,000 of '{unit}'"); // quadratic would be hours
        }
    }

    /// <summary>Rules that replace whatever begins with any byte but 0 by b, as clusters.mjs has them.</summary>
    private static CharsMap EverythingIsB()
    {
        byte[][] keys = [.. Enumerable.Range(1, 255).Select(b => new[] { (byte)b })];
        var units = DoubleArray.Build(keys, new int[keys.Length]).Write();
        var size = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(size, units.Length);
        return CharsMap.Read([.. size, .. units, (byte)'b', 0], out var fault) ?? throw new InvalidDataException(fault);
    }

    private static string Normalized(Normalizer normalizer, string text)
    {
        var aligned = new AlignedText(Encoding.UTF8.GetBytes(text), track: true);
        normalizer.Apply(aligned);
        return Encoding.UTF8.GetString(aligned.Bytes);
    }
}

using System.Text;
using Gradus.Foundation.Files;

namespace Gradus.Tests.Foundation.Files;

public sealed class StrictJsonTests
{
    [Theory]
    [InlineData("{\"a\":1,\n \"b\":2, \"a\":3}", "x.json:2:9: duplicate key 'a'")]
    [InlineData("{\"a\":1,\n \"\\u0061\":3}", "x.json:2:2: duplicate key 'a'")]
    [InlineData("{\"a\": 1e999}", "x.json:1:7: the number is too large")]
    [InlineData("{\"a\": NaN}", "x.json:1:7: ")]
    [InlineData("{\"a\": 1,}", "x.json:1:9: ")]
    [InlineData("{\"a\": 1 // no\n}", "x.json:1:9: ")]
    [InlineData("{\"a\": \"\\ud800\"}", "x.json:1:7: not valid Unicode text")]
    [InlineData("", "x.json:1:1: ")]
    [InlineData("{} {}", "x.json:1:4: ")]
    [InlineData("[[[", "x.json:1:4: ")]
    public void Anything_dubious_is_one_line_with_its_place(string json, string expected)
    {
        var error = Assert.Throws<UserException>(() => StrictJson.Parse(Encoding.UTF8.GetBytes(json), "x.json"));
        Assert.StartsWith(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
        Assert.DoesNotContain("LineNumber", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Invalid_utf8_and_deep_nesting_are_refused()
    {
        Assert.Contains(":1:3: not valid UTF-8", Assert.Throws<UserException>(() => StrictJson.Parse(new byte[] { (byte)'[', (byte)'"', 0xC0, 0x80, (byte)'"', (byte)']' }, "x")).Message, StringComparison.Ordinal);
        var deep = Encoding.UTF8.GetBytes(new string('[', 100_000));
        Assert.Throws<UserException>(() => StrictJson.Parse(deep, "x"));
        Assert.Contains("no such file", Assert.Throws<UserException>(() => StrictJson.ParseFile("/nonexistent/x.json")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Good_documents_pass_and_same_keys_in_other_objects_are_fine()
    {
        using var document = StrictJson.Parse("\uFEFF{\"a\":{\"a\":1},\"b\":[{\"a\":2},{\"a\":3}]}"u8.ToArray(), "x");
        Assert.Equal(3, document.RootElement.GetProperty("b")[1].GetProperty("a").GetInt32());
        var point = StrictJson.Read<Point>("{\"x_axis\":1.5}"u8.ToArray(), "x");
        Assert.Equal(1.5, point.XAxis);
        Assert.Contains("x:1:", Assert.Throws<UserException>(() => StrictJson.Read<Point>("{\"x_axis\":1.5,\"z\":1}"u8.ToArray(), "x")).Message, StringComparison.Ordinal);
    }

    private sealed record Point
    {
        public required double XAxis { get; init; }
    }
}

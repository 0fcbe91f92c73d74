using System.Numerics;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Gradus.Engine.Files;
using Gradus.Foundation.Files;
using static Gradus.Tests.Engine.Files.SafetensorsBytes;

namespace Gradus.Tests.Engine.Files;

/// <summary>RELIABILITY SF13 in small: mutated files, and a second opinion on each from a plain reading of the rules.</summary>
public partial class SafetensorsFuzzTests
{
    private static readonly string[] Numbers =
    [
        "0", "1", "2", "3", "4", "5", "6", "7", "8", "12", "-1", "-0", "0.0", "1e0", "01", "255", "256", "2147483648", "4294967296", "4611686018427387904",
        "9223372036854775807", "9223372036854775808", "18446744073709551615", "18446744073709551616", "1e999", "\"4\"", "null", "[]", "{}", "true",
    ];

    private static readonly string[] Types = ["F32", "F16", "BF16", "U8", "I64", "BOOL", "F4", "F6_E2M3", "C64", "F31", "f32", "", "F32 "];

    private static readonly string[] Scraps = ["{", "}", "[", "]", ",", ":", "\"", "\\", "\\ud800", "\\u0078", "\0", " ", "\n", "\uFEFF", "\"x\":", "\"dtype\":\"U8\",", "/**/", "é", "__metadata__"];

    [Fact]
    [Row("I24")]
    public void Forty_thousand_mutated_headers_get_the_verdict_of_the_rules()
    {
        // GRADUS_FUZZ=10000000 for a long run by hand.
        var rounds = int.TryParse(Environment.GetEnvironmentVariable("GRADUS_FUZZ"), out var asked) ? asked : 40_000;
        var random = new Random(20261120 + rounds);
        var (accepted, refused) = (0, 0);
        for (var i = 0; i < rounds; i++)
        {
            var (header, data) = Mutate(random);
            var expected = Verdict(header, data);
            var problem = Record.Exception(() => SafetensorsHeader.Parse("f", header, 8L + header.Length + data));
            if (problem is not (null or UserException) || expected != problem is null)
                Assert.Fail($"expected {(expected ? "accept" : "refuse")}, got {problem?.ToString() ?? "accept"} for {data} bytes under\n{Encoding.UTF8.GetString(header)}");
            if (problem is not null && (problem.Message.Any(char.IsControl) || !problem.Message.StartsWith("f: ", StringComparison.Ordinal)))
                Assert.Fail($"not one clear line: {problem.Message}");
            _ = problem is null ? accepted++ : refused++;
        }

        // Mutations that were all refused, or all harmless, would test nothing.
        Assert.InRange(accepted / (double)rounds, 0.1, 0.7);
        Assert.InRange(refused / (double)rounds, 0.3, 0.9);
    }

    [Fact]
    public void Three_thousand_damaged_files_are_read_or_refused_and_nothing_else()
    {
        using var folder = Repo.Temp();
        var path = folder.File("x.safetensors");
        var random = new Random(4);
        var good = Of("{" + Tensor("a", "F32", "2,3", "0,24") + "," + Tensor("b", "BF16", "4", "24,32") + "}", 32);
        for (var i = 0; i < 3_000; i++)
        {
            var bytes = good.AsSpan(0, random.Next(4) == 0 ? random.Next(good.Length + 1) : good.Length).ToArray();
            for (var flips = random.Next(4); flips > 0 && bytes.Length > 0; flips--)
                bytes[random.Next(2) == 0 ? random.Next(Math.Min(12, bytes.Length)) : random.Next(bytes.Length)] = (byte)random.Next(256);
            File.WriteAllBytes(path, bytes);
            var problem = Record.Exception(() =>
            {
                using var file = SafetensorsFile.Open(path);
                foreach (var (name, entry) in file.Entries)
                {
                    file.Read(name, new byte[entry.ByteCount]);
                    _ = file.Census(name);
                }
            });
            Assert.True(problem is null or UserException, problem?.ToString());
        }
    }

    private static (byte[] Header, int Data) Mutate(Random random)
    {
        // A valid file of up to four tensors …
        var (at, tensors) = (0, new List<string>());
        for (var i = random.Next(5); i > 0; i--)
        {
            var (type, bits) = random.Next(5) switch { 0 => ("F32", 32), 1 => ("BF16", 16), 2 => ("I64", 64), 3 => ("F4", 4), _ => ("U8", 8) };
            int[] shape = [.. Enumerable.Range(0, random.Next(4)).Select(_ => random.Next(4)), .. type == "F4" ? [2] : Array.Empty<int>()];
            var bytes = shape.Aggregate(bits, (a, b) => a * b) / 8;
            tensors.Add(Tensor("xyzw"[i - 1].ToString(), type, string.Join(',', shape), $"{at},{at + bytes}"));
            at += bytes;
        }

        if (random.Next(3) == 0)
            tensors.Add("\"__metadata__\":{\"format\":\"pt\"}");
        random.Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(tensors));
        var header = "{" + string.Join(',', tensors) + "}" + new string(' ', random.Next(3));

        // … and up to three faults, most of them where the meaning is.
        for (var faults = random.Next(4); faults > 0; faults--)
        {
            var place = random.Next(header.Length + 1);
            header = random.Next(9) switch
            {
                0 or 1 => ReplaceOne(random, header, NumberPattern(), Numbers),
                2 => ReplaceOne(random, header, TypePattern(), [.. Types.Select(type => $"\"dtype\":\"{type}\"")]),
                3 => ReplaceOne(random, header, NamePattern(), ["\"x\":{", "\"y\":{", "\"\\u0078\":{", "\"\":{", "\"__metadata__\":{", "\"a/../b\":{"]),
                4 => ReplaceOne(random, header, KeyPattern(), ["\"dtype\":", "\"shape\":", "\"data_offsets\":", "\"note\":", "\"\":"]),
                5 => header.Insert(place, Scraps[random.Next(Scraps.Length)]),
                6 when place < header.Length => header.Remove(place, Math.Min(random.Next(1, 6), header.Length - place)),
                7 when tensors.Count > 0 => "{" + tensors[random.Next(tensors.Count)] + "," + header[Math.Min(1, header.Length)..],
                _ => header,
            };
        }

        var utf8 = Encoding.UTF8.GetBytes(header);
        if (random.Next(12) == 0 && utf8.Length > 0)
            utf8[random.Next(utf8.Length)] ^= (byte)(1 << random.Next(8));
        return (utf8, random.Next(10) == 0 ? random.Next(at + 3) : at);
    }

    private static string ReplaceOne(Random random, string text, Regex pattern, string[] with)
    {
        var matches = pattern.Matches(text);
        if (matches.Count == 0)
            return text;
        var match = matches[random.Next(matches.Count)];
        return string.Concat(text.AsSpan(0, match.Index), with[random.Next(with.Length)], text.AsSpan(match.Index + match.Length));
    }

    /// <summary>The rules again, from a document tree and integers without limit.</summary>
    private static bool Verdict(byte[] header, int data)
    {
        if (header.Length == 0 || header[0] != '{')
            return false;
        try
        {
            using var document = JsonDocument.Parse(header, new JsonDocumentOptions { MaxDepth = 127 });
            _ = new UTF8Encoding(false, true).GetString(header);
            var properties = document.RootElement.EnumerateObject().ToArray();
            if (properties.Select(p => p.Name).Distinct().Count() != properties.Length)
                return false;
            List<(BigInteger Begin, BigInteger End)> spans = [];
            foreach (var (name, value) in properties.Select(p => (p.Name, p.Value)))
            {
                if (name == "__metadata__")
                {
                    if (value.ValueKind == JsonValueKind.Null)
                        continue;
                    var pairs = value.EnumerateObject().ToArray();
                    if (pairs.Any(p => p.Value.GetString() is null) || pairs.Select(p => p.Name).Distinct().Count() != pairs.Length)
                        return false;
                    continue;
                }

                var fields = value.EnumerateObject().ToLookup(p => p.Name, p => p.Value);
                foreach (var text in Strings(value))
                    _ = text.GetString();
                if (fields["dtype"].Count() != 1 || fields["shape"].Count() != 1 || fields["data_offsets"].Count() != 1
                    || Counts(fields["shape"].Single()) is not { } shape || Counts(fields["data_offsets"].Single()) is not [var begin, var end])
                    return false;
                var bits = fields["dtype"].Single().GetString() switch
                {
                    "F4" => 4, "F6_E2M3" => 6, "U8" or "BOOL" => 8, "BF16" or "F16" => 16, "F32" => 32, "I64" or "C64" => 64, _ => 0,
                };
                BigInteger size = 1;
                foreach (var n in shape)
                    size = size >= 0 && n <= long.MaxValue && size * n <= ulong.MaxValue ? size * n : BigInteger.MinusOne;
                if (bits == 0 || size < 0 || size * bits > ulong.MaxValue || size * bits % 8 != 0 || end - begin != size * bits / 8)
                    return false;
                spans.Add((begin, end));
            }

            BigInteger at = 0;
            foreach (var (begin, end) in spans.Order())
            {
                if (begin != at)
                    return false;
                at = end;
            }

            return at == data;
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException or DecoderFallbackException)
        {
            return false;
        }
    }

    private static IEnumerable<JsonElement> Strings(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.String => [element],
        JsonValueKind.Array => element.EnumerateArray().SelectMany(Strings),
        JsonValueKind.Object => element.EnumerateObject().SelectMany(p => p.Name is null ? [] : Strings(p.Value)),
        _ => [],
    };

    private static BigInteger[]? Counts(JsonElement array)
    {
        var texts = array.EnumerateArray().Select(n => n.ValueKind == JsonValueKind.Number ? n.GetRawText() : "-").ToArray();
        return texts.All(text => text.All(char.IsAsciiDigit) && BigInteger.Parse(text) <= ulong.MaxValue) ? [.. texts.Select(text => BigInteger.Parse(text))] : null;
    }

    [GeneratedRegex("(?<=[\\[,])\\d+")]
    private static partial Regex NumberPattern();

    [GeneratedRegex("\"dtype\":\"\\w*\"")]
    private static partial Regex TypePattern();

    [GeneratedRegex("\"\\w*\":\\{")]
    private static partial Regex NamePattern();

    [GeneratedRegex("\"(dtype|shape|data_offsets)\":")]
    private static partial Regex KeyPattern();
}

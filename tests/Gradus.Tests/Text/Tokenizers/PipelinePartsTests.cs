using System.Text;
using System.Text.Json;
using Gradus.Foundation.Recipes;
using Gradus.Text.Tokenizers;
using Gradus.Text.Tokenizers.Decoders;
using Gradus.Text.Tokenizers.Normalizers;
using Gradus.Text.Tokenizers.PostProcessors;
using Gradus.Text.Tokenizers.PreTokenizers;

namespace Gradus.Tests.Text.Tokenizers;

/// <summary>Each step of the pipeline alone: against the Rust library (tests/fixtures/tokenizers/components.mjs), and what every step owes.</summary>
[Row("C2")]
public class PipelinePartsTests
{
    public static TheoryData<string> Socket => new("normalizers", "preTokenizers", "decoders");

    [Theory]
    [MemberData(nameof(Socket))]
    public void Every_step_does_what_the_reference_does(string socket)
    {
        using var fixture = JsonDocument.Parse(File.ReadAllBytes(Repo.Fixture("tokenizers/components.json")));
        var (cases, faults) = (0, new List<string>());
        foreach (var item in fixture.RootElement.GetProperty(socket).EnumerateArray())
        {
            var field = new JsonField("components.json", item.GetProperty("part"));
            foreach (var example in item.GetProperty("cases").EnumerateArray())
            {
                cases++;
                var expected = Expected(example[1]);
                var got = socket switch
                {
                    "normalizers" => Normalized(PipelinePart.ReadAny<Normalizer>(field)!, example[0].GetString()!),
                    "preTokenizers" => Cut(PipelinePart.ReadAny<PreTokenizer>(field)!, example[0].GetString()!),
                    _ => Decoded(PipelinePart.ReadAny<TokenDecoder>(field)!, [.. example[0].EnumerateArray().Select(t => t.GetString()!)]),
                };
                if (got != expected)
                    faults.Add($"{field.Value.GetRawText()} of {example[0].GetRawText()}: {got}, not {expected}");
            }
        }

        Assert.True(cases > 1000);
        Assert.True(faults.Count == 0, $"{faults.Count} of {cases}: {string.Join('\n', faults.Take(8))}");
    }

    [Fact]
    public void Every_step_of_the_fixture_is_registered_and_every_registered_one_is_in_the_fixture()
    {
        using var fixture = JsonDocument.Parse(File.ReadAllBytes(Repo.Fixture("tokenizers/components.json")));
        foreach (var (name, type, others) in new[]
        {
            ("normalizers", typeof(Normalizer), new[] { "Precompiled", "SentencePiece" }), ("preTokenizers", typeof(PreTokenizer), []), ("decoders", typeof(TokenDecoder), []),
        })
        {
            var shown = string.Concat(fixture.RootElement.GetProperty(name).EnumerateArray().Select(i => i.GetProperty("part").GetRawText()));
            Assert.Equal([], Components.Of(type).Select(c => c.Kind).Where(k => !shown.Contains($"\"type\":\"{k}\"", StringComparison.Ordinal)).Except(others));
        }
    }

    [Fact]
    public void What_every_step_reads_it_writes_again()
    {
        using var fixture = JsonDocument.Parse(File.ReadAllBytes(Repo.Fixture("tokenizers/components.json")));
        foreach (var list in fixture.RootElement.EnumerateObject())
            foreach (var item in list.Value.EnumerateArray())
            {
                var field = new JsonField("components.json", item.GetProperty("part"));
                PipelinePart part = list.Name switch
                {
                    "normalizers" => PipelinePart.ReadAny<Normalizer>(field)!,
                    "preTokenizers" => PipelinePart.ReadAny<PreTokenizer>(field)!,
                    _ => PipelinePart.ReadAny<TokenDecoder>(field)!,
                };
                using var written = JsonDocument.Parse(Json(part));
                Assert.True(JsonElement.DeepEquals(field.Value, written.RootElement), $"{field.Value.GetRawText()} became {written.RootElement.GetRawText()}");
            }
    }

    [Fact]
    public void Every_registered_step_takes_the_empty_text_and_is_deterministic()
    {
        foreach (var component in Components.Of(typeof(Normalizer)))
        {
            var step = (Normalizer)Activator.CreateInstance(component.Type)!;
            Assert.Equal(Normalized(step, "A\u0301 b"), Normalized(step, "A\u0301 b"));
            _ = Normalized(step, "");
        }

        foreach (var component in Components.Of(typeof(PreTokenizer)))
        {
            var step = (PreTokenizer)Activator.CreateInstance(component.Type)!;
            Assert.Equal("[]", Cut(step, ""));
            Assert.Equal(Cut(step, "a b, c1"), Cut(step, "a b, c1"));
        }

        foreach (var component in Components.Of(typeof(TokenDecoder)))
            Assert.Equal("\"\"", Decoded((TokenDecoder)Activator.CreateInstance(component.Type)!, []));
        foreach (var component in Components.Of(typeof(PostProcessor)))
        {
            var step = (PostProcessor)Activator.CreateInstance(component.Type)!;
            Assert.Equal(step.Added(isPair: false), PostProcessor.Finish(step, new(), null, addSpecialTokens: true).Tokens.Count);
            Assert.Equal(step.Added(isPair: true), PostProcessor.Finish(step, new(), new(), addSpecialTokens: true).Tokens.Count);
            Assert.Empty(PostProcessor.Finish(step, new(), null, addSpecialTokens: false).Tokens);
            List<int> before = [], after = [];
            if (step.Around(before, after))
                Assert.Equal(step.Added(isPair: false), before.Count + after.Count);
        }
    }

    [Fact]
    public void Offsets_do_not_depend_on_tracking()
    {
        foreach (var component in Components.Of(typeof(Normalizer)))
        {
            var step = (Normalizer)Activator.CreateInstance(component.Type)!;
            var utf8 = "  İe\u0301 日本 ½ ﬁ \u0000x\u0344 "u8;
            AlignedText with = new(utf8, track: true), without = new(utf8, track: false);
            step.Apply(with);
            step.Apply(without);
            Assert.True(with.Bytes.SequenceEqual(without.Bytes), component.Kind);
        }
    }

    private static string Expected(JsonElement value) =>
        value.ValueKind == JsonValueKind.String ? JsonSerializer.Serialize(value.GetString()) : JsonSerializer.Serialize(value.EnumerateArray().Select(p => (object)new object[] { p[0].GetString()!, p[1] }));

    private static string Normalized(Normalizer step, string text)
    {
        var aligned = new AlignedText(Encoding.UTF8.GetBytes(text), track: true);
        step.Apply(aligned);
        return JsonSerializer.Serialize(Encoding.UTF8.GetString(aligned.Bytes));
    }

    private static string Cut(PreTokenizer step, string text)
    {
        var utf8 = Encoding.UTF8.GetBytes(text);
        var cuts = new CutText(new AlignedText(utf8, track: true), startsText: true);
        cuts.Add(0, utf8.Length);
        step.Cut(cuts);
        var chars = new CharPositions(utf8);
        return JsonSerializer.Serialize(cuts.Cuts.Select(c =>
        {
            var (start, end) = chars.Of(cuts.Text.Origin(c.Start, c.End));
            return (object)new object[] { Encoding.UTF8.GetString(cuts.Text.Bytes[c.Start..c.End]), new[] { start, end } };
        }));
    }

    private static string Decoded(TokenDecoder step, string[] tokens)
    {
        var text = new TextWork();
        var work = step.NewWork(text);
        foreach (var token in tokens)
            work.Push(token, ends: true);
        work.Flush();
        return JsonSerializer.Serialize(text.Take());
    }

    private static byte[] Json(PipelinePart part)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
            part.Write(json);
        return stream.ToArray();
    }
}

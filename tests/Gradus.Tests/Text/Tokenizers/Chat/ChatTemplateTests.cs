using System.Text.Json;
using Gradus.Foundation.Files;
using Gradus.Text.Tokenizers.Chat;

namespace Gradus.Tests.Text.Tokenizers.Chat;

/// <summary>Templates in the formats of published models against what Jinja2 itself makes of them (tests/fixtures/chat-templates).</summary>
[Row("L16")]
public sealed class ChatTemplateTests
{
    public static readonly Dictionary<string, string> Tokens = new() { ["bos_token"] = "<s>", ["eos_token"] = "</s>", ["pad_token"] = "<pad>", ["unk_token"] = "<unk>" };

    private static readonly JsonElement s_conversations = Json("conversations.json"), s_tools = Json("tools.json"), s_expected = Json("expected.json"), s_expressions = Json("expressions.json");

    public static TheoryData<string> Formats => [.. Directory.GetFiles(Repo.Fixture("chat-templates/templates")).Select(f => Path.GetFileNameWithoutExtension(f)).Order(StringComparer.Ordinal)];

    public static IEnumerable<JsonElement> Conversations => s_conversations.EnumerateArray();

    public static ChatTemplate Format(string name) => ChatTemplate.Parse(File.ReadAllText(Repo.Fixture($"chat-templates/templates/{name}.jinja")), specialTokens: Tokens, name: name);

    /// <summary>What a conversation of the fixture says besides its messages; of the arguments those that the template reads.</summary>
    public static ChatOptions Options(JsonElement conversation, ChatTemplate template) => new()
    {
        AddGenerationPrompt = conversation.TryGetProperty("add_generation_prompt", out _),
        Tools = conversation.TryGetProperty("tools", out _) ? s_tools : null,
        Documents = conversation.TryGetProperty("documents", out var documents) ? documents : null,
        Arguments = conversation.TryGetProperty("arguments", out var arguments)
            ? JsonSerializer.SerializeToElement(arguments.EnumerateObject().Where(a => template.ArgumentNames().Contains(a.Name)).ToDictionary(a => a.Name, a => a.Value)) : null,
        Clock = new FixedClock(),
    };

    [Fact]
    public void There_are_templates_of_more_than_twenty_formats() => Assert.True(Formats.Count >= 25, $"{Formats.Count}");

    [Theory]
    [MemberData(nameof(Formats))]
    public void Renders_what_Jinja2_renders_and_refuses_what_it_refuses(string format)
    {
        var template = Format(format);
        var rendered = 0;
        foreach (var conversation in Conversations)
        {
            var name = conversation.GetProperty("name").GetString()!;
            var expected = s_expected.GetProperty(format).GetProperty(name);
            string? text = null, refusal = null;
            try
            {
                text = template.Render(ChatMessage.ReadAll(conversation), Options(conversation, template)).Text;
            }
            catch (UserException e)
            {
                refusal = e.Message;
                Assert.DoesNotContain('\n', refusal);
            }

            if (expected.TryGetProperty("text", out var wanted))
            {
                Assert.True(refusal is null, $"{name}: {refusal}");
                Assert.Equal(wanted.GetString(), text);
                rendered++;
            }
            else
            {
                Assert.True(refusal is not null, $"{name}: Jinja2 refuses it, here it gave {text}");
                if (expected.TryGetProperty("raised", out var words))
                    Assert.Equal($"{format}: {words.GetString()}", refusal);
            }
        }

        Assert.True(rendered >= 5, $"only {rendered} conversations were rendered");
    }

    [Fact]
    public void Expressions_mean_what_they_mean_to_Jinja2()
    {
        var bytes = 0L;
        var names = s_expressions.GetProperty("names").EnumerateObject().ToDictionary(p => p.Name, p => ChatInput.Read(p.Value, Mark.Data, ref bytes));
        var (same, wrong) = (0, new List<string>());
        foreach (var item in s_expressions.GetProperty("cases").EnumerateArray())
        {
            var source = item.GetProperty("template").GetString()!;
            string? text;
            try
            {
                text = new Template("t", source).Text(names, () => FixedClock.Time).Text;
            }
            catch (UserException)
            {
                text = null;
            }

            var wanted = item.TryGetProperty("text", out var w) ? w.GetString() : null;
            if (text == wanted)
                same++;
            else
                wrong.Add($"{source}\n  Jinja2: {wanted ?? "(refused)"}\n  here:   {text ?? "(refused)"}");
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong.Take(10)));
        Assert.True(same >= 300, $"{same} cases");
    }

    private static JsonElement Json(string name)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Repo.Fixture("chat-templates/" + name)));
        return document.RootElement.Clone();
    }

    /// <summary>The time the fixtures were made at.</summary>
    public sealed class FixedClock : TimeProvider
    {
        public static readonly DateTimeOffset Time = new(2024, 9, 5, 14, 3, 7, TimeSpan.Zero);

        public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

        public override DateTimeOffset GetUtcNow() => Time;
    }
}

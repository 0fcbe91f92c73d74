using System.CommandLine;
using System.Text;
using System.Text.Json;
using Gradus.Foundation.Files;
using Gradus.Text.Tokenizers;
using Gradus.Text.Tokenizers.Chat;

namespace Gradus.Cli;

/// <summary><c>gradus tokenizer chat</c>: what a model's chat template makes of a conversation.</summary>
internal static class TokenizerChatCommand
{
    private const string Sample = """[{"role": "user", "content": "Who wrote Moby-Dick?"}, {"role": "assistant", "content": "Herman Melville."}, {"role": "user", "content": "When?"}]""";

    public static Command Create()
    {
        var model = new Argument<string>("tokenizer") { Description = "A model or tokenizer folder with a chat template (tokenizer_config.json, chat_template.jinja or chat_template.json)" };
        var messages = new Option<string?>("--messages") { Description = "The conversation: a JSON list of {\"role\", \"content\"}; - is standard input. A short one of ours when left out", HelpName = "file" };
        var tools = new Option<string?>("--tools") { Description = "Function schemas the model may call: a JSON list", HelpName = "file" };
        var prompt = new Option<bool>("--add-generation-prompt") { Description = "Ends with the beginning of an answer" };
        var goOn = new Option<bool>("--continue-final-message") { Description = "Ends inside the last message" };
        var name = new Option<string?>("--template") { Description = "The template of this name, where the files have several", HelpName = "name" };
        var arguments = new Option<string?>("--arguments") { Description = "Names the template reads besides, as JSON: '{\"enable_thinking\": false}'", HelpName = "json" };
        var json = new Option<bool>("--json") { Description = "Text, ids, mask and spans as one JSON object" };
        var mask = new Option<bool>("--mask") { Description = "A line a token: number, id, whether the assistant says it, token" };
        var command = new Command("chat", """
            Renders a conversation as the model was trained to see it, and shows what the assistant says (coloured) and the ids.

            Examples:
              gradus tokenizer chat models/qwen --messages talk.json --add-generation-prompt
              echo '[{"role": "user", "content": "Hi"}]' | gradus tokenizer chat models/qwen --messages - --json
            """) { model, messages, tools, prompt, goOn, name, arguments, json, mask };
        command.SetAction(result =>
        {
            var path = result.GetRequiredValue(model);
            var tokenizer = Tokenizer.Load(path);
            var chat = ChatTemplate.Load(path, tokenizer);
            var file = result.GetValue(messages);
            var talk = ChatMessage.ReadAll(Encoding.UTF8.GetBytes(file is null ? Sample : InputLines.ReadAll(file)), file is null or "-" ? "messages" : file);
            var options = new ChatOptions
            {
                AddGenerationPrompt = result.GetValue(prompt), ContinueFinalMessage = result.GetValue(goOn), TemplateName = result.GetValue(name),
                Tools = result.GetValue(tools) is { } t ? Parse(InputLines.ReadAll(t), t) : null,
                Arguments = result.GetValue(arguments) is { } a ? Parse(a, "--arguments") : null,
            };
            Show(tokenizer, chat.Apply(talk, options), chat.FirstRewritten(talk, options), result.GetValue(json), result.GetValue(mask));
            return ExitCode.Done;
        });
        return command;
    }

    private static JsonElement Parse(string text, string name)
    {
        using var document = StrictJson.Parse(Encoding.UTF8.GetBytes(text), name);
        return document.RootElement.Clone();
    }

    private static void Show(Tokenizer tokenizer, ChatPrompt prompt, int rewritten, bool json, bool mask)
    {
        var text = prompt.Text;
        if (json)
        {
            Terminal.Json(new
            {
                text.Text, prompt.Ids, AssistantMask = prompt.AssistantMask.Select(m => m ? 1 : 0),
                Assistant = text.Assistant.Select(s => new { s.Start, s.End, s.Message }), Data = text.Data.Select(s => new { s.Start, s.End, s.Message }),
                MarkedByTemplate = text.AssistantIsMarked, FirstRewritten = rewritten,
            });
            return;
        }

        if (mask)
        {
            for (var i = 0; i < prompt.Ids.Length; i++)
                Terminal.Out($"{i,6} {prompt.Ids[i],8} {(prompt.AssistantMask[i] ? 1 : 0)}  {Terminal.Visible(tokenizer.NameOf(prompt.Ids[i]))}");
            return;
        }

        Terminal.Out(Coloured(text));
        Terminal.Out("");
        Terminal.Out("ids: " + string.Join(' ', prompt.Ids));
        Terminal.Note($"{prompt.Ids.Length} tokens, {prompt.AssistantMask.Count(m => m)} of them the assistant's ({(text.AssistantIsMarked ? "marked by the template" : "from the messages")})");
        if (rewritten >= 0) Terminal.Note($"message {rewritten} rewrites what was rendered before it: the beginning of this conversation is not what a model saw turn by turn");
    }

    private static string Coloured(ChatText text)
    {
        var built = new StringBuilder();
        var at = 0;
        foreach (var span in text.Assistant)
        {
            built.Append(Terminal.Visible(text.Text[at..span.Start], lines: true));
            var words = Terminal.Visible(text.Text[span.Start..span.End], lines: true);
            built.Append(Terminal.OutHasColour ? $"\u001b[32m{words}\u001b[0m" : words);
            at = span.End;
        }
        return built.Append(Terminal.Visible(text.Text[at..], lines: true)).ToString();
    }
}

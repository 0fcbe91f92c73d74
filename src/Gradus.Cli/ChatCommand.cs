using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Gradus.Foundation.Files;
using Gradus.Inference.Generation;
using Gradus.Text.Tokenizers.Chat;

namespace Gradus.Cli;

/// <summary><c>gradus chat MODEL</c>: a conversation with a tuned model, by the template it was trained with.</summary>
internal static class ChatCommand
{
    public static Command Create()
    {
        var model = new Argument<string>("model") { Description = "A model folder with a chat template, an adapter folder or a run folder" };
        var system = new Option<string?>("--system") { Description = "The system prompt", HelpName = "text" };
        var template = new Option<string?>("--template") { Description = "Chat template file or folder; the model's own when left out", HelpName = "template" };
        var max = new Option<int>("--max-new-tokens") { Description = "Most new tokens an answer", DefaultValueFactory = _ => Sampling.Chat.MaxNewTokens };
        var temperature = new Option<double>("--temperature") { Description = "0 takes the most likely token every time", DefaultValueFactory = _ => Sampling.Chat.Temperature };
        var topP = new Option<double>("--top-p") { Description = "Keep the most likely tokens up to this probability; 1: all", DefaultValueFactory = _ => Sampling.Chat.TopP };
        var seed = new Option<ulong>("--seed") { Description = "The same seed gives the same answers", DefaultValueFactory = _ => 1 };
        var precision = new Option<string>("--precision") { Description = "fp32 or bf16", DefaultValueFactory = _ => "fp32" };
        var device = new Option<string>("--device") { Description = "cpu, cuda or cuda:N", DefaultValueFactory = _ => "cpu" };
        var adapter = GenerateCommand.AdapterOption();
        var json = new Option<bool>("--json") { Description = "A line of JSON an answer: {\"role\": \"assistant\", \"content\": …, \"finish\": …, \"tokens\": …}" };
        var command = new Command("chat", """
            Talks with a model. Answers stream; what was said is kept until /clear. A line that ends in \ goes on in the next; so does all between
            two lines of three quotes. Without a terminal each line of standard input is a message.
            While talking: /system TEXT, /set temperature 0.2 (top_p, top_k, min_p, repetition_penalty, max_new_tokens, seed), /clear, /save FILE, /help, /exit.

            Examples:
              gradus chat runs/assistant
              gradus chat models/llama --adapter runs/assistant
              gradus chat runs/assistant --system "Answer in one sentence." --temperature 0
              echo "Who are you?" | gradus chat runs/assistant --json
            """) { model, adapter, system, template, max, temperature, topP, seed, precision, device, json };
        command.SetAction((result, cancel) =>
        {
            var sampling = Sampling.Chat with
            {
                MaxNewTokens = GenerateCommand.AtLeast(1, result.GetValue(max), "--max-new-tokens"), Temperature = GenerateCommand.Within(0, 100, result.GetValue(temperature), "--temperature"),
                TopP = GenerateCommand.Within(double.Epsilon, 1, result.GetValue(topP), "--top-p"), Seed = result.GetValue(seed),
            };
            using var loaded = LoadedModel.Load(result.GetRequiredValue(model), result.GetRequiredValue(precision), result.GetRequiredValue(device), result.GetValue(adapter));
            var chat = ChatTemplate.Load(result.GetValue(template) ?? loaded.TemplateFolder, loaded.Tokenizer);
            return Task.FromResult(new ChatSession(loaded, chat, sampling, result.GetValue(json)) { SystemPrompt = result.GetValue(system) }.Run(System.Console.In, cancel));
        });
        return command;
    }
}

/// <summary>One conversation: reads messages, streams answers.</summary>
internal sealed class ChatSession(LoadedModel loaded, ChatTemplate template, Sampling sampling, bool json)
{
    private static readonly string[] s_verbs = ["/clear", "/exit", "/help", "/save", "/set", "/system"];
    private static readonly string[] s_knobs = ["max_new_tokens", "min_p", "repetition_penalty", "seed", "temperature", "top_k", "top_p"];

    private readonly TextGenerator _generator = new(loaded.Model, loaded.Tokenizer, [.. loaded.Options.EosTokenId, .. template.EndOfTurn() is { } end ? [end] : Array.Empty<int>()]);
    private readonly List<ChatMessage> _turns = [];
    private Sampling _sampling = sampling;
    private readonly bool _person = !System.Console.IsInputRedirected && !json;

    public string? SystemPrompt { get; set; }

    public int Run(TextReader input, CancellationToken cancel)
    {
        if (_person) Terminal.Note("talk; /help says what else there is, /exit or end of input ends");
        while (Read(input) is { } message)
        {
            if (message.Length == 0) continue;
            if (message[0] == '/' && message.Split(' ', 2)[0] is var verb && (s_verbs.Contains(verb) || _person))
            {
                if (verb == "/exit") break;
                try
                {
                    Do(verb, message[verb.Length..].Trim());
                }
                catch (UserException e) when (_person)
                {
                    Terminal.Error(e.Message); // a slip of the fingers must not end the conversation
                }
                continue;
            }
            Answer(message, cancel);
        }
        return ExitCode.Done;
    }

    /// <summary>One message: a line, or several.</summary>
    private string? Read(TextReader input)
    {
        if (_person) Terminal.Write("> ");
        if (input.ReadLine() is not { } line) return null;
        var text = new StringBuilder();
        if (line.Trim() == "\"\"\"")
        {
            while (input.ReadLine() is { } next && next.Trim() != "\"\"\"") text.Append(text.Length > 0 ? "\n" : "").Append(next);
            return text.ToString();
        }
        while (line.EndsWith('\\'))
        {
            text.Append(line.AsSpan(0, line.Length - 1)).Append('\n');
            line = input.ReadLine() ?? "";
        }
        return text.Append(line).ToString().Trim();
    }

    private void Answer(string message, CancellationToken cancel)
    {
        _turns.Add(new ChatMessage("user", message));
        var ids = Prompt();
        var (text, made, finish) = (new StringBuilder(), 0, FinishReason.Length);
        foreach (var token in _generator.Stream(ids, _sampling, cancel))
        {
            text.Append(token.Text);
            made++;
            finish = token.Finish ?? finish;
            if (!json) Terminal.Write(_person ? Terminal.Visible(token.Text, lines: true) : token.Text);
        }
        _turns.Add(new ChatMessage("assistant", text.ToString()));
        if (json) Terminal.Json(new { Role = "assistant", Content = text.ToString(), Finish = GenerateCommand.Name(finish), Tokens = made });
        else Terminal.Out(finish is FinishReason.Length or FinishReason.Context ? " …" : "");
    }

    /// <summary>The conversation as ids; its oldest turns go when the model's context is full.</summary>
    private int[] Prompt()
    {
        while (true)
        {
            IReadOnlyList<ChatMessage> messages = SystemPrompt is { Length: > 0 } system ? [new ChatMessage("system", system), .. _turns] : _turns;
            var ids = template.Apply(messages, new ChatOptions { AddGenerationPrompt = true }).Ids;
            if (ids.Length + Math.Min(16, _sampling.MaxNewTokens) <= loaded.Model.MaxPositions) return ids;
            if (_turns.Count < 3)
            {
                _turns.Clear();
                throw new UserException($"the message has {ids.Length} tokens; the model's context holds {loaded.Model.MaxPositions}");
            }
            _turns.RemoveRange(0, 2);
            Terminal.Note("the model's context is full: the oldest question and its answer are forgotten");
        }
    }

    private void Do(string verb, string rest)
    {
        switch (verb)
        {
            case "/clear":
                _turns.Clear();
                break;
            case "/system":
                SystemPrompt = rest;
                break;
            case "/set":
                Set(rest);
                break;
            case "/save":
                if (rest.Length == 0) throw new UserException("/save: name a file");
                var messages = (SystemPrompt is { Length: > 0 } system ? [("system", system)] : Array.Empty<(string, string)>()).Concat(_turns.Select(turn => (turn.Role, turn.Content ?? "")));
                Durable.WriteText(rest, JsonSerializer.Serialize(new { messages = messages.Select(m => new { role = m.Item1, content = m.Item2 }) }, s_json) + "\n");
                Terminal.Note($"{rest}: {_turns.Count} messages, as a row of `messages` that can be trained on");
                break;
            case "/help":
                Terminal.Note("/system TEXT   the system prompt\n/set KNOB VALUE   " + string.Join(", ", s_knobs) + "\n/clear   forget what was said\n/save FILE   the conversation as JSON\n/exit");
                break;
            default:
                throw new UserException($"{verb}: is no command{NearestName.Hint(verb, s_verbs)}");
        }
    }

    private static readonly JsonSerializerOptions s_json = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private void Set(string rest)
    {
        var parts = rest.Split([' ', '='], StringSplitOptions.RemoveEmptyEntries);
        if (parts is not [var knob, var given]) throw new UserException("/set: name a knob and its value: /set temperature 0.2");
        if (!s_knobs.Contains(knob)) throw new UserException($"/set: '{knob}' is no knob{NearestName.Hint(knob, s_knobs)}");
        if (!double.TryParse(given, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)) throw new UserException($"/set: '{given}' is not a number");
        _sampling = knob switch
        {
            "max_new_tokens" => _sampling with { MaxNewTokens = (int)GenerateCommand.Within(1, 1 << 20, value, "max_new_tokens") },
            "min_p" => _sampling with { MinP = GenerateCommand.Within(0, 1, value, "min_p") },
            "repetition_penalty" => _sampling with { RepetitionPenalty = GenerateCommand.Within(double.Epsilon, 100, value, "repetition_penalty") },
            "seed" => _sampling with { Seed = (ulong)GenerateCommand.Within(0, 1L << 53, value, "seed") },
            "temperature" => _sampling with { Temperature = GenerateCommand.Within(0, 100, value, "temperature") },
            "top_k" => _sampling with { TopK = (int)GenerateCommand.Within(0, 1 << 30, value, "top_k") },
            _ => _sampling with { TopP = GenerateCommand.Within(double.Epsilon, 1, value, "top_p") },
        };
    }
}

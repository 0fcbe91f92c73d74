using System.Text.Json;
using Gradus.Foundation.Files;

namespace Gradus.Text.Tokenizers.Chat;

/// <summary>
/// Turns conversations into the text, and the ids, a model was trained on: the one renderer of training and serving. The template is
/// the one the model's files carry. Immutable; may be used by many threads at once.
/// </summary>
/// <remarks>
/// What the messages say stays text: a user who writes <c>&lt;|im_end|&gt;</c> gets the ids of those characters, never the control token.
/// </remarks>
/// <example><code>
/// var tokenizer = Tokenizer.Load("model");
/// var chat = ChatTemplate.Load("model", tokenizer);
/// var prompt = chat.Apply([new("user", "Who wrote Moby-Dick?")], new() { AddGenerationPrompt = true });
/// </code></example>
public sealed partial class ChatTemplate
{
    // What Gradus, or Hugging Face's apply_chat_template, sets or takes itself.
    private static readonly string[] s_own =
        ["messages", "tools", "documents", "add_generation_prompt", "continue_final_message", "conversation", "chat_template", "tokenize", "padding", "truncation",
         "max_length", "return_tensors", "return_dict", "return_assistant_tokens_mask", "tokenizer_kwargs"];

    private readonly Dictionary<string, string> _sources;
    private readonly Dictionary<string, Lazy<Template>> _templates;
    private readonly Dictionary<string, string> _tokens;
    private readonly HashSet<string> _control;
    private readonly Tokenizer? _tokenizer;

    private ChatTemplate(string name, Dictionary<string, string> sources, Dictionary<string, string> tokens, Tokenizer? tokenizer, IEnumerable<string> control)
    {
        _sources = sources;
        _templates = sources.ToDictionary(s => s.Key, s => new Lazy<Template>(() => new Template(sources.Count == 1 ? name : $"{name} ({s.Key})", s.Value)), StringComparer.Ordinal);
        (_tokens, _tokenizer) = (tokens, tokenizer);
        _control = new(control.Where(t => t.Length > 0), StringComparer.Ordinal);
    }

    /// <summary>The names of the templates the file has; one alone is called <c>default</c>.</summary>
    public IReadOnlyCollection<string> Names => _templates.Keys;

    /// <summary>A template from its source, with the special tokens it names (<c>bos_token</c> → <c>&lt;s&gt;</c> …).</summary>
    public static ChatTemplate Parse(string source, Tokenizer? tokenizer = null, IReadOnlyDictionary<string, string>? specialTokens = null, string name = "chat template")
    {
        ArgumentNullException.ThrowIfNull(source);
        var tokens = specialTokens?.ToDictionary(t => t.Key, t => t.Value, StringComparer.Ordinal) ?? Named(tokenizer);
        var template = new ChatTemplate(name, new(StringComparer.Ordinal) { ["default"] = source }, tokens, tokenizer, tokens.Values.Concat(Control(tokenizer)));
        _ = template._templates["default"].Value;
        return template;
    }

    /// <summary>Writes the template into a model's folder as Hugging Face does: <c>chat_template.jinja</c>, those with other names below <c>additional_chat_templates/</c>.</summary>
    public void Save(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        foreach (var (name, source) in _sources)
            Durable.WriteText(name == "default" ? Path.Combine(folder, "chat_template.jinja") : Path.Combine(Directory.CreateDirectory(Path.Combine(folder, "additional_chat_templates")).FullName, name + ".jinja"), source);
    }

    /// <summary>The control token that ends what the assistant says, as the template writes it; null when it writes none, or the tokenizer has no such token.</summary>
    public int? EndOfTurn()
    {
        if (_tokenizer is null)
            throw new InvalidOperationException("The template was loaded without a tokenizer.");
        var prompt = Apply([new("user", "a"), new("assistant", "b")]);
        for (var t = prompt.Ids.Length - 1; t >= 0; t--)
            if (prompt.AssistantMask[t] && _tokenizer.IsSpecial(prompt.Ids[t]))
                return prompt.Ids[t];
        return null;
    }

    /// <summary>The text of a conversation.</summary>
    /// <exception cref="UserException">The template refuses the messages (its own words), is wrong, or goes over a bound; an argument is not one of the template's.</exception>
    public ChatText Render(IReadOnlyList<ChatMessage> messages, ChatOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(messages);
        options ??= ChatOptions.None;
        var template = Choose(options);
        var text = Text(template, messages, options);
        var data = new List<ChatSpan>();
        foreach (var mark in text.Marks)
            if ((mark.Tag & Mark.Data) != 0)
                data.Add(new(mark.Start, mark.End, mark.MessageIndex));
        return new(text.Text, data, Assistant(template, messages, options, text), template.HasGeneration);
    }

    /// <summary>
    /// The number of the first message after which the text so far is no beginning of the whole text, or -1 when there is none. Templates
    /// that rewrite earlier turns (dropping old thoughts, say) have one; there, training on whole conversations shows a model texts that
    /// serving turn by turn never does, and a cache of keys and values must be cut back.
    /// </summary>
    public int FirstRewritten(IReadOnlyList<ChatMessage> messages, ChatOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(messages);
        options = (options ?? ChatOptions.None) with { AddGenerationPrompt = false, ContinueFinalMessage = false };
        var template = Choose(options);
        string? last = null;
        for (var count = 1; count <= messages.Count; count++)
        {
            string now;
            try
            {
                now = Text(template, [.. messages.Take(count)], options).Text;
            }
            catch (UserException) when (count < messages.Count)
            {
                continue; // a part of a conversation need not be one: system alone, say
            }

            if (last is not null && !now.StartsWith(last, StringComparison.Ordinal))
                return count - 1;
            last = now;
        }

        return -1;
    }

    /// <summary>The names that <see cref="ChatOptions.Arguments"/> may hold: what the template reads and nobody else sets.</summary>
    public IReadOnlyList<string> ArgumentNames(ChatOptions? options = null) =>
        [.. Choose(options ?? ChatOptions.None).Globals.Where(name => !IsOurs(name) && !Functions.Refused.Contains(name))];

    private bool IsOurs(string name) =>
        s_own.Contains(name, StringComparer.Ordinal) || _tokens.ContainsKey(name) || Functions.All.ContainsKey(name) || name.EndsWith("_token", StringComparison.Ordinal);

    private Template Choose(ChatOptions options)
    {
        var name = options.TemplateName ?? (options.Tools is { ValueKind: not JsonValueKind.Null } && _templates.ContainsKey("tool_use") ? "tool_use" : _templates.Count == 1 ? _templates.Keys.First() : "default");
        return _templates.TryGetValue(name, out var template) ? template.Value
            : throw new UserException($"no chat template is named '{name}'{NearestName.Hint(name, _templates.Keys)}");
    }

    private TextValue Text(Template template, IReadOnlyList<ChatMessage> messages, ChatOptions options)
    {
        if (options.AddGenerationPrompt && options.ContinueFinalMessage)
            throw new UserException("a conversation cannot both begin a new answer and go on with its last message");
        var bytes = 0L;
        var list = new List<ChatValue>(messages.Count);
        for (var i = 0; i < messages.Count; i++)
            list.Add(messages[i].ValueAt(i, ref bytes));
        var names = new Dictionary<string, ChatValue>(StringComparer.Ordinal)
        {
            ["messages"] = new ListValue(list, isFixed: true),
            ["tools"] = options.Tools is { } tools ? ChatInput.Read(tools, Mark.Data, ref bytes) : NoneValue.Instance,
            ["documents"] = options.Documents is { } documents ? ChatInput.Read(documents, Mark.Data, ref bytes) : NoneValue.Instance,
            ["add_generation_prompt"] = BoolValue.Of(options.AddGenerationPrompt),
        };
        foreach (var (name, token) in _tokens)
            names[name] = new TextValue(token);
        AddArguments(options, names, ref bytes);
        var text = template.Text(names, () => options.Clock.GetLocalNow(), messages.Count, bytes, options.Limits);
        return options.ContinueFinalMessage ? Cut(text, messages) : text;
    }

    private void AddArguments(ChatOptions options, Dictionary<string, ChatValue> names, ref long bytes)
    {
        if (options.Arguments is not { ValueKind: not JsonValueKind.Null } arguments)
            return;
        if (arguments.ValueKind != JsonValueKind.Object)
            throw new UserException("arguments of a chat template are a JSON object");
        foreach (var argument in arguments.EnumerateObject())
        {
            var name = argument.Name;
            if (IsOurs(name))
                throw new UserException($"argument '{name}' of the chat template is not allowed: Gradus sets it itself");
            var known = ArgumentNames(options);
            if (!known.Contains(name, StringComparer.Ordinal))
                throw new UserException($"argument '{name}': the chat template reads no such name{(known.Count == 0 ? "" : NearestName.Hint(name, known))}");
            names[name] = ChatInput.Read(argument.Value, Mark.Data, ref bytes);
        }
    }

    private static TextValue Cut(TextValue text, IReadOnlyList<ChatMessage> messages)
    {
        var end = text.Marks.Where(m => m.MessageIndex == messages.Count - 1).Select(m => m.End).DefaultIfEmpty(-1).Max();
        return end >= 0 ? text.Slice(0, end) : throw new UserException("the last message cannot be gone on with: the chat template does not show it");
    }

    private static Dictionary<string, string> Named(Tokenizer? tokenizer)
    {
        var tokens = new Dictionary<string, string>(StringComparer.Ordinal);
        if (tokenizer is null)
            return tokens;
        foreach (var (name, id) in new[] { ("bos_token", tokenizer.BosId), ("eos_token", tokenizer.EosId), ("pad_token", tokenizer.PadId), ("unk_token", tokenizer.UnkId) })
            if (id is { } known)
                tokens[name] = tokenizer.NameOf(known);
        return tokens;
    }

    private static IEnumerable<string> Control(Tokenizer? tokenizer) => tokenizer is null ? [] : Enumerable.Range(0, tokenizer.VocabSize).Where(tokenizer.IsSpecial).Select(tokenizer.NameOf);
}

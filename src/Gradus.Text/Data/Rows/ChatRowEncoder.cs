using System.Text;
using Gradus.Foundation.Files;
using Gradus.Text.Data.Records;
using Gradus.Text.Tokenizers;
using Gradus.Text.Tokenizers.Chat;

namespace Gradus.Text.Data.Rows;

/// <summary>Conversations, and prompts with their answers, as rows: the next token is to be said wherever it is one the assistant says.</summary>
/// <param name="tokenizer">Text to ids.</param>
/// <param name="template">Conversations to text; asked for with the first conversation, as prompts with answers need none.</param>
/// <param name="options">What is learned.</param>
public sealed class ChatRowEncoder(Tokenizer tokenizer, Func<ChatTemplate> template, ChatRowOptions options)
{
    private readonly Lazy<ChatTemplate> _template = new(template);
    private readonly RowFrame _frame = RowFrame.Of(tokenizer);

    /// <summary>The token that fills rows up.</summary>
    public int Pad => tokenizer.PadId ?? tokenizer.EosId ?? 0;

    /// <summary>The row of a record; <see cref="EncodedRow.Targets"/> may hold nothing to learn.</summary>
    /// <exception cref="UserException">The record is neither a conversation nor a prompt with its answer, or the template refuses it.</exception>
    public EncodedRow Encode(DataRecord record, int index)
    {
        ArgumentNullException.ThrowIfNull(record);
        return record switch
        {
            Conversation talk => Row(talk, index),
            Completion completion => Row(completion, index),
            _ => throw new UserException($"{record.Place}: chat learns from conversations or prompts with their answers, and this is something else; map the columns: format: {{ kind: messages, columns: {{ … }} }}"),
        };
    }

    /// <summary>What the last answer of a record answers, and all tokens before it, made as those of its row are; none where there is no answer.</summary>
    public (string Text, int[] Ids) Question(DataRecord record)
    {
        switch (record)
        {
            case Completion completion:
                return (completion.Prompt, [.. Before(completion)]);
            case Conversation talk when LastAnswer(talk) is > 0 and var last:
                return (talk.Messages[last - 1].Content ?? "", Apply(talk, [.. talk.Messages.Take(last)], new ChatOptions { Tools = talk.Tools, AddGenerationPrompt = true }).Ids);
            default:
                return ("", []);
        }
    }

    private static int LastAnswer(Conversation talk)
    {
        var last = talk.Messages.Count - 1;
        while (last >= 0 && talk.Messages[last].Role != "assistant") last--;
        return last;
    }

    private ChatPrompt Apply(Conversation talk, IReadOnlyList<ChatMessage> messages, ChatOptions how)
    {
        try
        {
            return _template.Value.Apply(messages, how);
        }
        catch (UserException e)
        {
            throw new UserException($"{talk.Place}: {e.Message}", e);
        }
    }

    private EncodedRow Row(Conversation talk, int index)
    {
        var prompt = Apply(talk, talk.Messages, new ChatOptions { Tools = talk.Tools });
        var last = LastAnswer(talk);
        var weights = new float[prompt.Ids.Length];
        for (var t = 0; t < weights.Length; t++)
        {
            var message = prompt.AssistantMessage[t];
            weights[t] = message < 0 ? options.Learn == LearnedTurns.All ? 1 : 0
                : options.Learn == LearnedTurns.Last && message != last ? 0 : (float)talk.Weight(message);
        }
        return Row(prompt.Ids, weights, index);
    }

    private EncodedRow Row(Completion completion, int index)
    {
        var ids = Before(completion);
        var border = ids.Count;
        tokenizer.Encode(Encoding.UTF8.GetBytes(completion.Response), ids, addSpecialTokens: false);
        if (tokenizer.EosId is { } eos) ids.Add(eos); // learned as well: how else would it know when to stop
        var weights = new float[ids.Count];
        weights.AsSpan(options.Learn == LearnedTurns.All ? 0 : border).Fill(1);
        return Row([.. ids], weights, index);
    }

    private List<int> Before(Completion completion)
    {
        var ids = new List<int>(_frame.Before);
        tokenizer.Encode(Encoding.UTF8.GetBytes(completion.Prompt), ids, addSpecialTokens: false);
        return ids;
    }

    /// <param name="ids">All tokens.</param>
    /// <param name="weights">How much saying each of them counts.</param>
    /// <param name="index">Of the record.</param>
    private EncodedRow Row(int[] ids, float[] weights, int index)
    {
        var length = Math.Max(1, Math.Min(ids.Length - 1, options.MaxLength)); // the last token is only ever said
        if (ids.Length == 0) (ids, weights) = ([Pad], [0]);
        var targets = new int[length];
        for (var t = 0; t < length; t++) targets[t] = t + 1 < ids.Length && weights[t + 1] > 0 ? ids[t + 1] : TokenBatch.Ignore;
        var counts = weights.Skip(1).Take(length).ToArray();
        return new EncodedRow(ids[..length], targets) { Record = index, Truncated = ids.Length - 1 > length, Weights = counts.All(w => w is 0 or 1) ? null : counts };
    }
}

using System.Text.Json;
using Gradus.Foundation.Recipes;
using Gradus.Text.Tokenizers.Chat;

namespace Gradus.Text.Data.Records;

/// <summary>
/// A better and a worse answer: with a prompt beside them, as two whole conversations that part at the end, as Anthropic's transcripts
/// (<c>Human:</c> … <c>Assistant:</c> …), or as Stack Exchange pairs (question, response_j, response_k).
/// </summary>
[Component("preference")]
public sealed record PreferenceFormat : RecordFormat
{
    private const string Human = "\n\nHuman:", Assistant = "\n\nAssistant:";

    protected internal override IReadOnlyList<string> Fields => ["prompt", "chosen", "rejected"];

    protected internal override int Rank => 10;

    private protected override bool Fits(RecordFields row) => row.Has("chosen", "response_j") && row.Has("rejected", "response_k");

    private protected override IEnumerable<DataRecord> Make(RecordFields row)
    {
        var (chosen, rejected) = (row.Need("chosen", "response_j"), row.Need("rejected", "response_k"));
        var record = row.Find("prompt", "question", "instruction", "conversations") is { } prompt ? WithPrompt(row, prompt, chosen, rejected) : Whole(row, chosen, rejected);
        if (Same(record.Chosen, record.Rejected))
            throw new RecordFault(row.Name("rejected"), "the same as the chosen answer: nothing can be preferred");
        yield return record;
    }

    private static Preference WithPrompt(RecordFields row, JsonElement prompt, JsonElement chosen, JsonElement rejected)
    {
        var before = ChatRows.Checked(ChatRows.TextOrMessages(prompt, "user", row.Name("prompt")), row.Name("prompt"), needsAnswer: false);
        return new Preference
        {
            Place = row.Place,
            Prompt = before,
            Chosen = Answer(ChatRows.TextOrMessages(chosen, "assistant", row.Name("chosen")), before, row.Name("chosen")),
            Rejected = Answer(ChatRows.TextOrMessages(rejected, "assistant", row.Name("rejected")), before, row.Name("rejected")),
        };
    }

    /// <summary>Some files repeat the prompt in both answers.</summary>
    private static List<ChatMessage> Answer(List<ChatMessage> answer, IReadOnlyList<ChatMessage> prompt, string field)
    {
        if (answer.Count > prompt.Count && Same(answer[..prompt.Count], prompt))
            answer = answer[prompt.Count..];
        return answer.Count > 0 && answer[0].Role == "assistant" ? answer : throw new RecordFault(field, "the answer is not the assistant's");
    }

    private static Preference Whole(RecordFields row, JsonElement chosen, JsonElement rejected)
    {
        var (a, b) = (Turns(chosen, row.Name("chosen")), Turns(rejected, row.Name("rejected")));
        var shared = 0;
        while (shared < a.Count && shared < b.Count && Same([a[shared]], [b[shared]]))
            shared++;
        // What differs begins with the assistant's turn; where one transcript ends early, the last shared turn of the assistant is its answer.
        while (shared > 0 && (shared >= a.Count || shared >= b.Count || a[shared].Role != "assistant" || b[shared].Role != "assistant"))
            shared--;
        if (shared == 0)
            throw new RecordFault(row.Name("rejected"), "it shares no beginning with the chosen conversation, and there is no prompt");
        return new Preference { Place = row.Place, Prompt = a[..shared], Chosen = a[shared..], Rejected = b[shared..] };
    }

    private static List<ChatMessage> Turns(JsonElement value, string field)
    {
        if (value.ValueKind != JsonValueKind.String)
            return [.. ChatRows.Checked(ChatRows.Messages(value, field), field)];
        var text = value.GetString()!;
        if (!text.StartsWith(Human, StringComparison.Ordinal))
            throw new RecordFault(field, "a text without a prompt beside it has to be a transcript that begins with an empty line and 'Human:'");
        var turns = new List<ChatMessage>();
        for (var at = 0; at < text.Length;)
        {
            var isHuman = string.CompareOrdinal(text, at, Human, 0, Human.Length) == 0;
            at += isHuman ? Human.Length : Assistant.Length;
            var (human, assistant) = (text.IndexOf(Human, at, StringComparison.Ordinal), text.IndexOf(Assistant, at, StringComparison.Ordinal));
            var end = human < 0 ? assistant < 0 ? text.Length : assistant : assistant < 0 ? human : Math.Min(human, assistant);
            var words = text[at..end].Trim();
            turns.Add(words.Length > 0 ? new ChatMessage(isHuman ? "user" : "assistant", words) : throw new RecordFault(field, FormattableString.Invariant($"turn {turns.Count + 1} is empty")));
            at = end;
        }

        return turns;
    }

    private static bool Same(IReadOnlyList<ChatMessage> a, IReadOnlyList<ChatMessage> b)
    {
        if (a.Count != b.Count)
            return false;
        for (var i = 0; i < a.Count; i++)
            if (a[i].Role != b[i].Role || !JsonElement.DeepEquals(a[i].Json, b[i].Json))
                return false;
        return true;
    }
}

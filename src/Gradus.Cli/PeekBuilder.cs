using System.Globalization;
using System.Text;
using Gradus.Text.Data;
using Gradus.Text.Data.Records;
using Gradus.Text.Tokenizers;
using Gradus.Text.Tokenizers.Chat;

namespace Gradus.Cli;

/// <summary>Makes what the model sees: records through the template, documents packed into rows.</summary>
internal sealed class PeekBuilder(Tokenizer? tokenizer, Func<ChatTemplate> template, int length)
{
    /// <summary>Documents one behind the other, cut into rows: what pre-training sees, before rows are shuffled.</summary>
    public IEnumerable<PeekItem> Packed(IEnumerable<Document> documents, int count)
    {
        if (tokenizer is null)
        {
            foreach (var document in documents.Take(count))
                yield return new PeekItem(document.Origin, "document", [new PeekPiece(Shown(Encoding.UTF8.GetString(document.Utf8.Span)), Learned: true)], [.. Meta(document)]);
            yield break;
        }

        var row = new List<PeekPiece>();
        var ids = new List<int>();
        var (rows, seen) = (0, 0);
        foreach (var document in documents)
        {
            ids.Clear();
            tokenizer.Encode(document.Utf8.Span, ids, addSpecialTokens: false);
            if (tokenizer.EosId is { } eos) ids.Add(eos);
            var border = seen++ > 0;
            foreach (var id in ids)
            {
                row.Add(new PeekPiece(Token(id), Learned: true, id, Border: border));
                border = false;
                if (row.Count < length) continue;
                yield return Row(row, ++rows);
                row = [];
                if (rows == count) yield break;
            }
        }

        if (row.Count > 0) yield return Row(row, rows + 1);
    }

    /// <summary>Rows as training gets them: packed, cut, masked. The token that is only ever said, the last of a document, stands at its end.</summary>
    public IEnumerable<PeekItem> Rows(IBatchSource rows, int count)
    {
        for (var number = 0L; number < Math.Min(count, rows.RowsPerEpoch); number++)
        {
            var batch = rows.Rows(number, 1);
            var used = batch.Length; // what fills a row up is a document in which nothing is learned
            while (used > 0 && batch.Documents[used - 1] == batch.Documents[^1]) used--;
            if (Array.Exists(batch.Targets[used..], target => target != TokenBatch.Ignore) || used == 0) used = batch.Length;
            var pieces = new List<PeekPiece>();
            for (var t = 0; t < used; t++)
            {
                var begins = t == 0 || batch.Documents[t] != batch.Documents[t - 1];
                if (begins && t > 0) Last(t - 1);
                pieces.Add(new PeekPiece(Token(batch.Ids[t]), !begins && batch.Targets[t - 1] != TokenBatch.Ignore, batch.Ids[t], Border: begins && t > 0));
            }
            Last(used - 1);
            var documents = pieces.Count(p => p.Border) + 1;
            List<string> notes = [string.Create(CultureInfo.InvariantCulture, $"{documents} {(documents == 1 ? "conversation" : "conversations")}, {batch.Length - used} of {batch.Length} tokens are filling")];
            if (batch.Weights is not null) notes.Add("some of what is learned counts more or less than 1");
            yield return new PeekItem(string.Create(CultureInfo.InvariantCulture, $"row {number + 1} of {rows.RowsPerEpoch}"), "training row", pieces, notes);

            void Last(int t)
            {
                if (batch.Targets[t] != TokenBatch.Ignore) pieces.Add(new PeekPiece(Token(batch.Targets[t]), true, batch.Targets[t]));
            }
        }
    }

    /// <summary>A record: one item, or two where a better and a worse answer stand side by side.</summary>
    public IEnumerable<PeekItem> Record(DataRecord record)
    {
        switch (record)
        {
            case Conversation talk:
                yield return Chat(talk.Place, "conversation", talk.Messages, 0, talk);
                break;
            case Preference pair:
                yield return Chat(pair.Place, "chosen", [.. pair.Prompt, .. pair.Chosen], pair.Prompt.Count);
                yield return Chat(pair.Place, "rejected", [.. pair.Prompt, .. pair.Rejected], pair.Prompt.Count);
                break;
            case RatedAnswer rated:
                yield return Chat(rated.Place, rated.Desirable ? "wanted" : "unwanted", [.. rated.Prompt, .. rated.Answer], rated.Prompt.Count);
                break;
            case Completion completion:
                yield return Item(completion.Place, "completion", [.. Tokens(completion.Prompt, false), .. Tokens(completion.Response, true), .. End()]);
                break;
            case LabelledText labelled:
                yield return Item(labelled.Place, "labelled text", [.. Tokens(labelled.Text, false), .. labelled.Pair is { } second ? Tokens("\n" + second, false) : Enumerable.Empty<PeekPiece>(), new PeekPiece("", true, Label: labelled.Label)]);
                break;
            case TaggedTokens tagged:
                yield return Item(tagged.Place, "tagged words", [.. tagged.Tokens.Select((word, i) => new PeekPiece(i == 0 ? word : " " + word, tagged.Tags[i] != "O", Label: tagged.Tags[i] == "O" ? null : tagged.Tags[i]))]);
                break;
            case QuestionAnswer question:
                yield return Item(question.Place, "question", Question(question));
                break;
            case ParallelText pair:
                yield return Item(pair.Place, "translation", [.. Tokens(pair.Source + "\n", false), .. Tokens(pair.Target, true), .. End()]);
                break;
        }
    }

    private List<PeekPiece> Question(QuestionAnswer question)
    {
        List<PeekPiece> pieces = [.. Tokens(question.Question + "\n", false)];
        if (question.Answers is [var answer, ..])
        {
            pieces.AddRange(Tokens(question.Context[..answer.Start], false));
            pieces.AddRange(Tokens(answer.Text, true));
            pieces.AddRange(Tokens(question.Context[(answer.Start + answer.Text.Length)..], false));
        }
        else
        {
            pieces.AddRange(Tokens(question.Context, false));
            pieces.Add(new PeekPiece("", true, Label: "no answer"));
        }

        return pieces;
    }

    /// <param name="place">Of the record.</param>
    /// <param name="kind">What is shown.</param>
    /// <param name="messages">All of them.</param>
    /// <param name="learnFrom">Messages before this one are not learned, whoever speaks.</param>
    /// <param name="talk">For its tools and weights.</param>
    private PeekItem Chat(string place, string kind, IReadOnlyList<ChatMessage> messages, int learnFrom, Conversation? talk = null)
    {
        bool Learns(int message) => message >= learnFrom && messages[message].Role == "assistant" && (talk?.Weight(message) ?? 1) > 0;
        if (tokenizer is null)
            return Item(place, kind, [.. messages.SelectMany((m, i) => new[] { new PeekPiece($"{m.Role}: ", false), new PeekPiece(Shown(m.Content ?? m.Json.GetRawText()) + "\n", Learns(i)) })]);
        var chat = template();
        var prompt = chat.Apply(messages, new ChatOptions { Tools = talk?.Tools });
        var begins = learnFrom == 0 ? 0 : Encoding.UTF8.GetByteCount(chat.Render([.. messages.Take(learnFrom)]).Text);
        var pieces = new List<PeekPiece>();
        var bytes = 0;
        for (var i = 0; i < prompt.Ids.Length; i++)
        {
            pieces.Add(new PeekPiece(Token(prompt.Ids[i]), prompt.AssistantMask[i] && bytes >= begins, prompt.Ids[i]));
            bytes += tokenizer.IsSpecial(prompt.Ids[i]) ? Encoding.UTF8.GetByteCount(tokenizer.NameOf(prompt.Ids[i])) : tokenizer.TokenBytes(prompt.Ids[i]).Length;
        }

        return Item(place, kind, pieces);
    }

    private PeekItem Item(string place, string kind, List<PeekPiece> pieces)
    {
        var notes = new List<string>();
        if (tokenizer is not null && pieces.Count > length)
        {
            var lost = pieces.Skip(length).Count(p => p.Learned);
            notes.Add(string.Create(CultureInfo.InvariantCulture, $"{pieces.Count} tokens: cut to {length}, {lost} learned tokens are lost"));
            pieces = pieces[..length];
        }

        if (!pieces.Exists(p => p.Learned)) notes.Add("nothing to learn in it");
        return new PeekItem(place, kind, pieces, notes);
    }

    private PeekItem Row(List<PeekPiece> row, int number)
    {
        var documents = row.Count(p => p.Border) + 1;
        return new PeekItem(string.Create(CultureInfo.InvariantCulture, $"row {number}"), "packed row", row, documents > 1 ? [string.Create(CultureInfo.InvariantCulture, $"{documents} documents")] : row.Count < length ? [string.Create(CultureInfo.InvariantCulture, $"{row.Count} of {length} tokens: the last row, which training leaves out")] : []);
    }

    private IEnumerable<PeekPiece> Tokens(string text, bool learned)
    {
        if (tokenizer is null) return text.Length == 0 ? [] : [new PeekPiece(Shown(text), learned)];
        var ids = new List<int>();
        tokenizer.Encode(Encoding.UTF8.GetBytes(text), ids, addSpecialTokens: false);
        return ids.Select(id => new PeekPiece(Token(id), learned, id));
    }

    private IEnumerable<PeekPiece> End() => tokenizer?.EosId is { } eos ? [new PeekPiece(Token(eos), true, eos)] : [];

    private string Token(int id) => tokenizer!.IsSpecial(id) ? tokenizer.NameOf(id) : Encoding.UTF8.GetString(tokenizer.TokenBytes(id));

    private static IEnumerable<string> Meta(Document document) => document.Meta?.Select(m => $"{m.Key}: {m.Value}") ?? [];

    private static string Shown(string text) => text.Length <= 4000 ? text : text[..4000] + "…";
}

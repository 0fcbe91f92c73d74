using System.Text.Json;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Data.Records;

/// <summary>
/// Questions about a context with answers inside it: SQuAD's articles (a record a question) and the flat rows of Hugging Face. Every answer
/// has to stand in the context where it says.
/// </summary>
[Component("qa")]
public sealed record QaFormat : RecordFormat
{
    protected internal override IReadOnlyList<string> Fields => ["paragraphs", "id", "context", "question", "answers"];

    protected internal override int Rank => 50;

    private protected override bool Fits(RecordFields row) => row.Find("paragraphs") is { ValueKind: JsonValueKind.Array } || (row.Has("context") && row.Has("question") && row.Find("answers", "answer") is { ValueKind: JsonValueKind.Object or JsonValueKind.Array });

    private protected override IEnumerable<DataRecord> Make(RecordFields row)
    {
        if (row.Find("paragraphs") is not { } paragraphs)
        {
            var context = row.NeedText("context");
            yield return new QuestionAnswer { Place = row.Place, Id = row.Text("id") ?? "", Context = context, Question = row.NeedText("question"), Answers = Flat(row.Need("answers", "answer"), context, row.Name("answers")) };
            yield break;
        }

        var p = 0;
        foreach (var paragraph in paragraphs.EnumerateArray())
        {
            var field = $"{row.Name("paragraphs")}[{p++}]";
            var context = Text(paragraph, "context", field);
            if (!paragraph.TryGetProperty("qas", out var qas) || qas.ValueKind != JsonValueKind.Array)
                throw new RecordFault($"{field}.qas", "missing");
            var q = 0;
            foreach (var qa in qas.EnumerateArray())
            {
                var at = $"{field}.qas[{q++}]";
                yield return new QuestionAnswer { Place = row.Place, Id = Text(qa, "id", at), Context = context, Question = Text(qa, "question", at), Answers = Listed(qa, context, at) };
            }
        }
    }

    private static List<AnswerSpan> Listed(JsonElement qa, string context, string field)
    {
        if (!qa.TryGetProperty("answers", out var answers) || answers.ValueKind != JsonValueKind.Array)
            throw new RecordFault($"{field}.answers", "missing");
        if (qa.TryGetProperty("is_impossible", out var impossible) && impossible.ValueKind == JsonValueKind.True)
            return [];
        if (answers.GetArrayLength() == 0)
            throw new RecordFault($"{field}.answers", "is empty, and the question is not marked is_impossible");
        return [.. answers.EnumerateArray().Select((a, i) => Span(context, Text(a, "text", $"{field}.answers[{i}]"), a.TryGetProperty("answer_start", out var start) && start.TryGetInt32(out var n) ? n : -1, $"{field}.answers[{i}].answer_start"))];
    }

    /// <summary><c>{"text": [...], "answer_start": [...]}</c>, or a list of objects.</summary>
    private static List<AnswerSpan> Flat(JsonElement answers, string context, string field)
    {
        if (answers.ValueKind == JsonValueKind.Array)
            return [.. answers.EnumerateArray().Select((a, i) => Span(context, Text(a, "text", $"{field}[{i}]"), a.TryGetProperty("answer_start", out var start) && start.TryGetInt32(out var n) ? n : -1, $"{field}[{i}].answer_start"))];
        if (!answers.TryGetProperty("text", out var texts) || !answers.TryGetProperty("answer_start", out var starts) || texts.ValueKind != JsonValueKind.Array || starts.ValueKind != JsonValueKind.Array || texts.GetArrayLength() != starts.GetArrayLength())
            throw new RecordFault(field, "two lists of one length have to be here: text and answer_start");
        return [.. Enumerable.Range(0, texts.GetArrayLength()).Select(i => Span(context, texts[i].GetString() ?? "", starts[i].TryGetInt32(out var n) ? n : -1, $"{field}.answer_start[{i}]"))];
    }

    private static AnswerSpan Span(string context, string text, int codePoints, string field)
    {
        var start = codePoints < 0 ? -1 : Units(context, codePoints);
        return start >= 0 && string.CompareOrdinal(context, start, text, 0, text.Length) == 0 ? new AnswerSpan(text, start)
            : throw new RecordFault(field, codePoints < 0 ? "missing" : FormattableString.Invariant($"the context does not have the answer '{Shown(text)}' at {codePoints}{Elsewhere(context, text)}"));
    }

    private static string Elsewhere(string context, string text) => context.IndexOf(text, StringComparison.Ordinal) is >= 0 and var at ? FormattableString.Invariant($"; it stands at {CodePoints(context, at)}") : "";

    private static int Units(string text, int codePoints)
    {
        var at = 0;
        for (; codePoints > 0 && at < text.Length; codePoints--)
            at += char.IsHighSurrogate(text[at]) && at + 1 < text.Length ? 2 : 1;
        return codePoints == 0 ? at : -1;
    }

    private static int CodePoints(string text, int units) => text.AsSpan(0, units).ToArray().Count(c => !char.IsLowSurrogate(c));

    private static string Text(JsonElement value, string name, string field) =>
        value.ValueKind == JsonValueKind.Object && value.TryGetProperty(name, out var text) && text.ValueKind == JsonValueKind.String && !string.IsNullOrWhiteSpace(text.GetString()) ? text.GetString()! : throw new RecordFault($"{field}.{name}", "missing or empty");

    private static string Shown(string text) => text.Length <= 40 ? text : text[..40] + "…";
}

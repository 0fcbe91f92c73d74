using System.Text.Json;
using Gradus.Foundation.Recipes;
using Gradus.Text.Tokenizers.Chat;

namespace Gradus.Text.Data.Records;

/// <summary>Alpaca: instruction, optional input, output; earlier turns as <c>history</c>; Self-Instruct's <c>instances</c>, a record each.</summary>
[Component("alpaca")]
public sealed record AlpacaFormat : RecordFormat
{
    protected internal override IReadOnlyList<string> Fields => ["instruction", "input", "output", "system", "history", "instances"];

    protected internal override int Rank => 80;

    private protected override bool Fits(RecordFields row) => row.Find("instruction") is { ValueKind: JsonValueKind.String } && (row.Has("output", "response") || row.Find("instances") is { ValueKind: JsonValueKind.Array });

    private protected override IEnumerable<DataRecord> Make(RecordFields row)
    {
        var instruction = row.NeedText("instruction");
        if (row.Find("instances") is not { } instances)
        {
            yield return One(row, instruction, row.Text("input", "context"), row.NeedText("output", "response"));
            yield break;
        }

        if (instances.ValueKind != JsonValueKind.Array || instances.GetArrayLength() == 0)
            throw new RecordFault(row.Name("instances"), "a list of at least one {input, output} has to be here");
        var i = 0;
        foreach (var instance in instances.EnumerateArray())
        {
            var field = $"{row.Name("instances")}[{i++}]";
            if (instance.ValueKind != JsonValueKind.Object || !instance.TryGetProperty("output", out var output) || output.ValueKind != JsonValueKind.String || string.IsNullOrWhiteSpace(output.GetString()))
                throw new RecordFault($"{field}.output", "missing or empty");
            var input = instance.TryGetProperty("input", out var text) && text.ValueKind == JsonValueKind.String ? text.GetString() : null;
            yield return One(row, instruction, input, output.GetString()!);
        }
    }

    private static Conversation One(RecordFields row, string instruction, string? input, string output)
    {
        var messages = new List<ChatMessage>();
        if (row.Text("system") is { } system)
            messages.Add(new ChatMessage("system", system));
        if (row.Find("history") is { } history)
        {
            if (history.ValueKind != JsonValueKind.Array)
                throw new RecordFault(row.Name("history"), $"{RecordFields.Kind(history)} where a list of [question, answer] has to be");
            var i = 0;
            foreach (var turn in history.EnumerateArray())
            {
                if (turn.ValueKind != JsonValueKind.Array || turn.GetArrayLength() != 2 || turn.EnumerateArray().Any(t => t.ValueKind != JsonValueKind.String))
                    throw new RecordFault($"{row.Name("history")}[{i}]", "a turn is a list of two texts: question and answer");
                messages.Add(new ChatMessage("user", turn[0].GetString()));
                messages.Add(new ChatMessage("assistant", turn[1].GetString()));
                i++;
            }
        }

        messages.Add(new ChatMessage("user", string.IsNullOrEmpty(input) ? instruction : instruction + "\n\n" + input));
        messages.Add(new ChatMessage("assistant", output));
        return new Conversation { Place = row.Place, Messages = messages };
    }
}

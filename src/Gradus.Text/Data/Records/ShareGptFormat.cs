using System.Text.Json;
using Gradus.Foundation.Recipes;
using Gradus.Text.Tokenizers.Chat;

namespace Gradus.Text.Data.Records;

/// <summary>ShareGPT: a list of <c>{from, value}</c> (human, gpt, system, function_call, observation).</summary>
[Component("sharegpt")]
public sealed record ShareGptFormat : RecordFormat
{
    protected internal override IReadOnlyList<string> Fields => ["conversations", "system", "tools"];

    protected internal override int Rank => 40;

    private protected override bool Fits(RecordFields row) => row.Find("conversations", "conversation") is { ValueKind: JsonValueKind.Array };

    private protected override IEnumerable<DataRecord> Make(RecordFields row)
    {
        var messages = ChatRows.Messages(row.Need("conversations", "conversation"), row.Name("conversations"));
        if (row.Text("system") is { } system && messages is not [{ Role: "system" }, ..])
            messages.Insert(0, new ChatMessage("system", system));
        yield return new Conversation { Place = row.Place, Messages = ChatRows.Checked(messages, row.Name("conversations")), Tools = ChatRows.Tools(row) };
    }
}

using System.Text.Json;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Data.Records;

/// <summary>OpenAI's messages: a list of <c>{role, content}</c> with tool calls and results, and the tools beside it.</summary>
[Component("messages")]
public sealed record MessagesFormat : RecordFormat
{
    protected internal override IReadOnlyList<string> Fields => ["messages", "tools"];

    protected internal override int Rank => 30;

    private protected override bool Fits(RecordFields row) => row.Find("messages") is { ValueKind: JsonValueKind.Array };

    private protected override IEnumerable<DataRecord> Make(RecordFields row)
    {
        var messages = ChatRows.Messages(row.Need("messages"), row.Name("messages"));
        yield return new Conversation { Place = row.Place, Messages = ChatRows.Checked(messages, row.Name("messages")), Tools = ChatRows.Tools(row) };
    }
}

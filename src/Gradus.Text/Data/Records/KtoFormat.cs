using System.Text.Json;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Data.Records;

/// <summary>KTO: a prompt, one answer, and whether it is wanted.</summary>
[Component("kto")]
public sealed record KtoFormat : RecordFormat
{
    protected internal override IReadOnlyList<string> Fields => ["prompt", "completion", "label"];

    protected internal override int Rank => 20;

    private protected override bool Fits(RecordFields row) => row.Has("prompt") && row.Has("completion") && row.Find("label", "desirable") is { ValueKind: JsonValueKind.True or JsonValueKind.False };

    private protected override IEnumerable<DataRecord> Make(RecordFields row)
    {
        yield return new RatedAnswer
        {
            Place = row.Place,
            Prompt = ChatRows.Checked(ChatRows.TextOrMessages(row.Need("prompt"), "user", row.Name("prompt")), row.Name("prompt"), needsAnswer: false),
            Answer = ChatRows.TextOrMessages(row.Need("completion"), "assistant", row.Name("completion")),
            Desirable = row.NeedBool("label", "desirable"),
        };
    }
}

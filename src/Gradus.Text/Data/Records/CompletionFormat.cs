using System.Text.Json;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Data.Records;

/// <summary>A prompt and its completion as plain text.</summary>
[Component("prompt-completion")]
public sealed record CompletionFormat : RecordFormat
{
    protected internal override IReadOnlyList<string> Fields => ["prompt", "completion"];

    protected internal override int Rank => 90;

    private protected override bool Fits(RecordFields row) => row.Find("prompt") is { ValueKind: JsonValueKind.String } && row.Find("completion", "response") is { ValueKind: JsonValueKind.String };

    private protected override IEnumerable<DataRecord> Make(RecordFields row)
    {
        yield return new Completion { Place = row.Place, Prompt = row.NeedText("prompt"), Response = row.NeedText("completion", "response") };
    }
}

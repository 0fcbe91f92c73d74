using System.Text.Json;
using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Data.Records;

/// <summary>A text, or a pair, with a class or a number: GLUE's files, reviews with stars, spam and ham.</summary>
[Component("labelled")]
public sealed record LabelledFormat : RecordFormat
{
    private static readonly string[] s_text = ["text", "sentence", "sentence1", "premise", "question1", "review", "content", "column1"];
    private static readonly string[] s_pair = ["pair", "sentence2", "hypothesis", "question2"];
    // A row with only a text and one of the last three is more likely a document with metadata: these have to be asked for.
    private static readonly string[] s_sure = ["label", "labels", "class", "category", "sentiment", "gold_label", "column2"];
    private static readonly string[] s_label = [.. s_sure, "score", "stars", "target"];

    /// <summary>The classes there are; a label outside is a bad record. Empty takes any.</summary>
    public IReadOnlyList<string> Labels { get; init; } = [];

    protected internal override IReadOnlyList<string> Fields => ["text", "pair", "label"];

    protected internal override int Rank => 100;

    private protected override bool Fits(RecordFields row) => row.Find(s_text) is { ValueKind: JsonValueKind.String } && row.Find(s_sure) is { ValueKind: JsonValueKind.String or JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False } label && label.GetRawText().Length <= 64;

    private protected override IEnumerable<DataRecord> Make(RecordFields row)
    {
        var label = row.NeedScalar(s_label).Trim();
        if (Labels.Count > 0 && !Labels.Contains(label))
            throw new RecordFault(row.Name("label"), $"'{label}' is none of the labels{NearestName.Hint(label, Labels)}");
        yield return new LabelledText { Place = row.Place, Text = row.NeedText(s_text), Pair = row.Text(s_pair), Label = label };
    }
}

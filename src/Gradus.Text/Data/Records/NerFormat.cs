using System.Text.Json;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Data.Records;

/// <summary>Words and their tags, list beside list: what CoNLL files become, and Hugging Face's <c>tokens</c> and <c>ner_tags</c>.</summary>
[Component("ner")]
public sealed record NerFormat : RecordFormat
{
    /// <summary>Names of the tags when the file has numbers.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    protected internal override IReadOnlyList<string> Fields => ["tokens", "tags"];

    protected internal override int Rank => 60;

    private protected override bool Fits(RecordFields row) => row.Find("tokens", "words") is { ValueKind: JsonValueKind.Array } && row.Find("tags", "ner_tags", "labels", "pos_tags") is { ValueKind: JsonValueKind.Array };

    private protected override IEnumerable<DataRecord> Make(RecordFields row)
    {
        var (tokens, tags) = (row.NeedList("tokens", "words"), row.NeedList("tags", "ner_tags", "labels", "pos_tags"));
        if (tokens.Count == 0)
            throw new RecordFault(row.Name("tokens"), "is empty");
        if (tokens.Count != tags.Count)
            throw new RecordFault(row.Name("tags"), FormattableString.Invariant($"{tags.Count} tags for {tokens.Count} tokens"));
        yield return new TaggedTokens
        {
            Place = row.Place,
            Tokens = [.. tokens.Select((t, i) => t.ValueKind == JsonValueKind.String ? t.GetString()! : throw new RecordFault($"{row.Name("tokens")}[{i}]", $"{RecordFields.Kind(t)} where a word has to be"))],
            Tags = [.. tags.Select((t, i) => Tag(t, $"{row.Name("tags")}[{i}]"))],
        };
    }

    private string Tag(JsonElement tag, string field)
    {
        if (tag.ValueKind == JsonValueKind.Number && tag.TryGetInt32(out var number))
            return Names.Count == 0 ? tag.GetRawText() : number >= 0 && number < Names.Count ? Names[number] : throw new RecordFault(field, FormattableString.Invariant($"{number} has no name; names are given for 0 to {Names.Count - 1}"));
        if (tag.ValueKind != JsonValueKind.String || tag.GetString() is not { Length: > 0 } text)
            throw new RecordFault(field, $"{RecordFields.Kind(tag)} where a tag has to be");
        return text;
    }
}

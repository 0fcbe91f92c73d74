using System.Text.Json;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Data.Records;

/// <summary>A sentence and its translation: source and target, or <c>translation: {en: …, de: …}</c>.</summary>
[Component("parallel-pairs")]
public sealed record ParallelFormat : RecordFormat
{
    /// <summary>With <c>translation</c>: the language to translate from; null takes the first.</summary>
    public string? From { get; init; }

    protected internal override IReadOnlyList<string> Fields => ["source", "target", "translation"];

    protected internal override int Rank => 70;

    private protected override bool Fits(RecordFields row) => row.Find("translation") is { ValueKind: JsonValueKind.Object } || (row.Find("source", "src") is { ValueKind: JsonValueKind.String } && row.Find("target", "tgt") is { ValueKind: JsonValueKind.String });

    private protected override IEnumerable<DataRecord> Make(RecordFields row)
    {
        if (row.Find("translation") is not { } pair)
        {
            yield return new ParallelText { Place = row.Place, Source = row.NeedText("source", "src"), Target = row.NeedText("target", "tgt"), SourceLanguage = row.Text("source_language"), TargetLanguage = row.Text("target_language") };
            yield break;
        }

        var field = row.Name("translation");
        var texts = pair.EnumerateObject().Where(p => p.Value.ValueKind == JsonValueKind.String && !string.IsNullOrWhiteSpace(p.Value.GetString())).ToList();
        if (texts.Count != 2)
            throw new RecordFault(field, FormattableString.Invariant($"{texts.Count} texts where two languages have to be"));
        if (From is not null && texts.FindIndex(t => t.Name == From) is var at && (at < 0 ? throw new RecordFault(field, $"there is no '{From}'") : at) == 1)
            texts.Reverse();
        yield return new ParallelText { Place = row.Place, Source = texts[0].Value.GetString()!, Target = texts[1].Value.GetString()!, SourceLanguage = texts[0].Name, TargetLanguage = texts[1].Name };
    }
}

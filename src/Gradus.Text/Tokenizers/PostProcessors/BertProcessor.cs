using System.Text.Json;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers.PostProcessors;

/// <summary>BERT's frame: <c>[CLS] A [SEP]</c>, <c>[CLS] A [SEP] B [SEP]</c>; the second text has type 1.</summary>
[Component("BertProcessing")]
internal sealed record BertProcessor : PostProcessor
{
    public NamedId Sep { get; init; } = new("[SEP]", 102);

    public NamedId Cls { get; init; } = new("[CLS]", 101);

    public override PipelinePart Read(JsonField field) => new BertProcessor { Sep = NamedId.Read(field["sep"]), Cls = NamedId.Read(field["cls"]) };

    public override void WriteSettings(Utf8JsonWriter json)
    {
        Sep.Write(json, "sep");
        Cls.Write(json, "cls");
    }

    public override int Added(bool isPair) => isPair ? 3 : 2;

    public override bool Around(List<int> before, List<int> after)
    {
        before.Insert(0, Cls.Id);
        after.Add(Sep.Id);
        return true;
    }

    public override List<EncodingDraft> Process(List<EncodingDraft> parts, bool addSpecialTokens) =>
        !addSpecialTokens ? parts : [.. parts.Select((part, i) => i == 0 ? part.Framed(0, Cls, 0, Sep, 0) : part.Framed(1, null, 0, Sep, 1))];
}

using System.Text.Json;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers.PostProcessors;

/// <summary>RoBERTa's frame: <c>&lt;s&gt; A &lt;/s&gt;</c>, <c>&lt;s&gt; A &lt;/s&gt; &lt;/s&gt; B &lt;/s&gt;</c>, all of type 0.</summary>
[Component("RobertaProcessing")]
internal sealed record RobertaProcessor : PostProcessor
{
    public NamedId Sep { get; init; } = new("</s>", 2);

    public NamedId Cls { get; init; } = new("<s>", 0);

    public bool TrimOffsets { get; init; } = true;

    public bool AddPrefixSpace { get; init; } = true;

    public override PipelinePart Read(JsonField field) => new RobertaProcessor
    {
        Sep = NamedId.Read(field["sep"]), Cls = NamedId.Read(field["cls"]),
        TrimOffsets = field["trim_offsets"].RequiredFlag(), AddPrefixSpace = field["add_prefix_space"].RequiredFlag(),
    };

    public override void WriteSettings(Utf8JsonWriter json)
    {
        Sep.Write(json, "sep");
        Cls.Write(json, "cls");
        json.WriteBoolean("trim_offsets", TrimOffsets);
        json.WriteBoolean("add_prefix_space", AddPrefixSpace);
    }

    public override int Added(bool isPair) => isPair ? 4 : 2;

    public override bool Around(List<int> before, List<int> after)
    {
        before.Insert(0, Cls.Id);
        after.Add(Sep.Id);
        return true;
    }

    public override List<EncodingDraft> Process(List<EncodingDraft> parts, bool addSpecialTokens)
    {
        foreach (var part in parts)
        {
            if (TrimOffsets)
                ByteLevelProcessor.Trim(part, AddPrefixSpace);
            part.SetTypes(0);
        }

        if (!addSpecialTokens)
            return parts;
        foreach (var rest in parts.SelectMany(p => p.Overflowing))
            rest.SetTypes(0);
        return [.. parts.Select((part, i) => part.Framed(i, i == 0 ? Cls : Sep, 0, Sep, 0))];
    }
}

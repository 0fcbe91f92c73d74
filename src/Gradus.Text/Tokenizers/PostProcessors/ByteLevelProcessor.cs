using System.Text.Json;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers.PostProcessors;

/// <summary>Takes the spaces that belong to byte-level tokens out of their offsets.</summary>
[Component("ByteLevel")]
internal sealed record ByteLevelProcessor : PostProcessor
{
    public bool AddPrefixSpace { get; init; } = true;

    public bool TrimOffsets { get; init; } = true;

    public bool UseRegex { get; init; } = true;

    public override PipelinePart Read(JsonField field) => new ByteLevelProcessor
    {
        AddPrefixSpace = field["add_prefix_space"].Flag(otherwise: true), TrimOffsets = field["trim_offsets"].RequiredFlag(), UseRegex = field["use_regex"].Flag(otherwise: true),
    };

    public override void WriteSettings(Utf8JsonWriter json)
    {
        json.WriteBoolean("add_prefix_space", AddPrefixSpace);
        json.WriteBoolean("trim_offsets", TrimOffsets);
        json.WriteBoolean("use_regex", UseRegex);
    }

    public override int Added(bool isPair) => 0;

    public override bool Around(List<int> before, List<int> after) => true;

    public override List<EncodingDraft> Process(List<EncodingDraft> parts, bool addSpecialTokens)
    {
        for (var i = 0; i < parts.Count; i++)
        {
            if (TrimOffsets)
                Trim(parts[i], AddPrefixSpace);
            parts[i].SetSequence(i);
        }

        return parts;
    }

    /// <summary>The same for other steps, overflowing parts included.</summary>
    public static void Trim(EncodingDraft part, bool addPrefixSpace)
    {
        part.TrimOffsets(addPrefixSpace);
        foreach (var rest in part.Overflowing)
            rest.TrimOffsets(addPrefixSpace);
    }
}

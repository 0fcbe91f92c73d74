using System.Text.Json;
using Gradus.Foundation.Recipes;
using Gradus.Text.Tokenizers.Normalizers;

namespace Gradus.Text.Tokenizers.PreTokenizers;

/// <summary>GPT-2's: cuts by its pattern, then writes every byte as a visible character.</summary>
[Component("ByteLevel")]
internal sealed record ByteLevelPreTokenizer : PreTokenizer
{
    private static readonly SplitterPattern s_pattern = new(Gpt2Splitter.Instance);

    public bool AddPrefixSpace { get; init; } = true;

    /// <summary>Means something to the post-processor of the same name only.</summary>
    public bool TrimOffsets { get; init; } = true;

    public bool UseRegex { get; init; } = true;

    public override PipelinePart Read(JsonField field) => new ByteLevelPreTokenizer
    {
        AddPrefixSpace = field["add_prefix_space"].RequiredFlag(), TrimOffsets = field["trim_offsets"].Flag(otherwise: true), UseRegex = field["use_regex"].Flag(otherwise: true),
    };

    public override void WriteSettings(Utf8JsonWriter json)
    {
        json.WriteBoolean("add_prefix_space", AddPrefixSpace);
        json.WriteBoolean("trim_offsets", TrimOffsets);
        json.WriteBoolean("use_regex", UseRegex);
    }

    public override void Cut(CutText text)
    {
        if (AddPrefixSpace)
            text.Rewrite((t, cut) =>
            {
                if (t.Bytes[cut.Start] != ' ')
                    t.Put(" "u8, cut.Start, cut.Start + AlignedText.CharLength(t.Bytes[cut.Start]));
                t.Keep(cut.Start, cut.End);
            });
        if (UseRegex)
            text.Split(s_pattern, CutBehavior.Isolated);
        text.Rewrite((t, cut) => ByteLevelNormalizer.Write(t, cut.Start, cut.End));
    }
}

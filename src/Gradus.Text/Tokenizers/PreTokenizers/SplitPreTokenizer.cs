using System.Text.Json;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers.PreTokenizers;

/// <summary>Cuts at a string or pattern, or at what lies between its matches.</summary>
[Component("Split")]
internal sealed record SplitPreTokenizer : PreTokenizer
{
    public NamedPattern Pattern { get; init; } = NamedPattern.Nothing;

    public CutBehavior Behavior { get; init; } = CutBehavior.Isolated;

    public bool Invert { get; init; }

    public override PipelinePart Read(JsonField field) => new SplitPreTokenizer
    {
        Pattern = NamedPattern.Read(field["pattern"], scanners: true),
        Behavior = ReadBehavior(field["behavior"]),
        Invert = field["invert"].RequiredFlag(),
    };

    public override void WriteSettings(Utf8JsonWriter json)
    {
        Pattern.Write(json, "pattern");
        json.WriteString("behavior", Behavior.ToString());
        json.WriteBoolean("invert", Invert);
    }

    public override void Cut(CutText text) => text.Split(Pattern.Matcher, Behavior, Invert);

    public static CutBehavior ReadBehavior(JsonField field) => field.OneOf([.. Enum.GetValues<CutBehavior>().Select(b => (b.ToString(), b))]);
}
